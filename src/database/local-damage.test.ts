import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Plan } from '../sdk.ts'
import { checkAfterFault } from '../test-support/check-after-fault.ts'
import { checkedPlan, type TestClock, testClock } from '../test-support/checked-plan.ts'
import { putTicket, type TemporaryRepository, temporaryRepository } from '../test-support/temporary-repository.ts'
import { connect } from './open.ts'

interface Setting {
  repository: TemporaryRepository
  clock: TestClock
  notices: string[]
  open: () => Plan
}

function withRepository(use: (setting: Setting) => void): void {
  using repository = temporaryRepository()
  for (const id of ['A', 'B', 'C']) putTicket(repository.root, id, { state: 'queued' })
  const clock = testClock()
  const notices: string[] = []
  const open = () => checkedPlan(repository.root, clock, { onNotice: notice => notices.push(notice) })
  use({ repository, clock, notices, open })
}

/** Accepts A in a plan of its own and closes it, so that everything is in the one file. */
function acceptOnce({ open }: Setting): { token: number; decision: string } {
  using plan = open()
  const { claim, decision } = plan.accept({ ticket: 'A', holder: 'pod-1' })
  return { token: claim!.token!, decision: decision!.id }
}

const asideFiles = ({ repository }: Setting) =>
  readdirSync(repository.databaseDir).filter(name => name.startsWith('local.db.damaged'))

/** Expects that the claims are lost, the recorded plan is not, and the next token is higher even under a clock that was set back. */
function checkLost({ clock, repository }: Setting, plan: Plan, old: { token: number; decision: string }): void {
  expect(plan.claims().claims).toEqual([])
  expect(plan.consult('A')).toMatchObject({ verdict: 'accept', claim: null, plan: { decision: old.decision } })
  expect(plan.renew({ ticket: 'A', token: old.token })).toEqual({ refused: 'stale_token', claim: null })
  clock.nowMs -= 86_400_000
  const { claim } = plan.accept({ ticket: 'A', holder: 'pod-2' })
  expect(claim!.token).toBeGreaterThan(old.token)
  checkAfterFault(repository.root, [{ ticket: 'A', decision: old.decision }])
}

/** Damages to the file while no process has it open. */
const damages: [string, (path: string) => void][] = [
  ['overwritten', path => writeFileSync(path, 'no database, but text of some length '.repeat(500))],
  ['zeroed', path => writeFileSync(path, Buffer.alloc(statSync(path).size))],
  [
    'overwritten except for its first page',
    path => {
      const bytes = readFileSync(path)
      writeFileSync(path, bytes.fill(0xa5, 4096))
    },
  ],
  ['truncated after its first page', path => truncateSync(path, 4096)],
  ['truncated within its first page', path => truncateSync(path, 1000)],
]

describe('a local.db that is damaged', () => {
  test.each(damages)('(%s) is set aside with a notice; Tickets are unchanged, and tokens grow', (_, damage) => {
    withRepository(setting => {
      const { repository, notices, open } = setting
      const old = acceptOnce(setting)
      damage(repository.localPath)
      const bytes = readFileSync(repository.localPath)
      using plan = open()
      checkLost(setting, plan, old)
      expect(notices).toEqual([expect.stringContaining('local.db.damaged-1')])
      expect(notices[0]).toMatch(/claims are lost.*Tickets are not affected/)
      expect(asideFiles(setting)).toEqual(['local.db.damaged-1'])
      expect(readFileSync(`${repository.localPath}.damaged-1`)).toEqual(bytes)
    })
  })

  test('a second time is set aside under another name', () => {
    withRepository(setting => {
      const { repository, open } = setting
      for (let times = 1; times <= 3; times++) {
        acceptOnce(setting)
        writeFileSync(repository.localPath, 'x'.repeat(5000))
        using plan = open()
        plan.record({ ticket: 'B', kind: 'note', reason: 'a write that finds the damage' })
        plan.claims()
        expect(asideFiles(setting)).toHaveLength(times)
      }
    })
  })

  test('while a plan has it open is set aside by the next plan that opens it, and the first one switches to the new file', () => {
    withRepository(setting => {
      const { repository, notices, open } = setting
      using first = open()
      const { claim, decision } = first.accept({ ticket: 'A', holder: 'pod-1' })
      const connection = connect(repository.localPath, 'local', 1000)
      connection.pragma('wal_checkpoint(truncate)')
      connection.close()
      writeFileSync(repository.localPath, 'x'.repeat(statSync(repository.localPath).size))
      using second = open()
      expect(second.claims().claims).toEqual([])
      expect(notices).toHaveLength(1)
      checkLost(setting, first, { token: claim!.token!, decision: decision!.id })
      expect(second.claims()).toEqual(first.claims())
      expect(second.accept({ ticket: 'A', holder: 'pod-3' }).accepted).toBe(false)
      expect(notices).toHaveLength(2)
      expect(notices[1]).toMatch(/removed or replaced by another process: its claims are lost/)
    })
  })

  test('only in its log is found by the write that reads the damage, which takes no claim; the next write succeeds', () => {
    withRepository(setting => {
      const { repository, notices, open } = setting
      const old = acceptOnce(setting)
      const connection = connect(repository.localPath, 'local', 1000)
      const page = connection
        .prepare("select rootpage from sqlite_master where name = 'claim_log'")
        .pluck()
        .get() as number
      connection.close()
      const bytes = readFileSync(repository.localPath)
      writeFileSync(repository.localPath, bytes.fill(0xa5, (page - 1) * 4096, page * 4096))
      using plan = open()
      expect(plan.claims().claims).toMatchObject([{ ticket: 'A', token: old.token }])
      expect(() => plan.accept({ ticket: 'B', holder: 'pod-2' })).toThrow(
        expect.objectContaining({ code: 'database', data: expect.objectContaining({ sqliteCode: 'SQLITE_CORRUPT' }) }),
      )
      expect(plan.show('B').decisions).toEqual([])
      expect(notices).toHaveLength(1)
      checkLost(setting, plan, old)
      expect(asideFiles(setting)).toEqual(['local.db.damaged-1'])
    })
  })

  test('is not a file of another program or of a later version: those are not set aside', () => {
    for (const change of ['application_id = 77', 'user_version = 99']) {
      withRepository(setting => {
        const { repository, notices, open } = setting
        acceptOnce(setting)
        const connection = connect(repository.localPath, 'local', 1000)
        connection.pragma(change)
        connection.close()
        using plan = open()
        for (const call of [() => plan.claims(), () => plan.claim({ ticket: 'B', holder: 'pod-1' })])
          expect(call).toThrow(expect.objectContaining({ code: 'database' }))
        expect([notices, asideFiles(setting)]).toEqual([[], []])
        expect(existsSync(repository.localPath)).toBe(true)
      })
    }
  })
})

describe('an index.db that is damaged', () => {
  test('where the integrity check itself fails on it is a mismatch of the index, and local.db is not touched', () => {
    withRepository(setting => {
      const { repository, notices, open } = setting
      const old = acceptOnce(setting)
      const connection = connect(repository.indexPath, 'index', 1000)
      const rootOf = connection.prepare('select rootpage from sqlite_master where name = ?').pluck()
      const page = (rootOf.get('file_decisions_by_kind') as number) - 1
      connection.close()
      const bytes = readFileSync(repository.indexPath)
      // The second byte of a record is the size of its header: 255 is beyond its end.
      const record = page * 4096 + bytes.readUInt16BE(page * 4096 + 8)
      bytes[record + 1] = 255
      writeFileSync(repository.indexPath, bytes)
      using plan = open()
      expect(plan.verify()).toMatchObject({
        ok: false,
        problems: [
          {
            code: 'index_mismatch',
            path: repository.indexPath,
            message: expect.stringMatching(/^SQLite finds it damaged: database disk image is malformed/),
          },
        ],
      })
      expect(plan.claims().claims).toMatchObject([{ ticket: 'A', token: old.token }])
      expect(readdirSync(repository.databaseDir).filter(name => name.includes('repair-lock'))).toEqual([])
      expect(notices).toEqual([])
      expect(plan.verify({ fix: true }).fixed).toEqual([repository.indexPath])
      expect(plan.verify().ok).toBe(true)
    })
  })
})

describe('a local.db that is deleted', () => {
  const remove = (path: string) => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  }

  test('while no process has it open is recreated, with a notice', () => {
    withRepository(setting => {
      const old = acceptOnce(setting)
      remove(setting.repository.localPath)
      using plan = setting.open()
      checkLost(setting, plan, old)
      expect(setting.notices).toEqual([expect.stringContaining('claims are lost')])
    })
  })

  test('while plans have it open is recreated by the next write, for all of them', () => {
    withRepository(setting => {
      const { repository, notices, open } = setting
      using first = open()
      using second = open()
      const { claim, decision } = first.accept({ ticket: 'A', holder: 'pod-1' })
      expect(second.claims().claims).toHaveLength(1)
      remove(repository.localPath)
      checkLost(setting, second, { token: claim!.token!, decision: decision!.id })
      expect(first.claims()).toEqual(second.claims())
      expect(first.accept({ ticket: 'A', holder: 'pod-1', token: claim!.token }).refused).toBe('stale_token')
      expect(notices).toEqual([
        expect.stringMatching(/was deleted and has been recreated: its claims are lost/),
        expect.stringMatching(/removed or replaced by another process: its claims are lost/),
      ])
    })
  })

  test('causes no notice where there was never a claim', () => {
    withRepository(({ repository, notices, open }) => {
      using plan = open()
      plan.record({ ticket: 'A', kind: 'note', reason: 'x' })
      remove(repository.localPath)
      plan.record({ ticket: 'A', kind: 'note', reason: 'y' })
      expect(notices).toEqual([])
    })
  })
})
