-- The functions of a fleet. Clients may call four of them: snapshot, acquire, renew, release. Each is one round trip and one
-- transaction of its own, runs as the owner of the schema with a fixed search_path, and holds the fleet's lock only while it runs.

-- The time, to the millisecond. now() would be the time at which the wait for the lock began.
create function ticketplan.clock() returns timestamptz
language sql volatile as $$ select date_trunc('milliseconds', clock_timestamp()) $$;
--> statement-breakpoint
create function ticketplan.iso(p_at timestamptz) returns text
language sql stable as $$ select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;
--> statement-breakpoint
-- Fails unless the client was made for this schema. The migration of each version replaces schema_version().
create function ticketplan.check_version(p_request jsonb) returns void
language plpgsql stable as $$
begin
  if (p_request ->> 'version')::integer is distinct from ticketplan.schema_version() then
    raise exception 'the schema has version %', ticketplan.schema_version()
      using errcode = 'TP002', detail = ticketplan.schema_version()::text;
  end if;
end $$;
--> statement-breakpoint
-- Locks the fleet until the end of the transaction. What is read after it must be read by other statements: a statement sees
-- what was committed when it began, which is before it waited for the lock.
create function ticketplan.lock_fleet(p_fleet text) returns ticketplan.fleets
language plpgsql volatile as $$
declare
  f ticketplan.fleets;
begin
  -- In the other levels all statements of a transaction see what was committed when it began.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'transactions of this user are "%"; ticketplan needs "read committed"', current_setting('transaction_isolation')
      using errcode = 'TP003', hint = 'alter role … set default_transaction_isolation = ''read committed''';
  end if;
  -- What is acknowledged must survive a crash of the server.
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'local', true);
  end if;
  select * into f from ticketplan.fleets where id = p_fleet for update;
  if not found then
    raise exception 'there is no fleet %', p_fleet using errcode = 'TP001';
  end if;
  return f;
end $$;
--> statement-breakpoint
-- In PL/pgSQL, which keeps the plan of a statement for the next call; a function in SQL is planned in each call.
create function ticketplan.write_log(l ticketplan.leases, p_at timestamptz, p_action text, p_previous text, p_reason text) returns void
language plpgsql volatile as $$
begin
  insert into ticketplan.claim_log
    (fleet, at, action, ticket, holder, session, machine, token, pool, area, conflicts, expires_at, previous_holder, reason)
  values
    (l.fleet, p_at, p_action, l.ticket, l.holder, l.session, l.machine, l.token, l.pool, l.area, l.conflicts, l.expires_at,
     p_previous, p_reason);
end $$;
--> statement-breakpoint
-- Marks expired leases as ended, under the fleet's lock: a clock of the server that is set back brings none of them to life.
create function ticketplan.lapse(p_fleet text, p_at timestamptz) returns void
language plpgsql volatile as $$
declare
  l ticketplan.leases;
begin
  for l in
    update ticketplan.leases set ended = 'lapsed', ended_at = expires_at
    where fleet = p_fleet and ended is null and expires_at <= p_at returning *
  loop
    perform ticketplan.write_log(l, p_at, 'lapsed', null, null);
  end loop;
end $$;
--> statement-breakpoint
-- True where something that a verdict about the Ticket asked about is live now and was not for the verdict: one of the Tickets,
-- a slot of one of the pools, a Ticket whose taker knew of a strict conflict with this one, or any Ticket with an area. No list
-- of Tickets means all of them. A claim that has ended in between holds nothing back. A live lease is one that was taken since
-- the snapshot, one that the verdict counted, or one that it took for expired and whose holder renewed it: p_expired has these.
create function ticketplan.taken_since(
  p_fleet text, p_ticket text, p_changes bigint, p_expired text[], p_tickets text[], p_pools text[]) returns boolean
language plpgsql stable as $$
begin
  return exists (
    select from ticketplan.leases
    where fleet = p_fleet and ended is null and (taken > p_changes or ticket = any (p_expired)) and ticket <> p_ticket
      and (p_tickets is null or ticket = any (p_tickets) or pool = any (p_pools) or p_ticket = any (conflicts)
        or (area is not null and area <> '[]')));
end $$;
--> statement-breakpoint
-- A claim as clients see it.
create function ticketplan.claim_document(l ticketplan.leases, p_at timestamptz) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'ticket', l.ticket, 'holder', l.holder, 'token', l.token, 'pool', l.pool, 'session', l.session, 'worktree', l.worktree,
    'pid', l.pid, 'machine', l.machine, 'acquired_at', ticketplan.iso(l.acquired_at),
    'renewed_at', ticketplan.iso(l.renewed_at), 'expires_at', ticketplan.iso(l.expires_at),
    'live', l.ended is null and l.expires_at > p_at)
$$;
--> statement-breakpoint
create function ticketplan.log_document(p_fleet text, p_asked jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('at', ticketplan.iso(at), 'action', action, 'ticket', ticket, 'holder', holder,
    'machine', machine, 'previous_holder', case when action <> 'forced' then previous_holder end,
    'by', case when action = 'forced' then previous_holder end, 'reason', reason) order by sequence desc), '[]')
  from (
    select * from ticketplan.claim_log
    where fleet = p_fleet and action not in ('renewed', 'lapsed')
      and (p_asked ->> 'since' is null or at >= (p_asked ->> 'since')::timestamptz)
      and (p_asked ->> 'holder' is null or holder = p_asked ->> 'holder' or previous_holder = p_asked ->> 'holder')
      and (p_asked -> 'tickets' is null or p_asked -> 'tickets' = '[]'
        or ticket in (select jsonb_array_elements_text(p_asked -> 'tickets')))
    order by sequence desc limit (p_asked ->> 'limit')::integer) l
$$;
--> statement-breakpoint
create function ticketplan.releases_document(p_fleet text, p_tickets jsonb) returns jsonb
language plpgsql stable as $$
declare
  found_releases jsonb;
begin
  -- Two statements: with the list, each Ticket is looked up; nothing is read of the others.
  if p_tickets is null then
    select jsonb_agg(jsonb_build_array(l.ticket, l.released_state, l.released_state_at, ticketplan.iso(l.last_released_at)))
    into found_releases from ticketplan.leases l where l.fleet = p_fleet and l.released_state is not null;
  else
    select jsonb_agg(jsonb_build_array(l.ticket, l.released_state, l.released_state_at, ticketplan.iso(l.last_released_at)))
    into found_releases from ticketplan.leases l
    where l.fleet = p_fleet and l.released_state is not null
      and l.ticket = any (array(select jsonb_array_elements_text(p_tickets)));
  end if;
  return coalesce(found_releases, '[]');
end $$;
--> statement-breakpoint
-- Everything that a verdict needs, in one document, with the count of changes that it is true for. Of the releases, which are as
-- many as there ever were Tickets, those of the Tickets in releases_of; without that list all of them.
create function ticketplan.snapshot(p_fleet text, p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = ticketplan, pg_temp as $$
declare
  f fleets;
  at timestamptz;
  with_released boolean := coalesce((p_request ->> 'with_released')::boolean, false);
begin
  perform check_version(p_request);
  at := clock();
  select * into f from fleets where id = p_fleet;
  if not found then
    raise exception 'there is no fleet %', p_fleet using errcode = 'TP001';
  end if;
  return jsonb_build_object(
    'changes', f.changes,
    'server', iso(pg_postmaster_start_time()),
    'now', iso(at),
    'claims', (
      select coalesce(jsonb_agg(claim_document(l, at) || jsonb_build_object('conflicts', l.conflicts, 'area', l.area,
        'ended', l.ended is not null, 'released_at', case when l.ended <> 'lapsed' then iso(l.ended_at) end) order by l.ticket), '[]')
      from (
        select * from leases where fleet = f.id and (ended is null or ended = 'lapsed')
        union all
        select * from leases where with_released and fleet = f.id and ended in ('released', 'forced')) l),
    'releases', releases_document(f.id, p_request -> 'releases_of'))
    || case when p_request -> 'log' is null then '{}' else
      jsonb_build_object('log', log_document(f.id, p_request -> 'log')) end
    || case when p_request -> 'release_of' is null then '{}' else jsonb_build_object('release', (
      select jsonb_build_object('action', action, 'reason', reason) from claim_log
      where fleet = f.id and ticket = p_request -> 'release_of' ->> 'ticket'
        and token = (p_request -> 'release_of' ->> 'token')::bigint and action in ('released', 'forced')
      order by sequence desc limit 1)) end
    || case when p_request -> 'machines' is null then '{}' else jsonb_build_object('machines', (
      select coalesce(jsonb_agg(jsonb_build_object('machine', machine, 'pools', pools, 'seen_at', iso(seen_at)) order by machine), '[]')
      from machines where fleet = f.id)) end;
end $$;
--> statement-breakpoint
-- Takes the lease on a Ticket, unless another holder has it or taken_since() says that the caller's verdict is out of date. The
-- rules stay with the caller: here is only the check that its facts still hold. The holder of the live lease renews it and
-- keeps the token, so that asking again after a lost answer is safe.
create function ticketplan.acquire(p_fleet text, p_request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ticketplan, pg_temp set lock_timeout = '4s' as $$
declare
  q record;
  f fleets;
  l leases;
  n leases;
  at timestamptz;
  epoch bigint;
  is_live boolean;
  is_own boolean;
  is_same_place boolean;
  action text;
  previous text;
begin
  perform check_version(p_request);
  select * into q from jsonb_to_record(p_request) as r(ticket text, holder text, session text, machine text, presented bigint,
    ttl_ms bigint, pool text, worktree text, pid integer, area jsonb, conflicts text[], changes bigint, server text,
    expired text[], tickets text[], pools text[], floor bigint, capacities jsonb);
  f := lock_fleet(p_fleet);
  at := clock();
  perform lapse(f.id, at);
  select * into l from leases where fleet = f.id and ticket = q.ticket;
  is_live := found and l.ended is null;
  is_own := is_live and case
    when q.presented is not null then q.presented = l.token
    else l.holder = q.holder and l.session is not distinct from q.session and l.machine = q.machine end;
  if is_live and not is_own then
    return jsonb_build_object('status', 'held', 'claim', claim_document(l, at), 'snapshot', snapshot(f.id, p_request));
  end if;

  n := l;
  n.fleet := f.id;
  n.ticket := q.ticket;
  n.holder := q.holder;
  n.session := q.session;
  n.machine := q.machine;
  n.pool := coalesce(q.pool, case when is_own then l.pool end);
  n.worktree := coalesce(q.worktree, case when is_own then l.worktree end);
  n.pid := coalesce(q.pid, case when is_own then l.pid end);
  n.area := coalesce(q.area, case when is_own then l.area end);
  n.conflicts := coalesce(q.conflicts, case when is_own then l.conflicts end, '{}');
  n.acquired_at := case when is_own then l.acquired_at else at end;
  n.renewed_at := at;
  n.ttl_ms := q.ttl_ms;
  n.expires_at := at + q.ttl_ms * interval '1 millisecond';
  n.ended := null;
  n.ended_at := null;
  n.ended_by := null;
  -- Another server, or the same one after a restart, may have lost what the snapshot had: its counts mean nothing here. Where
  -- the Ticket itself was taken since, it may have been released since too, in a state that the verdict did not know.
  if not (is_own and l.pool is not distinct from n.pool)
    and (q.server is distinct from iso(pg_postmaster_start_time())
      or (not is_own and l.taken > q.changes)
      or taken_since(f.id, q.ticket, q.changes, q.expired, q.tickets, q.pools)) then
    return jsonb_build_object('status', 'changed', 'snapshot', snapshot(f.id, p_request));
  end if;

  is_same_place := is_own and (l.pool, l.area, l.conflicts) is not distinct from (n.pool, n.area, n.conflicts);
  if not is_own then
    epoch := floor(extract(epoch from at))::bigint;
    -- Tokens are numbers of JavaScript; one absurd floor must not use them up.
    if q.floor > epoch + 1000000000000 then
      raise exception 'the token % that this clone has seen is too high', q.floor using errcode = 'TP004';
    end if;
    -- A server that took over, or came back from a backup, may have lost the last tokens; nobody takes a million Tickets at once.
    if f.server <> iso(pg_postmaster_start_time()) then
      f.token := f.token + 1000000;
    end if;
    f.token := greatest(f.token, q.floor, epoch) + 1;
  end if;
  if not is_same_place then
    f.changes := f.changes + 1;
    update fleets set token = f.token, changes = f.changes,
      server = case when is_own then server else iso(pg_postmaster_start_time()) end where id = f.id;
  end if;
  n.token := case when is_own then l.token else f.token end;
  n.taken := case when is_same_place then l.taken else f.changes end;
  insert into leases select (n).* on conflict (fleet, ticket) do update set
    holder = n.holder, session = n.session, machine = n.machine, token = n.token, pool = n.pool, worktree = n.worktree,
    pid = n.pid, area = n.area, conflicts = n.conflicts, taken = n.taken, acquired_at = n.acquired_at,
    renewed_at = n.renewed_at, expires_at = n.expires_at, ttl_ms = n.ttl_ms,
    ended = null, ended_at = null, ended_by = null;

  action := case
    when is_own and (l.holder, l.session, l.machine) is not distinct from (n.holder, n.session, n.machine) then 'renewed'
    when is_own then 'moved'
    when l.ended = 'lapsed' then 'taken_over'
    else 'acquired' end;
  previous := case when action in ('moved', 'taken_over') then l.holder end;
  perform write_log(n, at, action, previous, null);
  insert into machines as m (fleet, machine, pools, seen_at) values (f.id, q.machine, coalesce(q.capacities, '{}'), at)
    on conflict (fleet, machine) do update set pools = excluded.pools, seen_at = excluded.seen_at
    where m.pools <> excluded.pools or m.seen_at < excluded.seen_at - interval '1 hour';
  if action <> 'renewed' then
    perform pg_notify('ticketplan', f.id);
  end if;
  return jsonb_build_object('status', case when is_own then 'renewed' else 'acquired' end, 'claim', claim_document(n, at),
    'taken_from', case when action = 'taken_over' then previous end, 'changes', f.changes);
end $$;
--> statement-breakpoint
-- Extends a lease. Refused unless the token is that of the live lease.
create function ticketplan.renew(p_fleet text, p_request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ticketplan, pg_temp set lock_timeout = '4s' as $$
declare
  f fleets;
  l leases;
  at timestamptz;
begin
  perform check_version(p_request);
  f := lock_fleet(p_fleet);
  at := clock();
  perform lapse(f.id, at);
  update leases set renewed_at = at, ttl_ms = coalesce((p_request ->> 'ttl_ms')::bigint, ttl_ms),
    expires_at = at + coalesce((p_request ->> 'ttl_ms')::bigint, ttl_ms) * interval '1 millisecond'
  where fleet = f.id and ticket = p_request ->> 'ticket' and token = (p_request ->> 'token')::bigint and ended is null
  returning * into l;
  if not found then
    return jsonb_build_object('status', 'stale_token', 'claim', (
      select claim_document(x, at) from leases x
      where fleet = f.id and ticket = p_request ->> 'ticket' and (ended is null or ended = 'lapsed')));
  end if;
  perform write_log(l, at, 'renewed', null, null);
  return jsonb_build_object('status', 'kept', 'claim', claim_document(l, at));
end $$;
--> statement-breakpoint
-- Ends a lease: by its token, or by force, which ends a lapsed one too. A release said again is done.
create function ticketplan.release(p_fleet text, p_request jsonb) returns jsonb
language plpgsql volatile security definer set search_path = ticketplan, pg_temp set lock_timeout = '4s' as $$
declare
  q record;
  f fleets;
  l leases;
  at timestamptz;
begin
  perform check_version(p_request);
  select * into q from jsonb_to_record(p_request) as r(ticket text, token bigint, reason text, forced_by text, state text, state_at text, call text);
  f := lock_fleet(p_fleet);
  at := clock();
  perform lapse(f.id, at);
  select * into l from leases where fleet = f.id and ticket = q.ticket;
  if (l.ended = 'released' and l.token = q.token) or (l.ended = 'forced' and l.ended_by = q.call) then
    return jsonb_build_object('status', 'kept', 'claim', claim_document(l, at));
  end if;
  if not found or l.ended in ('released', 'forced') or (q.token is not null and (l.ended is not null or l.token <> q.token)) then
    return jsonb_build_object('status', 'stale_token', 'claim',
      case when l.ticket is not null and (l.ended is null or l.ended = 'lapsed') then claim_document(l, at) end);
  end if;
  update leases set ended = case when q.token is null then 'forced' else 'released' end, ended_at = at, ended_by = q.call,
    taken = f.changes + 1,
    released_state = coalesce(q.state, released_state),
    released_state_at = case when q.state is null then released_state_at else q.state_at end,
    last_released_at = case when q.state is null then last_released_at else at end
  where fleet = f.id and ticket = q.ticket returning * into l;
  update fleets set changes = f.changes + 1 where id = f.id;
  perform write_log(l, at, l.ended, q.forced_by, q.reason); -- of a forced release, the column has who ended it
  perform pg_notify('ticketplan', f.id);
  return jsonb_build_object('status', 'kept', 'claim', claim_document(l, at));
end $$;
