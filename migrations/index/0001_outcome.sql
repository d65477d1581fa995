ALTER TABLE `tickets` ADD `outcome` text;--> statement-breakpoint
DROP VIEW `blockers`;--> statement-breakpoint
DROP VIEW `decisions`;--> statement-breakpoint
DROP VIEW `relations`;--> statement-breakpoint
CREATE VIEW `blockers` AS select d.ticket_id, d.target_id as blocker_id, other.state as blocker_state, d.id as decision_id
  from file_decisions d
  join tickets own on own.id = d.ticket_id
  left join tickets other on other.id = d.target_id
  where d.kind = 'blocked_by' and d.file_status = 'active' and own.phase <> 'terminal'
    and (other.phase is null or other.phase <> 'terminal' or other.outcome = 'abandoned');--> statement-breakpoint
CREATE VIEW `decisions` AS select d.id, d.ticket_id, d.kind, d.target_id, case
    when d.file_status <> 'active' then d.file_status
    when own.phase = 'terminal' then 'satisfied'
    when d.kind = 'hold' and json_extract(d.body, '$.not_before') <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now') then 'satisfied'
    when other.phase = 'terminal' and not (d.kind = 'blocked_by' and other.outcome = 'abandoned') then 'satisfied'
    else 'active' end as status, d.by, d.at, d.reason, d.pool, d.supersedes, d.body
  from file_decisions d
  join tickets own on own.id = d.ticket_id
  left join tickets other on other.id = d.target_id and d.kind in ('after', 'blocked_by', 'conflicts_with', 'part_of', 'related') and d.target_id is not null;--> statement-breakpoint
CREATE VIEW `relations` AS select d.ticket_id, d.kind, d.target_id as other_id, case
    when d.file_status <> 'active' then d.file_status
    when own.phase = 'terminal' then 'satisfied'
    when d.kind = 'hold' and json_extract(d.body, '$.not_before') <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now') then 'satisfied'
    when other.phase = 'terminal' and not (d.kind = 'blocked_by' and other.outcome = 'abandoned') then 'satisfied'
    else 'active' end as status, d.id as decision_id, d.by, d.at, d.reason
  from file_decisions d
  join tickets own on own.id = d.ticket_id
  left join tickets other on other.id = d.target_id
  where d.kind in ('after', 'blocked_by', 'conflicts_with', 'part_of', 'related') and d.target_id is not null
union all
select d.target_id, case d.kind when 'after' then 'before' when 'blocked_by' then 'blocks' when 'part_of' then 'contains' else d.kind end, d.ticket_id, case
    when d.file_status <> 'active' then d.file_status
    when own.phase = 'terminal' then 'satisfied'
    when d.kind = 'hold' and json_extract(d.body, '$.not_before') <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now') then 'satisfied'
    when other.phase = 'terminal' and not (d.kind = 'blocked_by' and other.outcome = 'abandoned') then 'satisfied'
    else 'active' end, d.id, d.by, d.at, d.reason
  from file_decisions d
  join tickets own on own.id = d.ticket_id
  left join tickets other on other.id = d.target_id
  where d.kind in ('after', 'blocked_by', 'conflicts_with', 'part_of', 'related') and d.target_id is not null;