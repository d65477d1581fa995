/** A word of a POSIX shell that stands for the text. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
