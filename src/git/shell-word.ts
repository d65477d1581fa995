/** Quotes a text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Returns the text as an argument to paste into a shell, quoted only where it has to be. */
export function shellArgument(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : shellWord(text)
}
