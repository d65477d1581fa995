/** Renders the log of decisions and of claims. Text from files is escaped here. */
import type { Decision } from '../model/decision.ts'
import { escapeText } from '../model/escape-text.ts'
import type { OutputOf } from '../sdk.ts'
import { decisionLines, decisionText, type Page, timeText } from './phrases.ts'

type Log = OutputOf<'log'>

export function logLines({ decisions, claims, more }: Log, page: Page): string[] {
  const lines = claims ? claims.map(claimEntryLine) : (decisions ?? []).flatMap(one => decisionEntryLines(one, page))
  if (lines.length === 0) return [claims ? 'no claims' : 'no decisions']
  return more ? [...lines, page.paint('dim', 'there are older entries; --limit <n> lists more')] : lines
}

/** Returns the lines of one decision. */
export function decisionEntryLines(
  { ticket, status, ...decision }: NonNullable<Log['decisions']>[number],
  page: Pick<Page, 'paint'>,
): string[] {
  const { id, at, by } = decision as unknown as Decision
  const text = `${decisionText(decision as unknown as Decision)}  [${by}]${status === 'active' ? '' : `  ${status}`}`
  return decisionLines({ id, status }, `${timeText(at).padEnd(17)}  ${ticket}  `, text, 4, page)
}

function claimEntryLine(entry: NonNullable<Log['claims']>[number]): string {
  const { at, action, ticket, holder, previous_holder: previous, by, reason } = entry
  const what = {
    acquired: `claimed by ${holder}`,
    moved: `moved to ${holder} from ${previous}`,
    taken_over: `taken over by ${holder} from ${previous}, whose claim had expired`,
    released: `released by ${holder}`,
    forced: `the claim of ${holder} was ended by force${by === null ? '' : ` by ${by}`}: ${reason}`,
  }[action]
  return escapeText(`${timeText(at)}  ${ticket}  ${what}`.replace(/\s*\n\s*/g, ' '))
}
