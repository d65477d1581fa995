/**
 * Numbers of the tests that `npm run proof` runs in a long form: how often they repeat themselves, and from which seed.
 * Each reports what it did, so that the figures in docs/reliability.md can be made again.
 */
import { appendFileSync } from 'node:fs'

export const LONG = Boolean(process.env.TICKETPLAN_LONG)

/** Returns how often a test repeats itself: TICKETPLAN_COUNT where that is set. */
export function proofCount({ short, long }: { short: number; long: number }): number {
  return Number(process.env.TICKETPLAN_COUNT || (LONG ? long : short))
}

/** Returns the seed of this run: TICKETPLAN_SEED where that is set, a random one in a long run, and else always the same. */
export function proofSeed(): number {
  return Number(process.env.TICKETPLAN_SEED || (LONG ? Math.floor(Math.random() * 2 ** 31) : 1))
}

/** One line of a report: what was counted, how often, and what else was seen on the way. */
export interface ProofLine {
  what: string
  count: number
  seed?: number
  /** Counts of outcomes, which say that the test met more than the easy case. */
  seen?: Record<string, number>
}

/** Appends a line to the file that `npm run proof` reads; without that file it prints the line in a long run. */
export function reportProof(line: ProofLine): void {
  const path = process.env.TICKETPLAN_PROOF_FILE
  if (path) appendFileSync(path, `${JSON.stringify(line)}\n`)
  else if (LONG) console.log(JSON.stringify(line))
}

/** Counts outcomes by name. */
export function tally(): { add(name: string, count?: number): void; counts: Record<string, number> } {
  const counts: Record<string, number> = {}
  return {
    counts,
    add(name, count = 1) {
      counts[name] = (counts[name] ?? 0) + count
    },
  }
}
