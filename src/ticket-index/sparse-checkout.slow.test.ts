import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { findRepository } from '../files/repository.ts'
import { encodeTicket } from '../model/canonical-json.ts'
import type { Decision } from '../model/decision.ts'
import { openPlan, type Plan } from '../sdk.ts'
import { initRepository } from '../setup/init.ts'
import { PROGRAMS } from '../test-support/agent-repository.ts'
import { makeNote, makeTicket, putTicket, runGit, temporaryFolder } from '../test-support/temporary-repository.ts'

const notCheckedOut = expect.objectContaining({ code: 'not_checked_out' })
const IDS = ['A', 'B', 'C', 'D', 'E', 'F']

let decisions = 0

function relation(kind: 'blocked_by' | 'conflicts_with' | 'after' | 'part_of', target: string): Decision {
  const id = `01JY${String(++decisions).padStart(22, '0')}`
  return { at: '2026-06-08T11:30:00.000Z', by: 'tester', id, kind, target } as Decision
}

/** Creates a repository "origin" with a Ticket in every state, and a full and a sparse clone of it. */
function threeClones() {
  const folder = temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  runGit(folder.path, 'init', '--quiet', '--template=', '--initial-branch=main', 'origin')
  runGit(at('origin'), 'config', 'uploadpack.allowFilter', 'true')
  runGit(at('origin'), 'config', 'uploadpack.allowAnySHA1InWant', 'true')
  mkdirSync(at('origin/src'))
  writeFileSync(at('origin/src/a'), 'a')
  putTicket(at('origin'), 'A', {
    state: 'in_progress',
    slug: 'first',
    decisions: [makeNote('kept'), relation('conflicts_with', 'B')],
  })
  putTicket(at('origin'), 'B', { state: 'queued', decisions: [relation('blocked_by', 'C')] })
  putTicket(at('origin'), 'C', { state: 'queued', decisions: [relation('after', 'D')] })
  putTicket(at('origin'), 'D', { state: 'done', decisions: [relation('part_of', 'A')] }, 'sub')
  putTicket(at('origin'), 'E', { state: 'queued' }, 'sub')
  writeFileSync(at('origin/tickets/F.json'), '{"broken": "conflicts_with", "target": "E"}')
  commit(at('origin'), 'base')
  for (const name of ['full', 'part']) runGit(folder.path, 'clone', '--quiet', '--template=', 'origin', name)
  return {
    origin: at('origin'),
    full: at('full'),
    part: at('part'),
    folder: folder.path,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

function commit(root: string, message: string): void {
  runGit(root, 'add', '--sparse', '-A')
  runGit(root, 'commit', '--quiet', '-m', message)
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function planOf(root: string): Plan {
  return openPlan({ root, actor: 'tester', now: () => Date.parse('2026-06-09T00:00:00Z') })
}

/** Returns every answer of a plan about every Ticket, and every error, without the root. */
function answersOf(plan: Plan, root: string): unknown {
  const attempt = (action: () => unknown): unknown => {
    try {
      return action()
    } catch (error) {
      return String(error)
    }
  }
  const each = [...IDS, 'first', 'X'].map(ticket => [
    attempt(() => plan.show({ ticket })),
    attempt(() => plan.consult({ ticket })),
    attempt(() => plan.relations({ ticket })),
  ])
  const { tickets, ...verified } = plan.verify({}).checked
  const all = [
    each,
    attempt(() => plan.queue({})),
    attempt(() => plan.brief({})),
    attempt(() => plan.sql({ query: 'select * from tickets' })),
    attempt(() => plan.sql({ query: 'select * from relations order by 1, 2, 3, 4' })),
    attempt(() => plan.sql({ query: 'select path, code, message from quarantine' })),
    [tickets, verified, plan.verify({}).problems],
  ]
  return JSON.parse(JSON.stringify(all).replaceAll(root, '<root>'))
}

/** Leaves the paths out of the work tree, without cone mode. */
function leaveOut(root: string, paths: readonly string[]): void {
  runGit(root, 'sparse-checkout', 'set', '--no-cone', '/*', ...paths.map(path => `!/${path}`))
}

const PATHS = [
  'tickets/A.json',
  'tickets/B.json',
  'tickets/C.json',
  'tickets/sub/D.json',
  'tickets/sub/E.json',
  'tickets/F.json',
]

type Step =
  | { kind: 'leaveOut'; paths: string[] }
  | { kind: 'cone'; folders: string[] }
  | { kind: 'disable' }
  | { kind: 'reopen' }
  | { kind: 'change'; id: number; state: string }
  | { kind: 'remove'; id: number }
  | { kind: 'writeLeftOut'; id: number }

const anyId = fc.nat(IDS.length - 2)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('leaveOut' as const), paths: fc.subarray(PATHS) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('cone' as const), folders: fc.subarray(['src', 'tickets/sub']) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'disable' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      id: anyId,
      state: fc.constantFrom('open', 'queued', 'in_progress', 'done', 'abandoned'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), id: anyId }) },
)

describe('a sparse checkout', () => {
  it('answers like a full one, whatever it leaves out and however both change', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), steps => {
        using clones = threeClones()
        const { origin, full, part } = clones
        let plan = planOf(part)
        let change = 0
        const pull = () => {
          commit(origin, `change ${change++}`)
          for (const root of [full, part]) runGit(root, 'pull', '--quiet', '--ff-only')
        }
        for (const step of steps) {
          if (step.kind === 'leaveOut') leaveOut(part, step.paths)
          if (step.kind === 'cone') runGit(part, 'sparse-checkout', 'set', '--cone', ...step.folders)
          if (step.kind === 'disable') runGit(part, 'sparse-checkout', 'disable')
          if (step.kind === 'reopen') {
            plan.close()
            plan = planOf(part)
          }
          if (step.kind === 'change') {
            const path = PATHS[step.id]!
            writeFileSync(
              join(origin, path),
              encodeTicket(makeTicket(IDS[step.id]!, { state: step.state, title: `t${change}` })),
            )
            pull()
          }
          if (step.kind === 'remove' && existsSync(join(origin, PATHS[step.id]!))) {
            rmSync(join(origin, PATHS[step.id]!))
            pull()
          }
          using fresh = planOf(full)
          expect(answersOf(plan, part)).toEqual(answersOf(fresh, full))
          using other = planOf(part)
          expect(answersOf(other, part)).toEqual(answersOf(fresh, full))
        }
        plan.close()
      }),
      { numRuns: 5 },
    )
  })

  it('refuses to write a Ticket that it leaves out, and names the command that checks it out', () => {
    for (const isCone of [false, true]) {
      using clones = threeClones()
      const { part } = clones
      if (isCone) runGit(part, 'sparse-checkout', 'set', '--cone', 'src')
      else leaveOut(part, ['tickets/B.json', 'tickets/C.json'])
      using plan = planOf(part)
      const writes: [name: string, write: () => unknown][] = [
        ['set', () => plan.set({ ticket: 'B', title: 'other' })],
        ['record', () => plan.record({ ticket: 'B', kind: 'note', reason: 'lost?' } as never)],
        ['accept', () => plan.accept({ ticket: 'C', holder: 'h', force: true, reason: 'r' } as never)],
      ]
      for (const [name, write] of writes) expect(write, name).toThrow(notCheckedOut)
      expect(() => plan.add({ id: 'B', title: 'again' })).toThrow(expect.objectContaining({ code: 'ticket_exists' }))
      expect(() => plan.add({ id: 'b', title: 'again' })).toThrow(expect.objectContaining({ code: 'ticket_exists' }))
      expect(plan.claims({}).claims).toEqual([])
      expect(plan.claim({ ticket: 'C', holder: 'h' })).toMatchObject({ claim: { ticket: 'C' } })
      expect(existsSync(join(part, 'tickets/B.json'))).toBe(false)
      expect(runGit(part, 'status', '--porcelain')).toBe('')

      let message = ''
      try {
        plan.set({ ticket: 'B', title: 'other' })
      } catch (error) {
        message = (error as Error).message
      }
      const command = /run "git (sparse-checkout add [^"]+)"/.exec(message)?.[1]
      expect(command).toBe(`sparse-checkout add ${isCone ? 'tickets' : 'tickets/B.json'}`)
      runGit(part, ...command!.split(' '))
      expect(plan.set({ ticket: 'B', title: 'other' })).toMatchObject({ ticket: { title: 'other' } })
    }
  })

  it('without the tickets folder takes no new Ticket, and init creates nothing that git has', () => {
    using clones = threeClones()
    const { part } = clones
    runGit(part, 'sparse-checkout', 'set', '--cone', 'src')
    using plan = planOf(part)
    expect(() => plan.add({ id: 'NEW', title: 'new' })).toThrow(
      expect.objectContaining({
        code: 'not_checked_out',
        message: expect.stringContaining('"git sparse-checkout add tickets"'),
      }),
    )
    const done = initRepository(findRepository(part), { programs: PROGRAMS })
    expect(done.skipped.map(({ path }) => path)).toEqual(['tickets'])
    expect(plan.init({}).skipped.map(({ path }) => path)).toEqual(['tickets'])
    expect(existsSync(join(part, 'tickets'))).toBe(false)
  })

  it('is followed while a watch is trusted to report every change of a file', async () => {
    using clones = threeClones()
    const { origin, part } = clones
    leaveOut(part, ['tickets/C.json'])
    using plan = planOf(part)
    using _ = plan.watch(() => {}, { checkEveryMs: 60_000 })
    await new Promise(resolve => setTimeout(resolve, 1500)) // until events arrive, and git's index is old enough
    plan.sync({})
    expect(plan.consult({ ticket: 'B' }).reasons.map(({ code }) => code)).toContain('blocked_by')
    writeFileSync(join(origin, 'tickets/C.json'), encodeTicket(makeTicket('C', { state: 'done' })))
    commit(origin, 'C is done')
    runGit(part, 'pull', '--quiet', '--ff-only')
    expect(plan.consult({ ticket: 'B' }).reasons.map(({ code }) => code)).not.toContain('blocked_by')
  })

  it('is followed by a watch even without the tickets folder', async () => {
    using clones = threeClones()
    const { origin, part } = clones
    runGit(part, 'sparse-checkout', 'set', '--cone', 'src')
    using plan = planOf(part)
    const events: string[] = []
    using _ = plan.watch(({ change, ticket }) => events.push(`${change} ${ticket}`), { checkEveryMs: 50 })
    writeFileSync(join(origin, 'tickets/C.json'), encodeTicket(makeTicket('C', { state: 'done' })))
    commit(origin, 'C is done')
    runGit(part, 'pull', '--quiet', '--ff-only')
    await vi.waitFor(() => expect(events).toContain('changed C'), { timeout: 10_000 })
    runGit(part, 'sparse-checkout', 'add', 'tickets')
    plan.set({ ticket: 'E', title: 'written' })
    await vi.waitFor(() => expect(events).toContain('changed E'), { timeout: 10_000 })
  })

  it('is not taken for a file that was deleted, marked as assume-unchanged or left in a merge conflict', () => {
    using clones = threeClones()
    const { part, origin } = clones
    rmSync(join(part, 'tickets/A.json'))
    runGit(part, 'update-index', '--assume-unchanged', 'tickets/B.json')
    leaveOut(part, ['tickets/C.json', 'tickets/sub/E.json'])
    rmSync(join(part, 'tickets/B.json'))
    using plan = planOf(part)
    const ids = () => plan.sql({ query: 'select id from tickets order by id' }).rows.flat()
    expect(ids()).toEqual(['C', 'D', 'E'])
    runGit(part, 'checkout', '--quiet', 'HEAD', '--', 'tickets/A.json')
    writeFileSync(join(origin, 'tickets/C.json'), encodeTicket(makeTicket('C', { title: 'theirs' })))
    commit(origin, 'theirs')
    runGit(part, 'sparse-checkout', 'disable')
    writeFileSync(join(part, 'tickets/C.json'), encodeTicket(makeTicket('C', { title: 'ours' })))
    runGit(part, 'update-index', '--no-assume-unchanged', 'tickets/B.json')
    commit(part, 'ours')
    leaveOut(part, ['tickets/C.json', 'tickets/sub/E.json'])
    expect(ids()).toContain('C')
    expect(() => runGit(part, 'pull', '--quiet', '--no-rebase')).toThrow()
    expect(plan.verify({}).problems.map(({ code, path }) => `${code} ${path}`)).toEqual(
      expect.arrayContaining(['conflict_markers tickets/C.json', 'unmerged tickets/C.json']),
    )
    expect(ids()).not.toContain('C')
  })

  it('quarantines a link and a submodule that it leaves out, as in the work tree', () => {
    using clones = threeClones()
    const { part, full } = clones
    const head = runGit(full, 'rev-parse', 'HEAD').trim()
    symlinkSync('A.json', join(full, 'tickets/L.json'))
    runGit(full, 'add', 'tickets/L.json')
    runGit(full, 'update-index', '--add', '--cacheinfo', `160000,${head},tickets/S.json`)
    runGit(full, 'commit', '--quiet', '-m', 'odd')
    runGit(part, 'pull', '--quiet', full, 'main')
    leaveOut(part, ['tickets/L.json', 'tickets/S.json'])
    runGit(part, 'update-index', '--skip-worktree', 'tickets/S.json')
    rmSync(join(part, 'tickets/S.json'), { recursive: true, force: true })
    using plan = planOf(part)
    expect(plan.sql({ query: 'select path, code from quarantine' }).rows).toEqual([
      ['tickets/F.json', 'schema'],
      ['tickets/L.json', 'symbolic_link'],
      ['tickets/S.json', 'not_a_regular_file'],
    ])
  })

  it('also counts files that a person has marked as skip-worktree', () => {
    using clones = threeClones()
    const { part } = clones
    runGit(part, 'update-index', '--skip-worktree', 'tickets/B.json')
    rmSync(join(part, 'tickets/B.json'))
    using plan = planOf(part)
    expect(plan.show({ ticket: 'B' }).ticket).toMatchObject({ id: 'B', state: 'queued' })
    expect(() => plan.set({ ticket: 'B', title: 'x' })).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('git update-index --no-skip-worktree tickets/B.json'),
      }),
    )
  })

  it('starts git only when its index has changed, and never in a clone that is not sparse', () => {
    using clones = threeClones()
    const { part, full, folder } = clones
    leaveOut(part, ['tickets/B.json'])
    for (const root of [part, full]) {
      sleep(2200) // until git's index is old enough
      if (root === part) {
        using plan = planOf(root)
        plan.sync({})
        utimesSync(join(root, '.git/index'), Date.now() / 1000 - 1.5, Date.now() / 1000 - 1.5) // a change without a change
        sleep(200)
        plan.sync({})
      }
      const path = process.env.PATH
      process.env.PATH = folder
      try {
        using plan = planOf(root)
        expect(plan.show({ ticket: 'B' }).ticket).toMatchObject({ id: 'B' })
      } finally {
        process.env.PATH = path
      }
    }
  })
})

describe('a partial clone', () => {
  it('quarantines a Ticket that it has not fetched, fetches nothing, and reads it once git has it', () => {
    using clones = threeClones()
    const { folder, origin } = clones
    const clone = ['clone', '--quiet', '--template=', '--filter=blob:none', '--sparse', `file://${origin}`, 'partial']
    runGit(folder, ...clone)
    const root = join(folder, 'partial')
    const blob = runGit(root, 'rev-parse', 'HEAD:tickets/B.json').trim()
    const isMissing = () => runGit(root, 'rev-list', '--objects', '--all', '--missing=print').includes(`?${blob}`)
    expect(isMissing()).toBe(true)
    using plan = planOf(root)
    const problem = () => plan.verify({}).problems.find(({ path }) => path === 'tickets/B.json')
    expect(problem()).toMatchObject({
      code: 'not_fetched',
      message: expect.stringContaining('git sparse-checkout add tickets'),
    })
    expect(plan.consult({ ticket: 'B' }).reasons.map(({ code }) => code)).toEqual(['quarantined'])
    expect(() => plan.set({ ticket: 'B', title: 'x' })).toThrow(
      expect.objectContaining({ code: 'invalid_file', data: expect.objectContaining({ refusal: 'not_fetched' }) }),
    )
    expect(() => plan.add({ id: 'B', title: 'x' })).toThrow(expect.objectContaining({ code: 'ticket_exists' }))
    expect(isMissing()).toBe(true)

    runGit(root, 'cat-file', 'blob', blob) // fetches it
    expect(problem()).toBeUndefined()
    expect(plan.show({ ticket: 'B' }).ticket).toMatchObject({ id: 'B', state: 'queued' })
    using other = planOf(root)
    expect(other.show({ ticket: 'B' }).ticket).toMatchObject({ id: 'B', state: 'queued' })
    runGit(root, 'sparse-checkout', 'add', 'tickets')
    expect(plan.sql({ query: "select count(*) from quarantine where code = 'not_fetched'" }).rows).toEqual([[0]])
    expect(readFileSync(join(root, 'tickets/B.json'), 'utf8')).toContain('"B"')
  })

  it('reads an object that comes back alone', () => {
    using clones = threeClones()
    const { part } = clones
    runGit(part, 'sparse-checkout', 'set', '--cone', 'src')
    const bytes = readFileSync(join(clones.full, 'tickets/B.json'))
    runGit(part, 'config', 'core.repositoryFormatVersion', '1')
    runGit(part, 'config', 'extensions.partialClone', 'origin')
    runGit(part, 'config', 'remote.origin.promisor', 'true')
    const blob = runGit(part, 'rev-parse', 'HEAD:tickets/B.json').trim()
    const loose = join(part, '.git/objects', blob.slice(0, 2), blob.slice(2))
    expect(existsSync(loose)).toBe(true)
    rmSync(loose)
    using plan = planOf(part)
    const code = () => plan.sql({ query: "select code from quarantine where path = 'tickets/B.json'" }).rows
    expect(code()).toEqual([['not_fetched']])
    writeFileSync(join(part, 'copy'), bytes)
    runGit(part, 'hash-object', '-w', 'copy')
    expect(code()).toEqual([])
  })
})
