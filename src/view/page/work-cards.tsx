/** Who works: claims over time, Tickets that run without a claim, pools, areas. */
import type { Overview } from '../../operations/overview-shape.ts'
import { ClaimsPlot } from '../drawing/claims-plot.tsx'
import { cleanText, countText, spanText } from '../drawing/words.ts'
import { type Context, titleIn } from './context.ts'
import { Card, Said, TicketLink, useMore, useWidth } from './pieces.tsx'
import { ticketHref } from './route.ts'

export function Work({ context }: { context: Context }) {
  const { overview, nowMs } = context
  const [ref, width] = useWidth()
  const expired = new Set(overview.claims.filter(({ live }) => !live).map(({ ticket }) => ticket))
  const unclaimed = overview.running.filter(({ ticket, claimed }) => !claimed && !expired.has(ticket))
  const isUnknown = overview.attention.some(({ code }) => code === 'claims_unknown')
  const [shown, more] = useMore(5, unclaimed.length)
  const isIdle = overview.counts.running === 0 && overview.claims.length === 0
  return (
    <Card id="running" title="Who holds what" count={overview.counts.running}>
      <div ref={ref} class="measure" />
      {width > 0 && <ClaimsPlot overview={overview} nowMs={nowMs} width={width} href={ticketHref} />}
      {unclaimed.length > 0 && <h3>{isUnknown ? 'Running; the claims are unknown' : 'Running without a claim'}</h3>}
      <ul class="rows tight">
        {unclaimed.slice(0, shown).map(({ ticket, since }) => (
          <li key={ticket} class="row">
            <div class="line">
              <TicketLink context={context} id={ticket} />
              <span class="age">{since === null ? '' : spanText(nowMs - Date.parse(since))}</span>
            </div>
            <div class="title">
              <Said>{titleIn(context, ticket)}</Said>
            </div>
          </li>
        ))}
      </ul>
      {more}
      {isIdle && !isUnknown && <p class="none">Nobody works on anything.</p>}
      {overview.pools.length > 0 && <h3>Capacity</h3>}
      {overview.pools.map(pool => (
        <Pool key={pool.pool} pool={pool} />
      ))}
    </Card>
  )
}

/** More slots than these are drawn as one bar. */
const MOST_SLOTS = 40

function Pool({ pool: { pool, capacity, taken } }: { pool: Overview['pools'][number] }) {
  const slots = capacity <= MOST_SLOTS ? Math.max(capacity, taken.length) : MOST_SLOTS
  const filled = capacity <= MOST_SLOTS ? taken.length : Math.round((taken.length / capacity) * MOST_SLOTS)
  return (
    <div class="pool">
      <span class="name" title={pool}>
        {pool}
      </span>
      <span
        class={`slots${taken.length >= capacity ? ' full' : ''}`}
        role="img"
        aria-label={`${taken.length} of ${capacity} slots taken`}
      >
        {Array.from({ length: slots }, (_, slot) => (
          <i key={`${slot}`} class={slot < filled ? (slot >= capacity ? 'over' : 'on') : ''} title={taken[slot]} />
        ))}
      </span>
      <span class="of">
        {taken.length} of {capacity}
      </span>
    </div>
  )
}

/** The areas in which somebody works, and how many wait for each. */
export function Areas({ context }: { context: Context }) {
  const { areas, left_out: left } = context.overview
  const [shown, more] = useMore(6, areas.length, left.areas)
  if (areas.length === 0) return null
  return (
    <Card id="areas" title="Who works where" count={areas.length + (left.areas ?? 0)}>
      <ul class="rows tight">
        {areas.slice(0, shown).map(({ area, at_work, waiting }) => (
          <li key={area} class="row">
            <div class="line">
              <code>{cleanText(area)}</code>
              {at_work.some(({ shared }) => !shared) ? null : <span class="tag">shared</span>}
              <span class="age">{waiting.length > 0 && countText(waiting.length, 'waits', 'wait')}</span>
            </div>
            <div class="members">
              {at_work.slice(0, 8).map(({ ticket, holder }) => (
                <span key={ticket}>
                  <TicketLink context={context} id={ticket} />{' '}
                  <span class="quiet">{cleanText(holder ?? 'no claim')}</span>
                </span>
              ))}
              {at_work.length === 0 && <span class="quiet">nobody in this checkout</span>}
              {at_work.length > 8 && <span class="extra">+{at_work.length - 8}</span>}
            </div>
          </li>
        ))}
      </ul>
      {more}
    </Card>
  )
}
