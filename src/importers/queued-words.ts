/** Which words of a source count as queued: `--queued <label or state>`. Pure. */

/** Returns the first of an item's words that the option names, without regard to case, "-", "_" and spaces. */
export function queuedBy(queued: readonly string[] | undefined, words: readonly string[]): string | undefined {
  const wanted = new Set(queued?.map(word => folded(word.replace(/^(?:label|state):/, ''))))
  return words.find(word => wanted.has(folded(word)))
}

/** Returns a word in the form in which words are compared: without case, "-", "_" and spaces. */
export function folded(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, '')
}
