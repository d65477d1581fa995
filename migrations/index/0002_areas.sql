CREATE TABLE `area_patterns` (
	`ticket_id` text NOT NULL,
	`decision_id` text NOT NULL,
	`pattern` text NOT NULL,
	`shared` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `area_patterns_by_ticket` ON `area_patterns` (`ticket_id`);--> statement-breakpoint
DROP VIEW `decisions`;--> statement-breakpoint
DROP VIEW `relations`;--> statement-breakpoint
CREATE VIEW `areas` AS select ticket_id, pattern, shared, decision_id from area_patterns
  where (select phase from tickets where id = ticket_id) <> 'terminal';--> statement-breakpoint
CREATE VIEW `decisions` AS select d.id, d.ticket_id, d.kind, d.target_id, case
    when d.file_status <> 'active' then d.file_status
    when (select phase from tickets where id = d.ticket_id) = 'terminal' then 'satisfied'
    when d.kind = 'hold' and json_extract(d.body, '$.not_before') <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now') then 'satisfied'
    when d.target_id is not null and exists (select 1 from tickets other where other.id = d.target_id
      and other.phase = 'terminal' and (d.kind <> 'blocked_by' or other.outcome <> 'abandoned')) then 'satisfied'
    else 'active' end as status, d.by, d.at, d.reason, d.pool, d.supersedes, d.body
  from file_decisions d;--> statement-breakpoint
CREATE VIEW `relations` AS select d.ticket_id, d.kind, d.target_id as other_id, case
    when d.file_status <> 'active' then d.file_status
    when (select phase from tickets where id = d.ticket_id) = 'terminal' then 'satisfied'
    when d.kind = 'hold' and json_extract(d.body, '$.not_before') <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now') then 'satisfied'
    when d.target_id is not null and exists (select 1 from tickets other where other.id = d.target_id
      and other.phase = 'terminal' and (d.kind <> 'blocked_by' or other.outcome <> 'abandoned')) then 'satisfied'
    else 'active' end as status, d.id as decision_id, d.by, d.at, d.reason
  from file_decisions d
  where +d.kind in ('after', 'blocked_by', 'conflicts_with', 'part_of', 'related') and d.target_id is not null
union all
select d.target_id, case d.kind when 'after' then 'before' when 'blocked_by' then 'blocks' when 'part_of' then 'contains' else d.kind end, d.ticket_id, case
    when d.file_status <> 'active' then d.file_status
    when (select phase from tickets where id = d.ticket_id) = 'terminal' then 'satisfied'
    when d.kind = 'hold' and json_extract(d.body, '$.not_before') <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now') then 'satisfied'
    when d.target_id is not null and exists (select 1 from tickets other where other.id = d.target_id
      and other.phase = 'terminal' and (d.kind <> 'blocked_by' or other.outcome <> 'abandoned')) then 'satisfied'
    else 'active' end, d.id, d.by, d.at, d.reason
  from file_decisions d
  where +d.kind in ('after', 'blocked_by', 'conflicts_with', 'part_of', 'related') and d.target_id is not null;