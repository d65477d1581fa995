/** What the parts of `npm run bench` have in common: what each gets, times and medians. */

/** What the benchmark gives to each part of it. */
export interface Bench {
  /** The folder of the built package. */
  dist: string
  cli: string
  sdk: typeof import('../../src/index.ts')
  /** The number of Tickets in the large repository. */
  ticketCount: number
  runs: number
  /** Adds a figure; a limit is one of the ratio. */
  note(what: string, measuredMs: number, floor: string, floorMs: number, limit: number | null): void
}

/** Runs the actions in turns, each once more at first; returns the median time of each in ms. */
export function alternate(times: number, ...actions: (() => unknown)[]): number[] {
  for (const action of actions) action()
  const durations = actions.map((): number[] => [])
  for (let run = 0; run < times; run++)
    for (const [position, action] of actions.entries()) durations[position]!.push(timed(action))
  return durations.map(median)
}

/** Returns the time of a call in ms. */
export function timed(action: () => unknown): number {
  const startedAt = performance.now()
  action()
  return performance.now() - startedAt
}

/** Returns the time in ms until the promise is fulfilled. */
export async function timedAsync(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await action()
  return performance.now() - startedAt
}

/** Returns the median time of 2,000 calls in us, after 500 that do not count. */
export function medianUs(action: () => unknown): number {
  for (let warmUp = 0; warmUp < 500; warmUp++) action()
  return median(Array.from({ length: 2000 }, () => timed(action) * 1000))
}

/** Returns the median; sorts the numbers in place. */
export function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!
}
