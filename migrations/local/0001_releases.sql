ALTER TABLE `leases` ADD `released_state` text;--> statement-breakpoint
ALTER TABLE `leases` ADD `released_state_at` text;--> statement-breakpoint
ALTER TABLE `leases` ADD `last_released_at` text;