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
CREATE TABLE `leases` (
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
	`boot` text NOT NULL,
	`expires_tick` real NOT NULL,
	`ttl_ms` real NOT NULL,
	`released_at` text
);
--> statement-breakpoint
CREATE INDEX `leases_by_pool` ON `leases` (`pool`);--> statement-breakpoint
CREATE TABLE `marks` (
	`id` integer PRIMARY KEY NOT NULL,
	`token` integer NOT NULL,
	`wall_ms` real NOT NULL,
	`boot` text NOT NULL,
	`tick` real NOT NULL
);
--> statement-breakpoint
CREATE VIEW `claims` AS select ticket_id, holder, token, pool, acquired_at, renewed_at, expires_at,
    expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now') as live
  from leases where released_at is null;