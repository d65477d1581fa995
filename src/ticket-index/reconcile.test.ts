import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import { isPlanError } from '../model/errors.ts'
import { openPlan, type Plan } from '../sdk.ts'
import { openStore, type Store } from '../store/store.ts'
import { expectCurrentIndex, waitUntilOld } from '../test-support/index-oracle.ts'
import {
  makeNote,
  makeTicket,
  type TemporaryRepository,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

/** One change of a checkout between two reads. */
type Change = { kind: string; apply(world: World): void }

interface World {
  repo: TemporaryRepository
  /** Two long-running processes with the same index. */
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

/** Removes the file, link or folder at a path. */
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
        world.reopen() // the settings are read when a plan is opened
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
      kind: `process ${which} reads`,
      apply: ({ stores }: World) => stores[which]!.read(() => {}),
    })),
  },
  {
    weight: 2,
    arbitrary: fc.constant({
      kind: 'swap sub and shelf',
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
    arbitrary: fc.boolean().map(rebuild => ({
      kind: `time passes, ${rebuild ? 'rebuild' : 'reconcile'}`,
      apply({ repo, stores }: World) {
        waitUntilOld(repo)
        if (rebuild) stores[0]!.index.rebuild()
        else stores[0]!.index.reconcile()
      },
    })),
  },
)

/** Runs an action that a PlanError may refuse. */
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
      if (checkEvery) expectCurrentIndex(repo, world.stores[position % 2]!)
    }
    for (const store of world.stores) expectCurrentIndex(repo, store)
  } finally {
    for (const store of world.stores) store.close()
    world.plan.close()
  }
}

const changes = fc.array(change, { minLength: 1, maxLength: 25 })
const numRuns = process.env.TICKETPLAN_LONG ? 1000 : 50

describe('a scan', () => {
  it('notices a file that moves to a path which an older snapshot has', () => {
    using repo = temporaryRepository()
    const store = openStore({ root: repo.root, actor: 'tester' })
    const [first, second] = [join(repo.ticketsDir, 'sub', 'A.json'), join(repo.ticketsDir, 'B.json')]
    mkdirSync(join(repo.ticketsDir, 'sub'))
    writeFileSync(first, '{}')
    store.rebuild() // takes the snapshot
    renameSync(first, second)
    store.reconcile()
    renameSync(second, first)
    expectCurrentIndex(repo, store)
    store.close()
  })
})

describe('the index after any sequence of changes', () => {
  it('equals a rebuild and the files, with a read after each change', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(changes, changes => runChanges(changes, true)),
      { numRuns },
    )
  })

  it('equals a rebuild and the files, with one read at the end', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(changes, changes => runChanges(changes, false)),
      { numRuns },
    )
  })
})
