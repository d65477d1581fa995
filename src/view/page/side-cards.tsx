/** What needs attention, conflicts in play, holds, and Tickets with parts. */
import type { Overview } from '../../operations/overview-shape.ts'
import { agoText, cleanText, momentText } from '../drawing/words.ts'
import { type Context, lookIn, titleIn } from './context.ts'
import { Copy, ListCard, Said, TicketLink } from './pieces.tsx'

export function Attention({ context }: { context: Context }) {
  const { attention, left_out: left } = context.overview
  const isBad = attention.some(({ severity }) => severity === 'error')
  return (
    <ListCard
      id="attention"
      kind={isBad ? 'bad' : ''}
      title="To look at"
      entries={attention}
      leftOut={left.attention}
      step={6}
      row={entry => (
        <li key={`${entry.code} ${entry.tickets} ${entry.message}`} class={`row attention ${entry.severity}`}>
          <div class="line">
            <span class="message">
              <Links context={context} ids={entry.tickets} most={3} />
              <Said>{entry.message.replaceAll('`', '')}</Said>
              {entry.since !== null && <span class="quiet"> {agoText(entry.since, context.nowMs)}</span>}
            </span>
            {entry.command !== null && <Copy text={entry.command} />}
          </div>
        </li>
      )}
    />
  )
}

/** The first Tickets of a list, and how many more there are. */
function Links({ context, ids, most }: { context: Context; ids: readonly string[]; most: number }) {
  return (
    <>
      {ids.slice(0, most).map(id => (
        <span key={id}>
          <TicketLink context={context} id={id} />{' '}
        </span>
      ))}
      {ids.length > most && <span class="quiet">and {ids.length - most} more: </span>}
    </>
  )
}

/** Conflicts between Tickets in play; those with a Ticket that runs first. */
export function Conflicts({ context }: { context: Context }) {
  return (
    <ListCard
      id="conflicts"
      title="Never side by side"
      entries={conflictsInPlay(context)}
      step={5}
      row={({ ticket, other, advisory, reason }) => (
        <li key={`${ticket} ${other}`} class="row">
          <div class="line">
            <TicketLink context={context} id={ticket} />
            <svg class="tie" width="22" height="8" aria-hidden="true">
              <path class={`edge ${advisory ? 'advisory' : 'conflicts_with'}`} d="M0 4H22" />
            </svg>
            <TicketLink context={context} id={other} />
            {advisory && <span class="tag">only warns</span>}
          </div>
          <Quote text={reason} />
        </li>
      )}
    />
  )
}

function Quote({ text }: { text: string | null }) {
  if (text === null) return null
  return (
    <div class="quote">
      <Said>{text}</Said>
    </div>
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
  return (
    <ListCard
      id="holds"
      title="On hold"
      entries={holds}
      leftOut={left.holds}
      step={4}
      row={({ ticket, decision, reason, not_before, by, at }) => (
        <li key={decision} class="row">
          <div class="line">
            <TicketLink context={context} id={ticket} />
            <span class="quiet small">{not_before === null ? '' : `until ${momentText(Date.parse(not_before))}`}</span>
            <span class="age">
              {cleanText(by)}, {agoText(at, context.nowMs)}
            </span>
          </div>
          <Quote text={reason} />
        </li>
      )}
    />
  )
}

/** Tickets with parts: how many are settled, how many held, and what blocks the whole. */
export function Parents({ context }: { context: Context }) {
  const { parents, left_out: left } = context.overview
  return (
    <ListCard
      id="parents"
      title="Tickets with parts"
      entries={parents}
      leftOut={left.parents}
      step={4}
      row={({ ticket, parts, settled, held, blockers }) => (
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
              {blockers.length > 4 && <span class="extra">+{blockers.length - 4}</span>}
            </div>
          )}
        </li>
      )}
    />
  )
}
