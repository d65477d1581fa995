/**
 * Lays out help texts: paragraphs, and names with their explanations in a second column.
 *
 * Pure: the width is an argument, in columns. Help is plain ASCII, so a character is one column. A word longer than the
 * width is never split.
 */

/** Help off a terminal, in docs/cli.md and in the golden file has this width. */
export const DEFAULT_WIDTH = 80
const MIN_WIDTH = 40
const MAX_WIDTH = 100
/** A name wider than this has its explanation on the next line. */
const MAX_NAME_WIDTH = 26
/** If the second column would be narrower than this, every explanation is on the lines below its name. */
const MIN_EXPLANATION_WIDTH = 24

/** Returns the width of help for a terminal of that many columns; undefined means that there is no terminal. */
export function helpWidth(columns: number | undefined): number {
  return Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, columns || DEFAULT_WIDTH))
}

/** Returns text in lines of at most `width` columns. All lines after the first of a paragraph get the indent; indented lines stay as they are. */
export function wrap(text: string, width: number, indent = ''): string[] {
  return text
    .split('\n')
    .flatMap(paragraph => (/^\s/.test(paragraph) ? [paragraph] : wrapLine(paragraph, width, indent)))
}

function wrapLine(paragraph: string, width: number, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of paragraph.split(' ')) {
    if (line.trim() === '') line += word
    else if (line.length + 1 + word.length <= width) line += ` ${word}`
    else {
      lines.push(line)
      line = indent + word
    }
  }
  return [...lines, line]
}

/** Returns names in a first column and their explanations, wrapped, in a second. */
export function twoColumns(rows: readonly (readonly [name: string, explanation: string])[], width: number): string[] {
  const widest = Math.max(0, ...rows.map(([name]) => name.length).filter(length => length <= MAX_NAME_WIDTH))
  const nameWidth = width - widest - 4 < MIN_EXPLANATION_WIDTH ? 0 : widest
  const indent = ' '.repeat(nameWidth === 0 ? 6 : nameWidth + 4)
  return rows.flatMap(([name, explanation]) => {
    const lines = wrap(explanation, width - indent.length).map(line => indent + line)
    if (name.length > nameWidth) return [`  ${name}`, ...lines]
    return [`  ${name}`.padEnd(indent.length) + lines[0]!.slice(indent.length), ...lines.slice(1)]
  })
}
