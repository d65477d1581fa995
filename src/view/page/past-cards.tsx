/** The past: the queue over the last day, what Tickets waited for, and how the plan grew. */
import type { Past } from '../../operations/overview-shape.ts'
import { DayPlot, HistoryPlot } from '../drawing/past-plots.tsx'
import { countText, spanText } from '../drawing/words.ts'
import { type Context, titleIn } from './context.ts'
import { Card, Said, TicketLink, useMore, useWidth } from './pieces.tsx'

export function Day({ past }: { past: Past }) {
  const [ref, width] = useWidth()
  return (
    <Card id="day" title="The last day">
      <div ref={ref} class="measure" />
      {width > 0 && <DayPlot past={past} width={width} />}
      <p class="caption">
        The right edge is now. What is before is made from dates and decisions: past pools, areas and claims of other
        clones are kept nowhere{past.unknown > 0 && `, nor when ${countText(past.unknown, 'Ticket')} started`}.
      </p>
    </Card>
  )
}

const CODE_WORDS: Record<string, string> = {
  blocked_by: 'blocked',
  after: 'an order',
  conflicts_with: 'a conflict',
  on_hold: 'on hold',
}

export function Waits({ context, past }: { context: Context; past: Past }) {
  const { waits, median_wait: median } = past
  const [shown, more] = useMore(5, waits.length, context.overview.left_out.waits)
  if (waits.length === 0 || median === null) return null
  return (
    <Card
      id="waits"
      title="How long Tickets waited"
      aside={<span class="aside">half of them at most {spanText(median * 1000)}</span>}
    >
      <ul class="rows tight">
        {waits.slice(0, shown).map(wait => (
          <li key={wait.ticket} class="row">
            <div class="line">
              <TicketLink context={context} id={wait.ticket} />
              <span class="quiet small">{mostly(wait)}</span>
              <span class="age">{spanText(wait.seconds * 1000)}</span>
            </div>
            <WaitBar wait={wait} most={waits[0]!.seconds} />
            <div class="spoken">
              <Said>{titleIn(context, wait.ticket)}</Said>
            </div>
          </li>
        ))}
      </ul>
      {more}
      <p class="caption">
        From queued to started, in the last seven days. Grey is time in which nothing that is kept held it.
      </p>
    </Card>
  )
}

function mostly({ mostly, held_seconds }: Past['waits'][number]): string {
  if (mostly === null) return 'nothing held it'
  return `${CODE_WORDS[mostly]} for ${spanText(held_seconds[mostly]! * 1000)}`
}

function WaitBar({ wait, most }: { wait: Past['waits'][number]; most: number }) {
  const held = (wait.seconds - wait.rest_seconds) / most
  return (
    <svg class="wait" height="5" viewBox="0 0 100 5" preserveAspectRatio="none" aria-hidden="true">
      <rect class="rest" width={(wait.seconds / most) * 100} height="5" />
      <rect class={wait.mostly ?? ''} width={held * 100} height="5" />
    </svg>
  )
}

export function History({ past }: { past: Past }) {
  return past.history.length < 2 ? null : <HistoryCard past={past} />
}

function HistoryCard({ past }: { past: Past }) {
  const [ref, width] = useWidth()
  return (
    <Card id="history" title="Made and settled">
      <div ref={ref} class="measure" />
      {width > 0 && <HistoryPlot past={past} width={width} />}
      <div class="legend bars" aria-hidden="true">
        {['relations', 'plans', 'notes', 'retractions'].map(group => (
          <span key={group}>
            <i class={group} />
            {group}
          </span>
        ))}
      </div>
    </Card>
  )
}
