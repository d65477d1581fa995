CREATE TABLE `covers` (
	`ticket_id` text PRIMARY KEY NOT NULL,
	`token` integer NOT NULL,
	`renewed_at` text NOT NULL,
	`expires_at` text NOT NULL,
	`boot` text NOT NULL,
	`expires_tick` real NOT NULL,
	`ttl_ms` real NOT NULL
);
