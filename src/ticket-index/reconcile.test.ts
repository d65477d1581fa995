import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeTicket, encodeTicket } from '../model/canonical-json.ts'
import { isPlanError } from '../model/errors.ts'
import { phaseFunction } from '../model/phase.ts'
import type { Ticket } from '../model/ticket.ts'
import { openPlan, type Plan } from '../sdk.ts'
import { openStore, type Store } from '../store/store.ts'
import {
  makeNote,
  makeTicket,
  putTicket,
  type TemporaryRepository,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

/** The Tickets that can be believed, read without any code under test but the codec. */
function ticketsOnDisk(repo: TemporaryRepository): Map<string, { path: string; ticket: Ticket | null }> {
  const files: { path: string; key: string; ticket: Ticket | null }[] = []
  const walk = (folder: string) => {
    for (const name of readdirSync(join(repo.root, folder))) {
      if (name.startsWith('.')) continue
      const path = `${folder}/${name}`
      const stat = lstatSync(join(repo.root, path))
      if (name.endsWith('.json')) {
        let ticket: Ticket | null = null
        try {
          const id = basename(name, '.json')
          if (stat.isFile()) ticket = decodeTicket(readFileSync(join(repo.root, path)), id).ticket
        } catch {}
        files.push({ path, key: name.toLowerCase(), ticket })
      } else if (stat.isDirectory()) walk(path)
    }
  }
  walk('tickets')
  const isAlone = (key: string) => files.filter(file => file.key === key).length === 1
  return new Map(files.map(({ path, key, ticket }) => [path, { path, ticket: isAlone(key) ? ticket : null }] as const))
}

/** What the store answers is what the files say; and the index is what a rebuild would make. */
function expectRight(repo: TemporaryRepository, store: Store): void {
  const files = [...ticketsOnDisk(repo).values()]
  const phaseOf = phaseFunction(store.repository.config.states)
  const answer = store.read(({ queries }) => ({
    tickets: queries
      .allTickets()
      .map(({ id, title, state, phase, path }) => [
        path,
        id,
        title,
        state,
        phase,
        queries.decisionsOf(id).map(decision => decision.id),
      ]),
    quarantined: queries.quarantined().map(({ path }) => path),
  }))
  const tickets = files.flatMap(({ path, ticket }) => {
    if (!ticket) return []
    const decisions = [...ticket.decisions].sort((a, b) => (a.at + a.id < b.at + b.id ? -1 : 1)).map(({ id }) => id)
    return [[path, ticket.id as string, ticket.title, ticket.state, phaseOf(ticket.state), decisions] as const]
  })
  expect(answer.tickets).toEqual(tickets.sort((a, b) => (a[1] < b[1] ? -1 : 1)))
  expect(answer.quarantined).toEqual(files.flatMap(({ path, ticket }) => (ticket ? [] : [path])).sort())
  expect(store.index.findMismatch()).toBeNull()
}

/** A file as young as can be for as long as the test takes. */
function makeYoung(path: string): void {
  const inAnHour = new Date(Date.now() + 3_600_000)
  utimesSync(path, inAnHour, inAnHour)
}

/** Until no file is so young that it is looked at again because of that. */
function waitUntilOld({ ticketsDir }: TemporaryRepository): void {
  const times = readdirSync(ticketsDir, { recursive: true, encoding: 'utf8' }).map(
    path => lstatSync(join(ticketsDir, path)).ctimeMs,
  )
  const oldFrom = Math.max(0, ...times) + 60
  while (Date.now() <= oldFrom);
}

/** One thing that happens to a checkout between two questions. */
type Change = { kind: string; apply(world: World): void }

interface World {
  repo: TemporaryRepository
  /** Two programs with the same index, both open for long. */
  stores: Store[]
  plan: Plan
  reopen(): void
}

const PATHS = ['tickets/A.json', 'tickets/B.json', 'tickets/a.json', 'tickets/sub/A.json', 'tickets/sub/C.json']
const anyPath = fc.constantFrom(...PATHS)
const anyState = fc.constantFrom('open', 'queued', 'in_progress', 'done', 'parked')
const anyTitle = fc.constantFrom('one', 'two', 'six', 'longer title')

function absolute({ repo }: World, path: string): string {
  mkdirSync(join(repo.root, dirname(path)), { recursive: true })
  return join(repo.root, path)
}

/** Removes whatever is there, so that something of another kind can take its place. */
function clear(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ path: anyPath, state: anyState, title: anyTitle }).map(({ path, state, title }) => ({
      kind: `write ${path} ${state} ${title}`,
      apply(world: World) {
        const file = absolute(world, path)
        if (!isFile(file)) clear(file)
        writeFileSync(
          file,
          encodeTicket(makeTicket(basename(path, '.json'), { state, title, decisions: [makeNote('x')] })),
        )
      },
    })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ path: anyPath, restore: fc.boolean(), letter: fc.constantFrom('x', 'y', 'z') })
      .map(({ path, restore, letter }) => ({
        kind: `overwrite ${path} with the same size${restore ? ' and the old time' : ''}: ${letter}`,
        apply(world: World) {
          const file = absolute(world, path)
          if (!isFile(file)) return
          const { atime, mtime } = statSync(file)
          writeFileSync(file, readFileSync(file, 'utf8').replace(/("title": "[^"]*)[^"](")/, `$1${letter}$2`))
          if (restore) utimesSync(file, atime, mtime)
        },
      })),
  },
  {
    weight: 2,
    arbitrary: anyPath.map(path => ({
      kind: `delete ${path}`,
      apply: (world: World) => clear(absolute(world, path)),
    })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ from: anyPath, to: anyPath }).map(({ from, to }) => ({
      kind: `rename ${from} to ${to}`,
      apply(world: World) {
        if (from === to || !existsSync(join(world.repo.root, from))) return
        const target = absolute(world, to)
        clear(target)
        renameSync(join(world.repo.root, from), target)
      },
    })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ path: anyPath, text: fc.constantFrom('', '{"format":1', '<<<<<<< ours\n', '{"id":"Z"}') })
      .map(({ path, text }) => ({
        kind: `make ${path} invalid: ${text}`,
        apply(world: World) {
          const file = absolute(world, path)
          clear(file)
          writeFileSync(file, text)
        },
      })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ path: anyPath, what: fc.constantFrom('link', 'folder') }).map(({ path, what }) => ({
      kind: `put a ${what} at ${path}`,
      apply(world: World) {
        const file = absolute(world, path)
        clear(file)
        if (what === 'folder') mkdirSync(file)
        else symlinkSync(join(world.repo.root, 'tickets/B.json'), file)
      },
    })),
  },
  {
    weight: 1,
    arbitrary: fc.constant({
      kind: 'move sub away and back as sub2',
      apply({ repo }: World) {
        clear(join(repo.ticketsDir, 'sub2'))
        if (existsSync(join(repo.ticketsDir, 'sub')))
          renameSync(join(repo.ticketsDir, 'sub'), join(repo.ticketsDir, 'sub2'))
      },
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('{}', '{"states":{"queued":["open"],"active":["parked"]}}').map(text => ({
      kind: `configure ${text}`,
      apply(world: World) {
        writeFileSync(join(world.repo.root, 'ticketplan.json'), text)
        world.reopen() // settings are read when a plan is opened
      },
    })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({
        ticket: fc.constantFrom('A', 'B', 'C', 'a'),
        other: fc.constantFrom('A', 'B', 'X'),
        kind: fc.constantFrom('blocked_by', 'blocks', 'conflicts_with', 'after'),
      } as const)
      .map(({ ticket, other, kind }) => ({
        kind: `record ${ticket} ${kind} ${other}`,
        apply: ({ plan }: World) => tolerate(() => plan.record({ ticket, kind, other })),
      })),
  },
  {
    weight: 2,
    arbitrary: fc.nat(5).map(which => ({
      kind: `retract decision ${which}`,
      apply: ({ plan }: World) =>
        tolerate(() => {
          const { relations } = plan.relations({ status: 'active' })
          if (relations.length > 0) plan.retract(relations[which % relations.length]!.decision)
        }),
    })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 1).map(which => ({
      kind: `program ${which} asks`,
      apply: ({ stores }: World) => stores[which]!.read(() => {}),
    })),
  },
  {
    weight: 2,
    arbitrary: fc.constant({
      kind: 'exchange sub for the folder on the shelf',
      apply({ repo }: World) {
        const [sub, shelf] = [join(repo.ticketsDir, 'sub'), join(repo.root, 'shelf')]
        for (const folder of [sub, shelf]) mkdirSync(folder, { recursive: true })
        renameSync(sub, `${shelf}2`)
        renameSync(shelf, sub)
        renameSync(`${shelf}2`, shelf)
      },
    }),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map(anew => ({
      kind: `time passes${anew ? ', and the index is made anew' : ''}`,
      apply({ repo, stores }: World) {
        waitUntilOld(repo)
        if (anew) stores[0]!.index.rebuild()
        else stores[0]!.index.reconcile()
      },
    })),
  },
)

/** What cannot be done in the state of things is refused by name, which is right. */
function tolerate(action: () => void): void {
  try {
    action()
  } catch (error) {
    if (!isPlanError(error)) throw error
  }
}

function runChanges(changes: readonly Change[], checkEvery: boolean): void {
  using repo = temporaryRepository()
  const open = () => openStore({ root: repo.root, actor: 'tester' })
  const world: World = {
    repo,
    stores: [open(), open()],
    plan: openPlan({ root: repo.root, actor: 'tester' }),
    reopen() {
      for (const store of world.stores) store.close()
      world.plan.close()
      world.stores = [open(), open()]
      world.plan = openPlan({ root: repo.root, actor: 'tester' })
    },
  }
  try {
    for (const [position, { apply }] of changes.entries()) {
      apply(world)
      if (checkEvery) expectRight(repo, world.stores[position % 2]!)
    }
    for (const store of world.stores) expectRight(repo, store)
  } finally {
    for (const store of world.stores) store.close()
    world.plan.close()
  }
}

const changes = fc.array(change, { minLength: 1, maxLength: 25 })
const numRuns = process.env.TICKETPLAN_LONG ? 1000 : 50

describe('the index after any changes', () => {
  it('equals a rebuild, and the files, when it is asked after each of them', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(changes, changes => runChanges(changes, true)),
      { numRuns },
    )
  })

  it('equals a rebuild, and the files, when it is asked only at the end', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(changes, changes => runChanges(changes, false)),
      { numRuns },
    )
  })
})

describe('changes that stat data hide', () => {
  it('notices other bytes of the same size whose old time was put back', () => {
    using repo = temporaryRepository()
    const path = join(repo.root, putTicket(repo.root, 'A', { title: 'one' }))
    const hourAgo = new Date(Date.now() - 3_600_000)
    utimesSync(path, hourAgo, hourAgo)
    const store = openStore({ root: repo.root })
    const title = () => store.read(({ queries }) => queries.ticket('A')?.title)
    waitUntilOld(repo)
    store.index.rebuild()
    for (const now of ['two', 'six']) {
      writeFileSync(path, encodeTicket(makeTicket('A', { title: now })))
      utimesSync(path, hourAgo, hourAgo)
      expect(title()).toBe(now)
      waitUntilOld(repo)
      expect(title()).toBe(now)
    }
    store.close()
  })

  it('notices a folder that was moved away and back', () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A', {}, 'sub')
    const store = openStore({ root: repo.root })
    waitUntilOld(repo)
    store.index.rebuild()
    const [here, there] = [join(repo.ticketsDir, 'sub'), join(repo.ticketsDir, 'sub2')]
    for (let round = 0; round < 2; round++) {
      renameSync(here, there)
      expectRight(repo, store)
      renameSync(there, here)
      expectRight(repo, store)
    }
    store.close()
  })

  it('notices that the tickets folder was exchanged for another, and back: its files show no trace of that', () => {
    using repo = temporaryRepository()
    for (const id of ['A', 'B']) putTicket(repo.root, id, { title: 'one' })
    const shelf = join(repo.root, 'shelf')
    renameSync(repo.ticketsDir, shelf)
    for (const id of ['A', 'B']) putTicket(repo.root, id, { title: 'two' })
    const store = openStore({ root: repo.root })
    waitUntilOld(repo)
    store.index.rebuild()
    for (let round = 0; round < 4; round++) {
      renameSync(repo.ticketsDir, `${shelf}2`)
      renameSync(shelf, repo.ticketsDir)
      renameSync(`${shelf}2`, shelf)
      expectRight(repo, store)
    }
    store.close()
  })

  it('notices a second write of the same size within one tick of the clock', () => {
    using repo = temporaryRepository()
    const path = join(repo.root, putTicket(repo.root, 'A', { title: 'one' }))
    const store = openStore({ root: repo.root })
    const title = () => store.read(({ queries }) => queries.ticket('A')?.title)
    makeYoung(path)
    expect(title()).toBe('one')
    writeFileSync(path, encodeTicket(makeTicket('A', { title: 'two' })))
    // What a clock of coarse ticks would have left: the stat data are those that the index knows.
    const { mtimeMs, ctimeMs, ino } = statSync(path)
    using index = disposable(new Database(repo.indexPath))
    index.connection.prepare('update files set mtime_ms = ?, ctime_ms = ?, inode = ?').run(mtimeMs, ctimeMs, ino)
    expect(title()).toBe('two')
    store.close()
  })

  it('looks again at a file that was young when it was read, and no more once it is old', () => {
    using repo = temporaryRepository()
    const path = join(repo.root, putTicket(repo.root, 'A'))
    const store = openStore({ root: repo.root })
    makeYoung(path)
    store.read(() => {})
    const racy = () => {
      using index = disposable(new Database(repo.indexPath, { readonly: true }))
      return index.connection.prepare('select racy from files').pluck().get()
    }
    expect(racy()).toBe(1)
    const hourAgo = new Date(Date.now() - 3_600_000)
    utimesSync(path, hourAgo, hourAgo)
    waitUntilOld(repo)
    store.read(() => {})
    expect(racy()).toBe(0)
    store.close()
  })

  it('does not keep two files for doubles of each other when one moved while the index was made anew', () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    putTicket(repo.root, 'A', {}, 'sub')
    const store = openStore({ root: repo.root })
    let moved = false
    // Told after the first file was read, the second not yet: as if the file had moved between listing and reading.
    store.index.rebuild(() => {
      if (!moved) rmSync(join(repo.ticketsDir, 'sub', 'A.json'))
      moved = true
    })
    expect(store.index.peek(queries => queries.quarantined())).toEqual([])
    expect(store.index.findMismatch()).toBeNull()
    expectRight(repo, store)
    store.close()
  })
})

function disposable<T extends { close(): unknown }>(connection: T): { connection: T } & Disposable {
  return { connection, [Symbol.dispose]: () => void connection.close() }
}

describe('an index that is of no use', () => {
  const TITLES = Object.fromEntries(Array.from({ length: 30 }, (_, number) => [`T-${number}`, `title ${number}`]))

  /** A checkout with Tickets and an index that was closed in peace. */
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

  /** True where verify found the index right; in either case every answer is right after `--fix`. */
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

  const anew = /index was damaged and has been made anew/
  it.each<[string, (path: string) => void, RegExp | null]>([
    ['deleted', path => rmSync(path), null],
    ['empty', path => writeFileSync(path, ''), null],
    ['full of zeros', path => overwrite(path, bytes => Buffer.alloc(bytes.length)), anew],
    ['a text', path => writeFileSync(path, 'not a database, whatever its name says\n'.repeat(200)), anew],
    ['cut off within the header', path => overwrite(path, bytes => bytes.subarray(0, 50)), anew],
    ['cut off after two pages', path => overwrite(path, bytes => bytes.subarray(0, 8192)), anew],
    ['without the first of its magic bytes', path => overwrite(path, bytes => bytes.fill(0xff, 0, 1)), anew],
    ['of a page size that cannot be', path => overwrite(path, bytes => bytes.fill(0xff, 16, 18)), anew],
    ['noise after the first page', path => overwrite(path, bytes => bytes.fill(0x55, 4096)), anew],
  ])('is made anew where it is %s', (_, damage, notice) => {
    using repo = plannedRepository()
    damage(repo.indexPath)
    expectAnswersWithNotice(repo, notice)
  })

  it.each<[string, (connection: Database.Database) => void, RegExp]>([
    ['of a later version', connection => connection.pragma('user_version = 99'), /written by a later version/],
    ['of an earlier version', connection => connection.pragma('user_version = 0'), /written by an earlier version/],
    ['of another program', connection => connection.pragma('application_id = 7'), /not one of ticketplan/],
  ])('is made anew where it is %s', (_, edit, notice) => {
    using repo = plannedRepository()
    const connection = new Database(repo.indexPath)
    edit(connection)
    connection.close()
    expectAnswersWithNotice(repo, notice)
  })

  it('is made anew where a foreign database has its name', () => {
    using repo = plannedRepository()
    rmSync(repo.indexPath)
    const connection = new Database(repo.indexPath)
    connection.exec("create table shopping (what text); insert into shopping values ('milk')")
    connection.close()
    expectAnswersWithNotice(repo, /not one of ticketplan/)
  })

  it('is made anew where what belonged to another index lies beside it', () => {
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

  it('a bit that flips, or an end that is cut off, is noticed by verify, which mends it', { timeout: 600_000 }, () => {
    using repo = plannedRepository()
    const good = readFileSync(repo.indexPath)
    const damage = fc.oneof(
      fc.nat(good.length * 8 - 1).map(bit => ({ what: `bit ${bit} flipped`, bit, length: good.length })),
      fc.nat(good.length).map(length => ({ what: `cut off after ${length}`, bit: 0, length })),
    )
    const mends = ({ bit, length }: { bit: number; length: number }) => {
      const bytes = Buffer.from(good.subarray(0, length))
      if (length === good.length) bytes[bit >> 3]! ^= 1 << (bit & 7)
      for (const suffix of ['-wal', '-shm']) rmSync(repo.indexPath + suffix, { force: true })
      writeFileSync(repo.indexPath, bytes)
      verifyAndFix(repo)
    }
    fc.assert(fc.property(damage, mends), { numRuns: process.env.TICKETPLAN_LONG ? 1500 : 60 })
  })

  it('a row that differs from its file is found by verify, and mended', () => {
    using repo = plannedRepository()
    const connection = new Database(repo.indexPath)
    connection.exec("update tickets set title = 'not what the file says' where id = 'T-7'")
    connection.close()
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    expect(plan.verify()).toMatchObject({ ok: false, problems: [{ code: 'index_mismatch' }] })
    expect(plan.verify({ fix: true })).toMatchObject({ ok: true, fixed: [plan.db().path] })
    expect(plan.verify().ok).toBe(true)
  })

  it('a view that is not what it was is found by verify, and mended', () => {
    using repo = plannedRepository()
    const connection = new Database(repo.indexPath)
    connection.exec('drop view blockers; create view blockers as select 1 as ticket_id')
    connection.close()
    expect(verifyAndFix(repo)).toBe(false)
    expect(verifyAndFix(repo)).toBe(true)
  })

  it('an entry of an index within the database that went wrong is found by verify, and mended', () => {
    using repo = plannedRepository()
    const bytes = readFileSync(repo.indexPath)
    // The slug stands in the table and, once more, in the index by slug: the second is changed alone.
    const places: number[] = []
    for (let at = bytes.indexOf('slug-22'); at !== -1; at = bytes.indexOf('slug-22', at + 1)) places.push(at)
    // Some of the places may be bytes that nothing reads any more.
    const found = places.filter(at => {
      const flipped = Buffer.from(bytes)
      flipped.write('slug-2x', at)
      writeFileSync(repo.indexPath, flipped)
      return !verifyAndFix(repo)
    })
    expect(found.length).toBeGreaterThan(1)
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
  it('does not keep a Ticket from being written, and says so', () => {
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
    using again = openPlan({ root: repo.root, actor: 'tester' })
    expect(again.show('A').decisions.map(({ id }) => id)).toEqual([decision.id])
    expect(again.verify().ok).toBe(true)
  })

  it('a Ticket file that cannot be read is not mistaken for it', () => {
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

  it('nor is a damaged local.db: the index stays, and nobody blames it', () => {
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
