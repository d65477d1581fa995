/**
 * The line of `.gitattributes` that gives Ticket files to the merge driver, and keeps line endings from being converted.
 *
 * Texts are the file's bytes as latin1, so that whatever else a file holds stays as it is. What is put in can be taken out
 * again to the byte: a file without a final line break gets the line without one.
 */

const ATTRIBUTES = 'merge=ticketplan -text'
const OURS = /^("?)\/.*\/\*\*\/\*\.json\1 merge=ticketplan -text$/

/** The line for Ticket files at any depth below the folder, which is given from the root with "/". As latin1, without a line break. */
export function attributesLine(ticketsDir: string): string {
  const escaped = ticketsDir.replace(/[*?[\\]/g, '\\$&')
  const pattern = `/${escaped}/**/*.json`
  // A blank ends a pattern and a quote begins one in C's manner, in which a backslash is doubled.
  const quoted = /[\s"\u0000-\u001f\u007f]/.test(pattern)
    ? `"${pattern.replace(/["\\]|[\u0000-\u001f\u007f]/g, cEscape)}"`
    : pattern
  return Buffer.from(`${quoted} ${ATTRIBUTES}`).toString('latin1')
}

function cEscape(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`
}

/** The text with the line in it: as it is where it stands, in place of one for another folder, or at the end. */
export function withAttributesLine(text: string, line: string): string {
  const lines = text.split('\n')
  if (lines.some(other => withoutReturn(other) === line)) return text
  const first = lines.findIndex(isOurs)
  if (first !== -1)
    return lines.flatMap((other, at) => (at === first ? [line] : isOurs(other) ? [] : [other])).join('\n')
  return text.endsWith('\n') ? `${text}${line}\n` : `${text}\n${line}`
}

/** The text without such lines. */
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
