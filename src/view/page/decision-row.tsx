/** One decision in a list: when, who, what. */
import type { Overview } from '../../operations/overview-shape.ts'
import { cleanText, clockText, dayText, kindText, momentText } from '../drawing/words.ts'
import type { Context } from './context.ts'
import { Said, TicketLink } from './pieces.tsx'

type Decision = Overview['decisions'][number]

const NO_TIME = '1970-01-01T00:00:00.000Z'
const RECENT_MS = 20 * 3_600_000

interface RowProps {
  context: Context
  decision: Decision
  /** The decision above: one by the same author at nearly the same time does not repeat them. */
  above: Decision | undefined
  isLong?: boolean
}

export function DecisionRow({ context, decision, above, isLong }: RowProps) {
  const { ticket, kind, other, by, at, text, status } = decision
  const isOff = status === 'retracted' || status === 'superseded'
  const isSame = above?.by === by && Math.abs(Date.parse(above.at) - Date.parse(at)) < 90_000
  const verb = <span class="verb">{kindText(kind)}</span>
  return (
    <li class={`decision ${kind}${isOff ? ' off' : ''}${isSame ? ' same' : ''}`}>
      <time dateTime={at} title={momentText(Date.parse(at))}>
        {timeText(at, context.nowMs, isLong)}
      </time>
      <span class="who">{cleanText(by)}</span>
      <span class="did">
        {kind === 'accepted_plan' && verb} <TicketLink context={context} id={ticket} />{' '}
        {kind !== 'accepted_plan' && verb}
        {other !== null && (
          <>
            {' '}
            <TicketLink context={context} id={other} />
          </>
        )}
        {isOff && <span class="tag">{status}</span>}
        {text !== null && (
          <span class="quote">
            <Said>{text}</Said>
          </span>
        )}
      </span>
    </li>
  )
}

function timeText(at: string, nowMs: number, isLong = false): string {
  if (at === NO_TIME) return 'a merge'
  const time = Date.parse(at)
  if (nowMs - time < RECENT_MS) return clockText(time)
  return isLong ? momentText(time) : dayText(time)
}
