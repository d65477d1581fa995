/** Comments and trailing commas in JSON, as agents' settings may have them. Pure. */

/**
 * Returns a text of the same length in which comments and trailing commas are blanks, so that places in one are places in the
 * other. Line breaks stay. A text without comments and trailing commas is returned as it is.
 */
export function maskJsonc(text: string): string {
  const withoutComments = text.replace(/"(?:[^"\\\n]|\\.)*"|\/\/[^\r\n]*|\/\*[\s\S]*?\*\//g, found =>
    found.startsWith('"') ? found : blank(found),
  )
  return withoutComments.replace(/"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])/g, found => (found === ',' ? ' ' : found))
}

function blank(text: string): string {
  return text.replace(/[^\r\n]/g, ' ')
}
