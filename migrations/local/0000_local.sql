CREATE TABLE `claim_log` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` text NOT NULL,
	`action` text NOT NULL,
	`ticket_id` text NOT NULL,
	`holder` text NOT NULL,
	`token` integer NOT NULL,
	`previous_holder` text,
	`reason` text
);
--> statement-breakpoint
CREATE TABLE `claims` (
	`ticket_id` text PRIMARY KEY NOT NULL,
	`holder` text NOT NULL,
	`token` integer NOT NULL,
	`pool` text,
	`session` text,
	`worktree` text,
	`pid` integer,
	`acquired_at` text NOT NULL,
	`renewed_at` text NOT NULL,
	`expires_at` text NOT NULL,
	`released_at` text
);
--> statement-breakpoint
CREATE INDEX `claims_by_pool` ON `claims` (`pool`);