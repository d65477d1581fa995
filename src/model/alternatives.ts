/** What to write for an unknown name of a short list: the nearest names, and all of them. */
import { didYouMean, nearestNames } from './nearest-names.ts'

/** Returns the end of a message: `; did you mean a? (the fields are a, b)`; `all` is `the fields`. */
export function alternatives(name: string, known: readonly string[], all: string): string {
  const list = `${all} are ${known.join(', ')}`
  const similar = didYouMean(nearestNames(name, known))
  return similar ? `${similar} (${list})` : `; ${list}`
}
