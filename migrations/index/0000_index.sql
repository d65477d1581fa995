CREATE TABLE `file_decisions` (
	`ticket_id` text NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`target_id` text,
	`file_status` text NOT NULL,
	`by` text NOT NULL,
	`at` text NOT NULL,
	`reason` text,
	`pool` text,
	`supersedes` text,
	`advisory` integer NOT NULL,
	`body` text NOT NULL,
	PRIMARY KEY(`ticket_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `file_decisions_by_id` ON `file_decisions` (`id`);--> statement-breakpoint
CREATE INDEX `file_decisions_by_target` ON `file_decisions` (`target_id`,`kind`);--> statement-breakpoint
CREATE INDEX `file_decisions_by_kind` ON `file_decisions` (`kind`,`ticket_id`);--> statement-breakpoint
CREATE TABLE `files` (
	`path` text PRIMARY KEY NOT NULL,
	`id_key` text NOT NULL,
	`size_bytes` real NOT NULL,
	`mtime_ms` real NOT NULL,
	`ctime_ms` real NOT NULL,
	`inode` real NOT NULL,
	`racy` integer NOT NULL,
	`hash` text NOT NULL,
	`canonical` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `files_by_id_key` ON `files` (`id_key`);--> statement-breakpoint
CREATE TABLE `meta` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `quarantine` (
	`path` text PRIMARY KEY NOT NULL,
	`code` text NOT NULL,
	`message` text NOT NULL,
	`line` integer,
	`column` integer,
	`mentions` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `snapshot` (
	`id` integer PRIMARY KEY NOT NULL,
	`paths` text NOT NULL,
	`stats` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `snapshot_lag` (
	`path` text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tickets` (
	`id` text PRIMARY KEY NOT NULL,
	`slug` text,
	`title` text NOT NULL,
	`state` text NOT NULL,
	`phase` text NOT NULL,
	`state_at` text,
	`created_at` text,
	`queued_at` text,
	`queued_by` text,
	`changed_at` text,
	`path` text NOT NULL,
	`format` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `tickets_by_slug` ON `tickets` (`slug`);--> statement-breakpoint
CREATE INDEX `tickets_by_phase` ON `tickets` (`phase`,`queued_at`,`id`);--> statement-breakpoint
CREATE VIEW `blockers` AS select d.ticket_id, d.target_id as blocker_id, other.state as blocker_state, d.id as decision_id
  from file_decisions d
  join tickets own on own.id = d.ticket_id
  left join tickets other on other.id = d.target_id
  where d.kind = 'blocked_by' and d.file_status = 'active' and own.phase <> 'terminal'
    and (other.phase is null or other.phase <> 'terminal');--> statement-breakpoint
CREATE VIEW `decisions` AS select d.id, d.ticket_id, d.kind, d.target_id, case
    when d.file_status <> 'active' then d.file_status
    when own.phase = 'terminal' or other.phase = 'terminal' then 'satisfied'
    else 'active' end as status, d.by, d.at, d.reason, d.pool, d.supersedes, d.body
  from file_decisions d
  join tickets own on own.id = d.ticket_id
  left join tickets other on other.id = d.target_id and d.kind in ('after', 'blocked_by', 'conflicts_with', 'related') and d.target_id is not null;--> statement-breakpoint
CREATE VIEW `relations` AS select d.ticket_id, d.kind, d.target_id as other_id, case
    when d.file_status <> 'active' then d.file_status
    when own.phase = 'terminal' or other.phase = 'terminal' then 'satisfied'
    else 'active' end as status, d.id as decision_id, d.by, d.at, d.reason
  from file_decisions d
  join tickets own on own.id = d.ticket_id
  left join tickets other on other.id = d.target_id
  where d.kind in ('after', 'blocked_by', 'conflicts_with', 'related') and d.target_id is not null
union all
select d.target_id, case d.kind when 'after' then 'before' when 'blocked_by' then 'blocks' else d.kind end, d.ticket_id, case
    when d.file_status <> 'active' then d.file_status
    when own.phase = 'terminal' or other.phase = 'terminal' then 'satisfied'
    else 'active' end, d.id, d.by, d.at, d.reason
  from file_decisions d
  join tickets own on own.id = d.ticket_id
  left join tickets other on other.id = d.target_id
  where d.kind in ('after', 'blocked_by', 'conflicts_with', 'related') and d.target_id is not null;