/** The queue: what may run, and what is held, grouped by what has to move first. */
import { useMemo, useState } from 'preact/hooks'
import type { Overview } from '../../operations/overview-shape.ts'
import { agoText, cleanText, countText, type Look, momentText, spanText } from '../drawing/words.ts'
import { type Context, lookIn, titleIn } from './context.ts'
import { Card, Icon, Said, TicketLink, useMore } from './pieces.tsx'
import { ReasonPath } from './reasons.tsx'
import { hrefTo, ticketHref } from './route.ts'

type Entry = Overview['queue'][number]
type Cause = Overview['causes'][number]

export function MayRun({ context }: { context: Context }) {
  const { counts, queue } = context.overview
  const rows = queue.filter(({ verdict }) => verdict === 'accept')
  const [shown, more] = useMore(10, rows.length)
  return (
    <Card id="may-run" title="May run now" count={counts.accept}>
      {rows.length === 0 && (
        <p class="none">{counts.hold > 0 ? 'Nothing: everything queued is held.' : 'The queue is empty.'}</p>
      )}
      <ul class="rows">
        {rows.slice(0, shown).map(entry => (
          <AcceptRow key={entry.ticket} context={context} entry={entry} />
        ))}
      </ul>
      {more ?? (counts.accept > rows.length && <RestLink context={context} n={counts.accept - rows.length} />)}
    </Card>
  )
}

function RestLink({ context, n }: { context: Context; n: number }) {
  return (
    <a class="more" href={hrefTo('tickets', { phase: 'queued' })}>
      {countText(n, 'more')} of {(context.overview.counts.phases.queued ?? 0).toLocaleString('en')} queued
    </a>
  )
}

function AcceptRow({ context, entry }: { context: Context; entry: Entry }) {
  const behind = context.overview.causes.find(({ kind, tickets }) => kind === 'ticket' && tickets[0] === entry.ticket)
  return (
    <li class={`row${context.fresh.has(entry.ticket) ? ' fresh' : ''}`} data-nav>
      <div class="line">
        <TicketLink context={context} id={entry.ticket} />
        {behind && <span class="frees">{countText(behind.holds, 'waits', 'wait')} for it</span>}
        <Age context={context} entry={entry} />
      </div>
      <div class="title">
        <Said>{titleIn(context, entry.ticket)}</Said>
      </div>
      {entry.reasons.map(({ message }) => (
        <div key={message} class="warn">
          <Said>{message.replaceAll('`', '')}</Said>
        </div>
      ))}
    </li>
  )
}

function Age({ context, entry: { queued_at, queued_by } }: { context: Context; entry: Entry }) {
  if (queued_at === null) return null
  const by = queued_by ? ` by ${cleanText(queued_by)}` : ''
  return (
    <span class="age" title={`queued ${momentText(Date.parse(queued_at))}${by}`}>
      {spanText(context.nowMs - Date.parse(queued_at))}
    </span>
  )
}

/** Each held Ticket is listed with the cause that holds the most. */
export function Held({ context }: { context: Context }) {
  const { overview, where } = context
  const groups = useMemo(() => groupsOf(overview), [overview])
  const wanted = where.query.get('cause')
  const [shown, more] = useMore(12, groups.length)
  const most = overview.causes[0]?.holds ?? 1
  return (
    <Card
      id="held"
      title="Held"
      count={overview.counts.hold}
      aside={groups.length > 0 && <span class="aside">by what has to move first</span>}
    >
      {groups.length === 0 && <p class="none">Nothing is held.</p>}
      {groups.slice(0, shown).map(({ cause, entries }, position) => (
        <Group
          key={cause.key}
          {...{ context, cause, entries, most }}
          opens={wanted === null ? position < 3 && entries.length < 40 : wanted === cause.key}
        />
      ))}
      {more ?? ((overview.left_out.hold ?? 0) > 0 && <RestLink context={context} n={overview.left_out.hold!} />)}
    </Card>
  )
}

function groupsOf({ queue, causes }: Overview): { cause: Cause; entries: Entry[] }[] {
  const held = queue.filter(({ verdict }) => verdict === 'hold')
  const byCause = Map.groupBy(held, entry => entry.causes[0]!)
  const known = new Map(causes.map(cause => [cause.key, cause]))
  return [...byCause]
    .map(([key, entries]) => {
      const unknown: Cause = { key, kind: 'other', tickets: [], name: key, holds: entries.length }
      return { cause: known.get(key) ?? unknown, entries }
    })
    .sort((a, b) => b.cause.holds - a.cause.holds || (a.cause.key < b.cause.key ? -1 : 1))
}

interface GroupProps {
  context: Context
  cause: Cause
  entries: Entry[]
  most: number
  opens: boolean
}

function Group({ context, cause, entries, most, opens }: GroupProps) {
  const [isOpen, setOpen] = useState(opens)
  const [shown, more] = useMore(4, entries.length)
  const { ticket, look } = causeLook(context, cause)
  return (
    <details class="group" open={isOpen} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <svg class="share" height="4" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
          <rect class={look} width={Math.max(2, (cause.holds / most) * 100)} height="4" />
        </svg>
        <span class="what">
          {ticket !== undefined && (
            <>
              <Icon look={look} />
              <b>{cleanText(ticket)}</b>{' '}
            </>
          )}
          <span class={ticket === undefined ? '' : 'state'}>{causeText(context, cause)}</span>
        </span>
        <span class="k" title="held Tickets that wait for it">
          {cause.holds}
        </span>
      </summary>
      {isOpen && (
        <>
          {ticket !== undefined && (
            <a class="cause-title" href={ticketHref(ticket)}>
              <Said>{titleIn(context, ticket) || 'no file here'}</Said>
            </a>
          )}
          <ul class="rows">
            {entries.slice(0, shown).map(entry => (
              <HeldRow key={entry.ticket} context={context} entry={entry} root={ticket} />
            ))}
          </ul>
          {more}
        </>
      )}
    </details>
  )
}

function causeLook(context: Context, { kind, tickets }: Cause): { ticket: string | undefined; look: Look } {
  const ticket = kind === 'cycle' ? undefined : tickets[0]
  return { ticket, look: ticket === undefined ? (kind === 'pool' ? 'hold' : 'missing') : lookIn(context, ticket) }
}

/** Returns what is to be said of a cause, behind its Ticket where it has one. */
export function causeText({ overview, nowMs }: Context, { kind, tickets, name }: Cause): string {
  const [first = ''] = tickets
  if (kind === 'cycle') return `they wait for each other: ${tickets.join(', ')}`
  if (kind === 'missing') return 'has no file here'
  if (kind === 'abandoned') return 'was abandoned'
  if (kind === 'hold') return name === null ? 'is on hold' : `is on hold until ${momentText(Date.parse(name))}`
  if (kind === 'claim') return `claimed by ${cleanText(name ?? '')}`
  if (kind === 'file') return `${cleanText(name ?? '')} cannot be read`
  if (kind === 'elsewhere') return `a later state is in the worktree ${cleanText(name ?? '')}`
  if (kind === 'other') return (name ?? '').replaceAll('_', ' ')
  if (kind === 'pool') {
    const pool = overview.pools.find(one => one.pool === name)
    return `the pool ${name} is full${pool ? ` (${pool.taken.length} of ${pool.capacity})` : ''}`
  }
  const claim = overview.claims.find(({ ticket }) => ticket === first)
  const ticket = overview.tickets[first]
  if (claim?.live) return `runs, ${cleanText(claim.holder)}, ${spanText(Date.parse(claim.expires_at) - nowMs)} left`
  if (ticket?.phase === 'active')
    return claim
      ? `the claim of ${cleanText(claim.holder)} expired ${agoText(claim.expires_at, nowMs)}`
      : ticket.claimed
        ? 'runs'
        : 'runs without a claim'
  if (ticket?.verdict === 'accept') return 'may run now'
  return ticket?.phase === 'open' ? `not queued: ${cleanText(ticket.state ?? '')}` : cleanText(ticket?.state ?? '')
}

function HeldRow({ context, entry, root }: { context: Context; entry: Entry; root: string | undefined }) {
  return (
    <li class={`row${context.fresh.has(entry.ticket) ? ' fresh' : ''}`} data-nav>
      <div class="line">
        <TicketLink context={context} id={entry.ticket} />
        <Age context={context} entry={entry} />
      </div>
      <div class="title">
        <Said>{titleIn(context, entry.ticket)}</Said>
      </div>
      <div class="why">
        {entry.reasons
          .filter(({ severity }) => severity === 'hold')
          .slice(0, 4)
          .map(reason => (
            <ReasonPath key={`${reason.code} ${reason.message}`} context={context} reason={reason} root={root} />
          ))}
      </div>
    </li>
  )
}
