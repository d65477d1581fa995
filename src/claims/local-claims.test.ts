import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type LocalDatabase, localDatabase } from '../database/local-database.ts'
import { testClaims } from '../test-support/claims-suite.ts'
import { type ClaimsUnderTest, request, TTL_MS, take } from '../test-support/claims-under-test.ts'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import type { Claims } from './claims.ts'
import type { Moment } from './lease-clock.ts'
import { localClaims } from './local-claims.ts'

const NOON_MS = Date.parse('2026-06-08T12:00:00.000Z')
const DAY_MS = 86_400_000

/** A folder in memory, where there is one: the tests take many thousand small steps. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Creates an empty local.db. */
function createLocal(path: string): LocalDatabase {
  const local = localDatabase(path, 1000)
  local.locked(() => {})
  return local
}

function openLocal(): ClaimsUnderTest {
  const folder = temporaryFolder(MEMORY)
  const path = join(folder.path, 'local.db')
  const [one, two] = [createLocal(path), createLocal(path)]
  const now: Moment = { wallMs: NOON_MS, boot: 'boot-1', tick: 1_000_000 }
  const clock = () => ({ ...now })
  return {
    claims: localClaims(one, clock),
    second: localClaims(two, clock),
    advance(ms) {
      now.wallMs += ms
      now.tick += ms
    },
    setWallClock(byMs) {
      now.wallMs += byMs
    },
    readLog: () =>
      one.read(connection =>
        connection!
          .prepare<[], Awaited<ReturnType<ClaimsUnderTest['readLog']>>[number]>(
            `select action, ticket_id as ticket, holder, previous_holder as previousHolder, reason
              from claim_log order by sequence`,
          )
          .all(),
      ),
    close() {
      one.close()
      two.close()
      folder[Symbol.dispose]()
    },
  }
}

testClaims('claims in local.db', openLocal)

interface Setting {
  claims: Claims
  /** Sets the clocks. */
  at(moment: Moment): void
  /** Removes local.db but not the file of the highest token; or that too. */
  remove(withMark: boolean): void
}

/** Runs a test over an empty local.db, with clocks that the test sets. */
function withClocks(use: (setting: Setting) => void | Promise<void>): () => Promise<void> {
  return async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'local.db')
    let now = later(0)
    const local = createLocal(path)
    await use({
      claims: localClaims(local, () => now),
      at(moment) {
        now = moment
      },
      remove(withMark) {
        for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
        if (withMark) rmSync(join(folder.path, 'fencing-token'))
      },
    })
    local.close()
  }
}

/** Returns a moment after noon, by both clocks of one boot; the clocks can be set apart. */
function later(ms: number, { wallMs = NOON_MS + ms, boot = 'boot-1', tick = 1_000_000 + ms } = {}): Moment {
  return { wallMs, boot, tick }
}

test('a snapshot has no claims while there is no file, and creates none', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'local.db')
  const claims = localClaims(localDatabase(path, 1000), () => later(0))
  expect(claims.snapshot().all(true)).toEqual([])
  expect(existsSync(path)).toBe(false)
})

test('a lease is undone with the transaction that it was taken in', () => {
  using folder = temporaryFolder()
  const local = createLocal(join(folder.path, 'local.db'))
  const claims = localClaims(local, () => later(0))
  const failing = () =>
    local.locked(() => {
      expect(claims.acquire(request()).status).toBe('acquired')
      expect(claims.snapshot().find('A')).toBeDefined()
      throw new RangeError('mine')
    })
  expect(failing).toThrow(RangeError)
  expect(claims.snapshot().all(true)).toEqual([])
  local.close()
})

test(
  'tokens grow where local.db was deleted: by the file beside it, or at least by the clock',
  withClocks(async ({ claims, at, remove }) => {
    at(later(0, { wallMs: NOON_MS + DAY_MS }))
    const first = await take(claims)
    remove(false)
    at(later(1))
    expect((await take(claims)).token).toBe(first.token + 1)
    remove(true)
    at(later(0, { wallMs: NOON_MS + DAY_MS + 2000 }))
    expect((await take(claims)).token).toBe((NOON_MS + DAY_MS) / 1000 + 3)
  }),
)

describe('time', () => {
  test.each([
    -DAY_MS,
    DAY_MS,
    -3 * 365 * DAY_MS,
  ])('a wall clock that is off by %d ms changes nothing within a boot', off =>
    withClocks(async ({ claims, at }) => {
      const { token } = await take(claims)
      const wrong = (ms: number) => later(ms, { wallMs: NOON_MS + off })
      at(wrong(TTL_MS - 1))
      expect(claims.snapshot().find('A')?.live).toBe(true)
      expect(claims.acquire(request({ holder: 'pod-2' })).status).toBe('held')
      expect(claims.renew('A', token).status).toBe('kept')
      at(wrong(2 * TTL_MS - 2))
      expect(claims.snapshot().find('A')?.live).toBe(true)
      at(wrong(2 * TTL_MS - 1))
      expect(claims.snapshot().find('A')).toBeUndefined()
      at(wrong(2 * TTL_MS))
      expect(claims.renew('A', token).status).toBe('stale_token')
      // Under the right time it does not come back.
      at(later(2 * TTL_MS))
      expect(claims.renew('A', token).status).toBe('stale_token')
    })())

  test(
    'after a reboot a lease goes by the wall clock',
    withClocks(async ({ claims, at }) => {
      const { token } = await take(claims)
      const rebooted = (ms: number, tick: number) => later(ms, { boot: 'boot-2', tick })
      at(rebooted(20_000, 5000))
      expect(claims.snapshot().find('A')?.live).toBe(true)
      at(rebooted(TTL_MS, 5000))
      expect(claims.snapshot().find('A')).toBeUndefined()
      at(rebooted(30_000, 6000))
      expect(claims.renew('A', token).status).toBe('kept')
      // Renewed, it goes by the clock of the new boot.
      at(later(0, { boot: 'boot-2', tick: 6000 + TTL_MS - 1 }))
      expect(claims.snapshot().find('A')?.live).toBe(true)
      at(later(0, { boot: 'boot-2', tick: 6000 + TTL_MS }))
      expect(claims.snapshot().find('A')).toBeUndefined()
    }),
  )

  test.each([
    ['another kernel wrote', 'boot-1', 'boot-2'],
    ['a kernel without an id wrote', '', 'boot-1'],
    ['another kernel wrote for one without an id', 'boot-1', ''],
    ['a kernel without an id wrote for itself', '', ''],
    ["a caller's own clock wrote", 'given', 'boot-1'],
  ])('a lease that %s goes by the wall clock alone, however long this machine is up', (_, writer, reader) =>
    withClocks(async ({ claims, at }) => {
      for (const [round, tick] of [0, 5000, 1_000_000, 1_000_000 + TTL_MS / 2, 100 * DAY_MS].entries()) {
        const startedMs = 2 * round * TTL_MS
        const ticket = `T-${round}`
        at(later(startedMs, { boot: writer, tick: 1_000_000 }))
        const { token } = await take(claims, { ticket })
        at(later(startedMs + TTL_MS - 1, { boot: reader, tick }))
        expect(claims.snapshot().find(ticket)?.token).toBe(token)
        expect(claims.acquire(request({ ticket, holder: 'pod-2' })).status).toBe('held')
        at(later(startedMs + TTL_MS, { boot: reader, tick }))
        expect(claims.snapshot().find(ticket)).toBeUndefined()
      }
    })())

  test(
    'a clock since boot that has gone backwards shows a reboot where boots have no id',
    withClocks(async ({ claims, at }) => {
      await take(claims)
      at(later(10_000, { tick: 3000 }))
      expect(claims.snapshot().find('A')?.live).toBe(true)
      at(later(TTL_MS, { tick: 3000 }))
      expect(claims.snapshot().find('A')).toBeUndefined()
    }),
  )

  test(
    "a caller's own clock that goes backwards never revives a lease",
    withClocks(async ({ claims, at }) => {
      const given = (ms: number): Moment => ({ wallMs: NOON_MS + ms, boot: 'given', tick: NOON_MS + ms })
      at(given(0))
      const { token } = await take(claims)
      at(given(TTL_MS))
      // A holder that was refused once stays refused.
      expect(claims.renew('A', token).status).toBe('stale_token')
      at(given(0))
      expect(claims.snapshot().find('A')).toBeUndefined()
      expect(claims.renew('A', token).status).toBe('stale_token')
      at(given(-DAY_MS))
      const taken = await take(claims, { holder: 'pod-2' })
      expect(taken).toMatchObject({ acquired_at: '2026-06-08T12:01:00.000Z', expires_at: '2026-06-08T12:02:00.000Z' })
    }),
  )
})
