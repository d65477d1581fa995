import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openPlan } from '../sdk.ts'
import { openStore } from '../store/store.ts'
import { disposable } from '../test-support/index-oracle.ts'
import {
  makeNote,
  putTicket,
  type TemporaryRepository,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

describe('an unusable index', () => {
  const TITLES = Object.fromEntries(Array.from({ length: 30 }, (_, number) => [`T-${number}`, `title ${number}`]))

  /** A checkout with Tickets and an intact, closed index. */
  function plannedRepository(): TemporaryRepository {
    const repo = temporaryRepository()
    for (const [id, title] of Object.entries(TITLES))
      putTicket(repo.root, id, { title, slug: `slug-${id.slice(2)}`, decisions: [makeNote('x')] })
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    plan.rebuild()
    return repo
  }

  function expectAnswersWithNotice(repo: TemporaryRepository, notice: RegExp | null): void {
    const notices: string[] = []
    const store = openStore({ root: repo.root, actor: 'tester', onNotice: notice => notices.push(notice) })
    const titles = () =>
      store.read(({ queries }) => Object.fromEntries(queries.allTickets().map(({ id, title }) => [id, title])))
    expect(titles()).toEqual(TITLES)
    expect(notices).toEqual(notice ? [expect.stringMatching(notice)] : [])
    expect(store.index.inMemory).toBe(false)
    expect(store.index.findMismatch()).toBeNull()
    store.close()
    using again = openPlan({ root: repo.root, actor: 'tester', onNotice: notice => notices.push(notice) })
    expect(again.verify().ok).toBe(true)
    expect(notices).toHaveLength(notice ? 1 : 0)
  }

  /** Returns whether verify found the index correct; checks that every answer is correct after `--fix`. */
  function verifyAndFix(repo: TemporaryRepository): boolean {
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    const { ok, problems } = plan.verify()
    if (!ok) {
      expect(problems).toContainEqual(expect.objectContaining({ code: 'index_mismatch' }))
      expect(plan.verify({ fix: true })).toMatchObject({ ok: true })
    }
    using store = disposable(openStore({ root: repo.root }))
    const answers = store.connection.read(({ queries }) =>
      Object.keys(TITLES).map(id => [queries.ticketsBySlug(`slug-${id.slice(2)}`)[0]?.id, queries.ticket(id)?.title]),
    )
    expect(answers).toEqual(Object.entries(TITLES))
    return ok
  }

  function overwrite(path: string, edit: (bytes: Buffer) => Buffer): void {
    writeFileSync(path, edit(readFileSync(path)))
  }

  const damaged = /^the index .*index\.db was damaged; it was rebuilt from the Ticket files$/
  it.each<[string, (path: string) => void, RegExp | null]>([
    ['deleted', path => rmSync(path), null],
    ['empty', path => writeFileSync(path, ''), null],
    ['full of zeros', path => overwrite(path, bytes => Buffer.alloc(bytes.length)), damaged],
    ['a text file', path => writeFileSync(path, 'not a database\n'.repeat(200)), damaged],
    ['truncated within the header', path => overwrite(path, bytes => bytes.subarray(0, 50)), damaged],
    ['truncated after two pages', path => overwrite(path, bytes => bytes.subarray(0, 8192)), damaged],
    ['without its first magic byte', path => overwrite(path, bytes => bytes.fill(0xff, 0, 1)), damaged],
    ['of an invalid page size', path => overwrite(path, bytes => bytes.fill(0xff, 16, 18)), damaged],
    ['overwritten after the first page', path => overwrite(path, bytes => bytes.fill(0x55, 4096)), damaged],
  ])('is replaced where it is %s', (_, damage, notice) => {
    using repo = plannedRepository()
    damage(repo.indexPath)
    expectAnswersWithNotice(repo, notice)
  })

  it.each<[string, (connection: Database.Database) => void, RegExp]>([
    ['of a later version', connection => connection.pragma('user_version = 99'), /written by a later version/],
    ['of an earlier version', connection => connection.pragma('user_version = 0'), /written by an earlier version/],
    ['of another program', connection => connection.pragma('application_id = 7'), /created by another program/],
  ])('is replaced where it is %s', (_, edit, notice) => {
    using repo = plannedRepository()
    const connection = new Database(repo.indexPath)
    edit(connection)
    connection.close()
    expectAnswersWithNotice(repo, notice)
  })

  it('is replaced where it is a database of another program', () => {
    using repo = plannedRepository()
    rmSync(repo.indexPath)
    const connection = new Database(repo.indexPath)
    connection.exec("create table shopping (what text); insert into shopping values ('milk')")
    connection.close()
    expectAnswersWithNotice(repo, /created by another program/)
  })

  it('is replaced where the write-ahead log of another index is beside it', () => {
    using repo = plannedRepository()
    using other = plannedRepository()
    const connection = new Database(other.indexPath)
    connection.exec("update tickets set title = 'from another index'")
    writeFileSync(`${repo.indexPath}-wal`, readFileSync(`${other.indexPath}-wal`))
    connection.close()
    const store = openStore({ root: repo.root })
    store.read(() => {})
    if (store.index.findMismatch() !== null) store.index.rebuild()
    expect(store.index.findMismatch()).toBeNull()
    store.close()
  })

  it('is found and repaired by verify: a flipped bit, or a truncated file', { timeout: 600_000 }, () => {
    using repo = plannedRepository()
    const good = readFileSync(repo.indexPath)
    const damage = fc.oneof(
      fc.nat(good.length * 8 - 1).map(bit => ({ what: `bit ${bit} flipped`, bit, length: good.length })),
      fc.nat(good.length).map(length => ({ what: `truncated to ${length}`, bit: 0, length })),
    )
    const isRepaired = ({ bit, length }: { bit: number; length: number }) => {
      const bytes = Buffer.from(good.subarray(0, length))
      if (length === good.length) bytes[bit >> 3]! ^= 1 << (bit & 7)
      for (const suffix of ['-wal', '-shm']) rmSync(repo.indexPath + suffix, { force: true })
      writeFileSync(repo.indexPath, bytes)
      verifyAndFix(repo)
    }
    fc.assert(fc.property(damage, isRepaired), { numRuns: process.env.TICKETPLAN_LONG ? 1500 : 60 })
  })

  it('is found and repaired by verify: a row that differs from its file', () => {
    using repo = plannedRepository()
    const connection = new Database(repo.indexPath)
    connection.exec("update tickets set title = 'not what the file says' where id = 'T-7'")
    connection.close()
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    expect(plan.verify()).toMatchObject({ ok: false, problems: [{ code: 'index_mismatch' }] })
    expect(plan.verify({ fix: true })).toMatchObject({ ok: true, fixed: [plan.db().path] })
    expect(plan.verify().ok).toBe(true)
  })

  it('is found and repaired by verify: a view with another definition', () => {
    using repo = plannedRepository()
    const connection = new Database(repo.indexPath)
    connection.exec('drop view blockers; create view blockers as select 1 as ticket_id')
    connection.close()
    expect(verifyAndFix(repo)).toBe(false)
    expect(verifyAndFix(repo)).toBe(true)
  })

  it('is found and repaired by verify: a wrong entry in an index of SQLite', () => {
    using repo = plannedRepository()
    const bytes = readFileSync(repo.indexPath)
    // The table has the slug, and the index by slug has it again: each place is changed alone.
    const places: number[] = []
    for (let at = bytes.indexOf('slug-22'); at !== -1; at = bytes.indexOf('slug-22', at + 1)) places.push(at)
    // Some places may be bytes that are no longer in use.
    const found = places.filter(at => {
      const flipped = Buffer.from(bytes)
      flipped.write('slug-2x', at)
      writeFileSync(repo.indexPath, flipped)
      return !verifyAndFix(repo)
    })
    expect(found.length).toBeGreaterThan(1)
  })

  it('is found and repaired by verify: an entry so damaged that the check of SQLite itself fails', () => {
    using repo = plannedRepository()
    const bytes = readFileSync(repo.indexPath)
    // An entry of the index by slug is a header of 3 bytes (its size, the type of the slug, the type of the row's number), then
    // the slug. 27 is the type of a text of 7 bytes; its highest bit makes the type of the slug a number of two bytes.
    const slug = bytes.indexOf(Buffer.concat([Buffer.from([3, 27, 1]), Buffer.from('slug-22')])) + 3
    expect(slug).toBeGreaterThan(3)
    bytes[slug - 2]! ^= 0x80
    writeFileSync(repo.indexPath, bytes)
    {
      using plan = openPlan({ root: repo.root, actor: 'tester' })
      const [problem] = plan.verify().problems
      expect(problem).toMatchObject({ code: 'index_mismatch', path: repo.indexPath })
      expect(problem!.message).toMatch(/SQLite finds it damaged: database disk image is malformed/)
    }
    verifyAndFix(repo) // a query of the first verify may have replaced the index already
    expect(verifyAndFix(repo)).toBe(true)
  })

  it('may be deleted while a plan has it open', () => {
    using repo = plannedRepository()
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    for (const suffixes of [[''], ['', '-wal'], ['', '-wal', '-shm'], ['-wal', '-shm']]) {
      expect(plan.show('T-1').ticket.title).toBe('title 1')
      for (const suffix of suffixes) rmSync(repo.indexPath + suffix, { force: true })
      expect(plan.show('T-2').ticket.title).toBe('title 2')
      plan.record({ ticket: 'T-3', kind: 'note', reason: `without ${suffixes.join(', ')}` })
      expect(plan.verify().ok, suffixes.join()).toBe(true)
    }
    expect(existsSync(repo.indexPath)).toBe(true)
    using other = openPlan({ root: repo.root, actor: 'tester' })
    expect(other.verify().ok).toBe(true)
    expect(plan.show('T-3').decisions).toHaveLength(5)
  })

  it('that is deleted alone while two plans have it open is opened again, and the disk is not blamed', () => {
    using repo = plannedRepository()
    const notices: string[] = []
    const open = () => openPlan({ root: repo.root, actor: 'tester', onNotice: notice => notices.push(notice) })
    using one = open()
    using two = open()
    for (let round = 0; round < 5; round++) {
      for (const plan of [one, two]) {
        plan.record({ ticket: 'T-3', kind: 'note', reason: `round ${round}` })
        expect(plan.show('T-3').decisions).toEqual((plan === one ? two : one).show('T-3').decisions)
      }
      rmSync(repo.indexPath)
    }
    expect(two.show('T-3').decisions.filter(({ kind }) => kind === 'note').length).toBeGreaterThanOrEqual(10)
    expect(one.verify().ok).toBe(true)
    expect(notices).toEqual([])
  })

  it('may be deleted with its folder while a plan has it open', () => {
    using repo = plannedRepository()
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    plan.record({ ticket: 'T-3', kind: 'note', reason: 'one' })
    rmSync(repo.databaseDir, { recursive: true })
    expect(plan.show('T-3').decisions).toHaveLength(2)
    plan.record({ ticket: 'T-3', kind: 'note', reason: 'two' })
    expect(plan.verify().ok).toBe(true)
  })
})

describe('an index that cannot be written', () => {
  it('does not prevent the write of a Ticket, and is reported', () => {
    using repo = temporaryRepository()
    mkdirSync(repo.indexPath, { recursive: true })
    const notices: string[] = []
    const onNotice = (notice: string) => notices.push(notice)
    using plan = openPlan({ root: repo.root, actor: 'tester', onNotice })
    plan.add({ id: 'A', title: 'x' })
    const { decision } = plan.record({ ticket: 'A', kind: 'note', reason: 'y' })
    expect(plan.show('A').decisions.map(({ id }) => id)).toEqual([decision.id])
    expect(notices).toEqual([expect.stringMatching(/index cannot be written .*into memory/)])
    rmSync(repo.indexPath, { recursive: true })
    expect(plan.show('A').decisions.map(({ id }) => id)).toEqual([decision.id])
    expect(existsSync(repo.indexPath)).toBe(true) // the index in memory was not for good
    using again = openPlan({ root: repo.root, actor: 'tester' })
    expect(again.show('A').decisions.map(({ id }) => id)).toEqual([decision.id])
    expect(again.verify().ok).toBe(true)
  })

  it('is not reported where a Ticket file cannot be read', () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    const notices: string[] = []
    const store = openStore({ root: repo.root, onNotice: notice => notices.push(notice) })
    store.read(() => {})
    rmSync(repo.ticketsDir, { recursive: true })
    expect(() => store.index.reconcile()).toThrow(expect.objectContaining({ code: 'io' }))
    expect(notices).toEqual([])
    expect(store.index.inMemory).toBe(false)
    store.close()
  })

  it('is not reported where local.db is damaged, and the index stays', () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    {
      using plan = openPlan({ root: repo.root, actor: 'tester' })
      plan.record({ ticket: 'A', kind: 'note', reason: 'x' })
    }
    const index = statSync(repo.indexPath).ino
    const bytes = readFileSync(repo.localPath)
    for (const from of [0, 4096]) {
      writeFileSync(repo.localPath, Buffer.from(bytes).fill(0x55, from))
      const notices: string[] = []
      using plan = openPlan({ root: repo.root, actor: 'tester', onNotice: notice => notices.push(notice) })
      try {
        expect(plan.queue().problems).toEqual([])
      } catch (error) {
        expect(error).toMatchObject({ code: 'database', data: { path: repo.localPath } })
      }
      expect(notices.filter(notice => notice.includes('the index'))).toEqual([])
      expect(statSync(repo.indexPath).ino).toBe(index)
    }
  })
})
