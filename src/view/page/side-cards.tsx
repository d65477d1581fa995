/** What needs attention, conflicts in play, holds, and Tickets with parts. */
import type { Overview } from '../../operations/overview-shape.ts'
import { agoText, cleanText, momentText } from '../drawing/words.ts'
import { type Context, lookIn, titleIn } from './context.ts'
import { Card, Copy, Said, TicketLink, useMore } from './pieces.tsx'

export function Attention({ context }: { context: Context }) {
  const { attention, left_out: left } = context.overview
  const [shown, more] = useMore(6, attention.length)
  if (attention.length === 0) return null
  const isBad = attention.some(({ severity }) => severity === 'error')
  return (
    <Card id="attention" kind={isBad ? 'bad' : ''} title="To look at" count={attention.length + (left.attention ?? 0)}>
      <ul class="rows tight">
        {attention.slice(0, shown).map(entry => (
          <li key={`${entry.code} ${entry.tickets} ${entry.message}`} class={`row attention ${entry.severity}`}>
            <div class="line">
              <span class="message">
                {entry.tickets.slice(0, 3).map(id => (
                  <span key={id}>
                    <TicketLink context={context} id={id} />{' '}
                  </span>
                ))}
                <Said>{entry.message.replaceAll('`', '')}</Said>
                {entry.since !== null && <span class="quiet"> {agoText(entry.since, context.nowMs)}</span>}
              </span>
              {entry.command !== null && <Copy text={entry.command} />}
            </div>
          </li>
        ))}
      </ul>
      {more}
    </Card>
  )
}

/** Conflicts between Tickets in play; those with a Ticket that runs first. */
export function Conflicts({ context }: { context: Context }) {
  const conflicts = conflictsInPlay(context)
  const [shown, more] = useMore(5, conflicts.length)
  if (conflicts.length === 0) return null
  return (
    <Card id="conflicts" title="Never side by side" count={conflicts.length}>
      <ul class="rows tight">
        {conflicts.slice(0, shown).map(({ ticket, other, advisory, reason }) => (
          <li key={`${ticket} ${other}`} class="row">
            <div class="line">
              <TicketLink context={context} id={ticket} />
              <svg class="tie" width="22" height="8" aria-hidden="true">
                <path class={`edge ${advisory ? 'advisory' : 'conflicts_with'}`} d="M0 4H22" />
              </svg>
              <TicketLink context={context} id={other} />
              {advisory && <span class="tag">only warns</span>}
            </div>
            {reason !== null && (
              <div class="quote">
                <Said>{reason}</Said>
              </div>
            )}
          </li>
        ))}
      </ul>
      {more}
    </Card>
  )
}

function conflictsInPlay(context: Context): Overview['relations'] {
  const heat = (id: string) => (lookIn(context, id) === 'active' ? 1 : 0)
  return context.overview.relations
    .filter(({ kind }) => kind === 'conflicts_with')
    .sort((a, b) => heat(b.ticket) + heat(b.other) - heat(a.ticket) - heat(a.other))
}

export function Holds({ context }: { context: Context }) {
  const { holds, left_out: left } = context.overview
  const [shown, more] = useMore(4, holds.length)
  if (holds.length === 0) return null
  return (
    <Card id="holds" title="On hold" count={holds.length + (left.holds ?? 0)}>
      <ul class="rows tight">
        {holds.slice(0, shown).map(({ ticket, decision, reason, not_before, by, at }) => (
          <li key={decision} class="row">
            <div class="line">
              <TicketLink context={context} id={ticket} />
              <span class="quiet small">
                {not_before === null ? '' : `until ${momentText(Date.parse(not_before))}`}
              </span>
              <span class="age">
                {cleanText(by)}, {agoText(at, context.nowMs)}
              </span>
            </div>
            {reason !== null && (
              <div class="quote">
                <Said>{reason}</Said>
              </div>
            )}
          </li>
        ))}
      </ul>
      {more}
    </Card>
  )
}

/** Tickets with parts: how many are settled, how many held, and what blocks the whole. */
export function Parents({ context }: { context: Context }) {
  const { parents, left_out: left } = context.overview
  const [shown, more] = useMore(4, parents.length)
  if (parents.length === 0) return null
  return (
    <Card id="parents" title="Tickets with parts" count={parents.length + (left.parents ?? 0)}>
      <ul class="rows tight">
        {parents.slice(0, shown).map(({ ticket, parts, settled, held, blockers }) => (
          <li key={ticket} class="row">
            <div class="line">
              <TicketLink context={context} id={ticket} />
              <span class="age">
                {settled} of {parts} settled{held > 0 && `, ${held} held`}
              </span>
            </div>
            <div class="title">
              <Said>{titleIn(context, ticket)}</Said>
            </div>
            {blockers.length > 0 && (
              <div class="members">
                <span class="quiet">all wait with it for</span>
                {blockers.slice(0, 4).map(id => (
                  <TicketLink key={id} context={context} id={id} />
                ))}
              </div>
            )}
          </li>
        ))}
      </ul>
      {more}
    </Card>
  )
}
