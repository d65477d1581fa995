import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { localDatabase } from '../database/local-database.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import type { Moment } from './lease-clock.ts'
import { leaseCovers } from './lease-covers.ts'

const NOON: Moment = { wallMs: Date.parse('2026-06-08T12:00:00.000Z'), boot: 'boot-1', tick: 1_000_000 }
const MINUTE_MS = 60_000

/** Two processes of one clone, at noon. */
function openCovers() {
  const folder = temporaryFolder()
  const now = { ...NOON }
  const locals = [1, 2].map(() => localDatabase(join(folder.path, 'local.db'), 1000))
  const [one, two] = locals.map(local => leaseCovers(local, () => ({ ...now })))
  return {
    one: one!,
    two: two!,
    path: join(folder.path, 'fleet-covers.json'),
    advance(ms: number) {
      now.wallMs += ms
      now.tick += ms
    },
    [Symbol.dispose]() {
      for (const local of locals) local.close()
      folder[Symbol.dispose]()
    },
  }
}

test('a cover is found by its token in every process, and is over when the lease may be', () => {
  using covers = openCovers()
  expect(covers.one.find('A', 7)).toBeUndefined()
  covers.one.note('A', 7, MINUTE_MS, NOON)
  covers.one.note('B', 8, 2 * MINUTE_MS, NOON)
  const until = '2026-06-08T12:01:00.000Z'
  expect(covers.two.find('A', 7)).toEqual({ until, isOver: false })
  expect(covers.two.find('A', 6)).toBeUndefined()
  covers.advance(MINUTE_MS)
  expect(covers.two.find('A', 7)).toEqual({ until, isOver: true })
  expect(covers.two.find('B', 8)).toMatchObject({ isOver: false })
  covers.two.note('A', 9, MINUTE_MS, { ...NOON, wallMs: NOON.wallMs + MINUTE_MS, tick: NOON.tick + MINUTE_MS })
  expect(covers.one.find('A', 7)).toBeUndefined()
  expect(covers.one.find('A', 9)).toEqual({ until: '2026-06-08T12:02:00.000Z', isOver: false })
})

test('the covers that were noted last are kept, whatever the ids are', () => {
  using covers = openCovers()
  for (let n = 0; n < 1002; n++) covers.one.note(`${2000 - n}`, n, MINUTE_MS, NOON)
  covers.one.note('1998', 1002, MINUTE_MS, NOON) // the oldest that is left is noted again
  covers.one.note('new', 1003, MINUTE_MS, NOON)
  const found = (ticket: string, token: number) => covers.two.find(ticket, token) !== undefined
  expect([found('2000', 0), found('1999', 1), found('1997', 3)]).toEqual([false, false, false])
  expect([found('1996', 4), found('1998', 1002), found('new', 1003)]).toEqual([true, true, true])
})

test.each([
  '',
  '[["A"',
  '{}',
  'null',
  '\0\0\0',
])('where a power cut left %j there is no cover, and the next is noted', left => {
  using covers = openCovers()
  covers.one.note('A', 1, MINUTE_MS, NOON)
  writeFileSync(covers.path, left)
  expect(covers.two.find('A', 1)).toBeUndefined()
  covers.two.note('A', 2, MINUTE_MS, NOON)
  expect(covers.one.find('A', 2)).toMatchObject({ isOver: false })
})

test('a link is never followed: nothing elsewhere is read or written', () => {
  using covers = openCovers()
  covers.one.note('A', 1, MINUTE_MS, NOON)
  const bytes = readFileSync(covers.path)
  using other = openCovers()
  other.two.noteToken(1)
  symlinkSync(covers.path, `${other.path}.tmp`)
  other.one.note('A', 2, MINUTE_MS, NOON)
  expect(other.one.find('A', 2)).toBeDefined()
  rmSync(other.path)
  symlinkSync(covers.path, other.path)
  expect(planErrorOf(() => other.one.find('A', 1)).code).toBe('unsafe_path')
  expect(planErrorOf(() => other.one.note('A', 2, MINUTE_MS, NOON)).code).toBe('unsafe_path')
  expect(readFileSync(covers.path)).toEqual(bytes)
})
