/** The oracle of the history finds each fault that is planted, and none in a good history. */
import { expect, test } from 'vitest'
import { type HistoryLine, historyProblems } from '../test-support/claims-history.ts'

const RULES = { pairs: [['A', 'B']], capacity: 2 } as const

let process = 0

/** A lease from 10 ms after `at`, by a process of its own, until its release or for its time to live. */
function lease(ticket: string, token: number, at: number, releasedAt?: number): HistoryLine[] {
  process++
  const call = { process, ticket }
  return [
    { ...call, operation: 'acquire', at },
    { ...call, operation: 'acquire', at: at + 10, outcome: 'done', token, ttlMs: 1000 },
    ...(releasedAt === undefined
      ? []
      : ([
          { ...call, operation: 'release', at: releasedAt, token },
          { ...call, operation: 'release', at: releasedAt + 10, outcome: 'done', token },
        ] as const)),
  ]
}

const problems = (...leases: HistoryLine[][]) => historyProblems(leases.flat(), RULES)

test('one holder after another is right, by release or by time', () => {
  expect(problems(lease('A', 1, 0, 100), lease('A', 2, 95), lease('A', 3, 1100))).toEqual([])
})

test('two holders of one Ticket are found', () => {
  expect(problems(lease('A', 1, 0), lease('A', 2, 500))).toEqual([expect.stringContaining('two holders')])
})

test('a renewal makes the lease longer', () => {
  const [begin, done] = lease('A', 1, 0) as [HistoryLine, HistoryLine]
  const renewal: HistoryLine[] = [
    { ...begin, operation: 'renew', at: 800, token: 1, ttlMs: 1000 },
    { ...done, operation: 'renew', at: 810 },
  ]
  expect(problems([begin, done], lease('A', 2, 1100))).toEqual([])
  expect(problems([begin, done, ...renewal], lease('A', 2, 1100))).toHaveLength(1)
})

test('a renewal for a shorter time makes it shorter, also where its answer is lost', () => {
  const [begin, done] = lease('A', 1, 0) as [HistoryLine, HistoryLine]
  const renewal: HistoryLine[] = [
    { ...begin, operation: 'renew', at: 100, token: 1, ttlMs: 100 },
    { ...done, operation: 'renew', at: 110, ttlMs: 100 },
  ]
  expect(problems([begin, done, ...renewal], lease('A', 2, 250))).toEqual([])
  expect(problems([begin, done, renewal[0]!], lease('A', 2, 250))).toEqual([])
  expect(problems([begin, done, ...renewal], lease('A', 2, 150))).toHaveLength(1)
})

test('two Tickets in conflict, and too many leases, are found', () => {
  expect(problems(lease('A', 1, 0), lease('B', 2, 500))).toEqual([expect.stringContaining('a conflict')])
  expect(problems(lease('A', 1, 0), lease('C', 2, 20), lease('D', 3, 40))).toEqual([
    expect.stringContaining('3 leases'),
  ])
})

test('a token that does not grow is found, and one of an operation at the same time is none', () => {
  expect(problems(lease('A', 2, 0, 50), lease('C', 1, 70))).toEqual(['token 1 was given after 2'])
  expect(problems(lease('A', 2, 0, 50), lease('C', 1, 5))).toEqual([])
})
