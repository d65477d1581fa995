/**
 * The line of `.gitattributes` that assigns Ticket files to the merge driver and disables the conversion of line ends.
 *
 * Invariant: adding the line and removing it returns the same bytes; a file without a final line break gets the line without
 * one. Texts are the file's bytes as latin1, so that bytes in any encoding are preserved.
 */

const ATTRIBUTES = 'merge=ticketplan -text'
const OURS = /^("?)\/.*\/\*\*\/\*\.json\1 merge=ticketplan -text$/

/** Returns the line for Ticket files at any depth below a folder (its path from the root, with "/"): latin1, no line break. */
export function attributesLine(ticketsDir: string): string {
  const escaped = ticketsDir.replace(/[*?[\\]/g, '\\$&')
  const pattern = `/${escaped}/**/*.json`
  // A blank ends a pattern. A quote begins a C-style string, in which a backslash is doubled.
  const quoted = /[\s"\u0000-\u001f\u007f]/.test(pattern)
    ? `"${pattern.replace(/["\\]|[\u0000-\u001f\u007f]/g, cEscape)}"`
    : pattern
  return Buffer.from(`${quoted} ${ATTRIBUTES}`).toString('latin1')
}

function cEscape(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`
}

/** Returns the text with the line: where it is already, in place of a line for another folder, or at the end. */
export function withAttributesLine(text: string, line: string): string {
  const lines = text.split('\n')
  if (lines.some(other => withoutReturn(other) === line)) return text
  const first = lines.findIndex(isOurs)
  if (first !== -1)
    return lines.flatMap((other, at) => (at === first ? [line] : isOurs(other) ? [] : [other])).join('\n')
  return text.endsWith('\n') ? `${text}${line}\n` : `${text}\n${line}`
}

/** Returns the text without lines for the merge driver. */
export function withoutAttributesLine(text: string): string {
  return text
    .split('\n')
    .filter(line => !isOurs(line))
    .join('\n')
}

function isOurs(line: string): boolean {
  return OURS.test(withoutReturn(line))
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
