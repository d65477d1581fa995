/** Renders an overview for a terminal, for `overview` and `top`. */
import { count } from '../model/count.ts'
import { escapeText } from '../model/escape-text.ts'
import { focusSection, type Overview, type Section, sectionsOf } from './overview-sections.ts'
import type { Page } from './phrases.ts'
import { type Colour, cut, fittedTable } from './terminal.ts'

interface Screen {
  paint: Page['paint']
  width: number
}

/** Off a terminal, where no width is known. */
const PLAIN_WIDTH = 120
/** How many rows each section has in an answer that is not bounded by a screen. */
const PLAIN_ROWS = 15

/** Returns the overview; with a focus, the relations around that Ticket instead of the lists of the whole plan. */
export function overviewLines(overview: Overview, { paint, width = PLAIN_WIDTH }: Page): string[] {
  const screen: Screen = { paint, width }
  const sections = overview.focus === undefined ? sectionsOf(overview) : [focusSection(overview)]
  const most = overview.focus === undefined ? PLAIN_ROWS : Number.POSITIVE_INFINITY
  return [headLine(overview, screen), ...sections.flatMap(section => ['', ...sectionLines(section, most, screen)])]
}

/** Returns the lines of a screen of that many rows. The last row stays free, so that the terminal does not scroll. */
export function screenLines(overview: Overview, screen: Screen, rows: number): string[] {
  const sections = sectionsOf(overview)
  const sizes = sharesOf(sections, rows - 2)
  const shown = sections.flatMap((section, position) =>
    sizes[position] === 0 ? [] : ['', ...sectionLines(section, sizes[position]!, screen)],
  )
  return [headLine(overview, screen), ...shown].slice(0, Math.max(1, rows - 1))
}

/** Returns how many rows each section has: first one for each while there is room, then one more in turn up to its share. */
function sharesOf(sections: readonly Section[], available: number): number[] {
  let room = available
  const sizes = sections.map(() => {
    if (room < FRAME_ROWS + 1) return 0
    room -= FRAME_ROWS + 1
    return 1
  })
  for (let isGrowing = true; isGrowing && room > 0; ) {
    isGrowing = false
    for (const [position, { rows, share }] of sections.entries()) {
      if (room === 0 || sizes[position] === 0 || sizes[position]! >= Math.min(rows.length, share)) continue
      sizes[position]!++
      room--
      isGrowing = true
    }
  }
  return sizes
}

/** An empty row and the title. */
const FRAME_ROWS = 2

function sectionLines({ title, rows, total }: Section, most: number, { paint, width }: Screen): string[] {
  const shown = rows.slice(0, most)
  const more = total > shown.length ? paint('dim', `  ${shown.length}, and ${total - shown.length} more`) : ''
  return [`${paint('bold', escapeText(title))}${more}`, ...fittedTable(shown, paint, width)]
}

function headLine({ name, counts, attention, left_out: left }: Overview, { paint, width }: Screen): string {
  const wrong = attention.length + (left.attention ?? 0)
  const parts: [Colour, string][] = [
    ['green', `${counts.accept} may run`],
    ['yellow', `${counts.hold} held`],
    ['blue', `${counts.running} running${counts.unclaimed ? `, ${counts.unclaimed} without a claim` : ''}`],
    ['bold', count(counts.conflicts, 'conflict')],
    wrong > 0 ? ['red', `${wrong} to look at`] : ['dim', 'nothing wrong'],
  ]
  return [
    paint('bold', cut(escapeText(name), Math.max(10, width >> 2))),
    ...parts.map(([colour, text]) => paint(colour, text)),
  ].join('  ')
}
