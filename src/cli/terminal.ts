/** Formats text for a terminal: colours and aligned columns. */
import stringWidth from 'string-width'
import { escapeText } from '../model/escape-text.ts'
import type { Terminal } from './terminal-of.ts'

/** Latin text: each character takes one column. */
const LATIN = /^[\u0020-\u007e\u00c0-\u024f\u2013\u2014\u2018-\u201d\u2026]*$/

/** Returns how many columns the text takes. Of Latin text without the library, whose Unicode tables take longer than a query. */
export function widthOf(text: string): number {
  return LATIN.test(text) ? text.length : stringWidth(text)
}

export type Colour = 'red' | 'green' | 'yellow' | 'blue' | 'dim' | 'bold'
const CODES: Record<Colour, number> = { red: 31, green: 32, yellow: 33, blue: 34, dim: 2, bold: 1 }

/** Returns a function that colours text; without colours it returns the text unchanged. */
export function painter({ hasColours }: Pick<Terminal, 'hasColours'>): (colour: Colour, text: string) => string {
  return hasColours ? (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m` : (_, text) => text
}

/** Returns a text of several lines in which nothing controls the terminal. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeText).join('\n')
}

/** One cell: its text, already escaped, and its colour. */
export interface Cell {
  text: string
  colour?: Colour
}

/** Returns rows as lines with aligned columns. Only the last column is cut to the width, so ids stay whole. */
export function table(
  rows: Cell[][],
  paint: (colour: Colour, text: string) => string,
  width: number | undefined,
): string[] {
  const widths = columnWidths(rows)
  return rows.map(row => {
    let used = 0
    const parts = row.map(({ text, colour }, column) => {
      const last = column === row.length - 1
      const shown = last && width !== undefined ? cut(text, Math.max(10, width - used)) : text
      const padding = last ? '' : ' '.repeat(widths[column]! - widthOf(shown) + 2)
      used += widths[column]! + 2
      return (colour ? paint(colour, shown) : shown) + padding
    })
    return parts.join('').trimEnd()
  })
}

/** Returns the width of each column: that of its widest cell. */
function columnWidths(rows: readonly Cell[][]): number[] {
  const columns = Math.max(0, ...rows.map(row => row.length))
  return Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map(row => widthOf(row[column]?.text ?? ''))),
  )
}

/** A column that has to shrink keeps at least this width. */
const NARROWEST = 8
/** The last column has this width before another one shrinks. */
const WIDEST_REST = 24

/**
 * Returns rows as lines of at most that width. Each column is as wide as its content. Where they do not fit, the widest columns
 * before the last shrink first.
 */
export function fittedTable(
  rows: readonly Cell[][],
  paint: (colour: Colour, text: string) => string,
  width: number,
): string[] {
  const widths = columnWidths(rows)
  const rest = Math.min(widths.at(-1) ?? 0, WIDEST_REST)
  const before = widths.slice(0, -1)
  const sizes = shrunk(before, width - rest - GAP * before.filter(size => size > 0).length)
  return rows.map(row => {
    let room = width
    let line = ''
    for (const [column, { text, colour }] of row.entries()) {
      const size = sizes[column] ?? room
      if (room <= 1 || size === 0) continue
      const shown = cut(text, Math.min(size, room))
      const end = column === row.length - 1 ? 0 : size - widthOf(shown) + GAP
      line += `${colour && shown !== '' ? paint(colour, shown) : shown}${' '.repeat(Math.max(0, end))}`
      room -= widthOf(shown) + end
    }
    return line.trimEnd()
  })
}

/** Between two columns. */
const GAP = 2

/** Returns widths with at most that sum, as far as they can shrink: all that are wider than one bound are cut to it. */
function shrunk(widths: readonly number[], room: number): number[] {
  const sumAt = (bound: number) => widths.reduce((sum, width) => sum + Math.min(width, bound), 0)
  let bound = Math.max(NARROWEST, ...widths)
  while (bound > NARROWEST && sumAt(bound) > room) bound--
  return widths.map(width => Math.min(width, bound))
}

/** Returns text cut to a number of columns, with an ellipsis if something is missing. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let shown = ''
  let used = 0
  for (const character of text) {
    used += widthOf(character)
    if (used > width - 1) break
    shown += character
  }
  return `${shown.trimEnd()}…`
}
