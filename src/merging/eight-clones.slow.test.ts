import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTime } from 'ulid'
import { expect, test } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import type { Decision } from '../model/decision.ts'
import type { Ticket } from '../model/ticket.ts'
import { openPlan, type Plan } from '../sdk.ts'
import { ATTRIBUTES, git, testDriver, ticketTexts, tryGit } from '../test-support/git-clones.ts'
import { LONG } from '../test-support/proof-numbers.ts'
import { randomNumbers } from '../test-support/random-numbers.ts'
import { NOON_MS } from '../test-support/stamps.ts'
import { putTicket, temporaryFolder } from '../test-support/temporary-repository.ts'

const ROUNDS = LONG ? 200 : 12
const SEED = Number(process.env.TICKETPLAN_SEED ?? Math.floor(Math.random() * 2 ** 31))
const CLONES = 8

/** Everything that a long run must have done at least once. */
const WORK = [
  ...['pull --no-rebase', 'pull --rebase', 'push refused', 'picked', 'popped', 'branch merged', 'squashed'],
  ...['reverted', 'reverted a merge', 'reverted decisions', 'contested'],
]

interface Clone {
  root: string
  plan: Plan
}

/** The random choices, the clock and the record of one run. */
interface World {
  below(bound: number): number
  oneOf<T>(list: readonly T[]): T
  clock: { nowMs: number }
  /** How often each thing was done. */
  counts: Record<string, number>
  count(what: string, times?: number): void
  /** The Ticket of each decision that was reported as recorded. A revert adds ids to `reverted`. */
  acknowledged: Map<string, string>
  reverted: Set<string>
  /** Decisions that a person has changed in their file. */
  edited: Set<string>
  /** Runs git one second later than the last time. */
  run(root: string, ...args: string[]): string
}

function createWorld(seed: number): World {
  const below = randomNumbers(seed)
  const clock = { nowMs: NOON_MS }
  const counts: World['counts'] = {}
  return {
    below,
    oneOf: list => list[below(list.length)]!,
    clock,
    counts,
    count(what, times = 1) {
      counts[what] = (counts[what] ?? 0) + times
    },
    acknowledged: new Map(),
    reverted: new Set(),
    edited: new Set(),
    run(root, ...args) {
      clock.nowMs += 1000
      return git(root, args, { nowMs: clock.nowMs })
    },
  }
}

/** Creates the clones of a repository with four Tickets, all with the merge driver. */
function createClones({ run, clock, below }: World, folder: string): Clone[] {
  const hub = join(folder, 'hub.git')
  mkdirSync(hub)
  run(hub, 'init', '--quiet', '--bare', '--template=', '--initial-branch=main')
  const setUp = (root: string) => {
    run(folder, 'clone', '--quiet', '--template=', hub, root)
    run(root, 'config', 'merge.ticketplan.driver', testDriver())
    run(root, 'config', 'gc.auto', '0')
    run(root, 'config', 'core.fsync', 'none') // nothing crashes here
  }
  const first = join(folder, 'first')
  setUp(first)
  run(first, 'switch', '--quiet', '--orphan', 'main')
  for (const id of ['T-1', 'T-2', 'T-3', 'T-4']) putTicket(first, id, { state: 'queued' })
  writeFileSync(join(first, '.gitattributes'), ATTRIBUTES)
  run(first, 'add', '--all')
  run(first, 'commit', '--quiet', '--message', 'start')
  run(first, 'push', '--quiet', 'origin', 'main')
  const newId = (timeMs: number) =>
    encodeTime(timeMs) + Array.from({ length: 16 }, () => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[below(32)]).join('')
  return Array.from({ length: CLONES }, (_, number): Clone => {
    const root = join(folder, `clone-${number}`)
    setUp(root)
    return { root, plan: openPlan({ root, actor: `clone-${number}`, now: () => clock.nowMs, newId }) }
  })
}

const KINDS = ['note', 'relation', 'relation', 'title', 'state', 'state', 'retract', 'wait', 'by hand', 'add'] as const

/** Records one decision, or changes a field, as a person or an agent does. */
function decide(world: World, { plan, root }: Clone): void {
  const { below, oneOf, acknowledged } = world
  world.clock.nowMs += 1000
  const tickets = [...ticketTexts(root).keys()].map(path => path.slice(0, -'.json'.length))
  const [ticket, other] = [oneOf(tickets), oneOf(tickets)]
  const acknowledge = ({ ticket, decision }: { ticket: string; decision: { id: string } }) => {
    acknowledged.set(decision.id, ticket)
  }
  const kind = oneOf(KINDS)
  world.count(kind)
  switch (kind) {
    case 'note':
      return acknowledge(plan.record({ ticket, kind: 'note', reason: `note ${below(1000)}` }))
    case 'relation':
      if (ticket === other) return
      return acknowledge(plan.record({ ticket, other, kind: oneOf(['after', 'blocks', 'conflicts_with', 'related']) }))
    case 'title':
      return void plan.set({ ticket, title: `Title ${below(5)}` })
    case 'state':
      return void plan.set({ ticket, state: oneOf(['open', 'queued', 'in_progress', 'done']) })
    case 'retract': {
      const { decisions } = plan.show(ticket)
      return decisions.length > 0 ? acknowledge(plan.retract(oneOf(decisions).id)) : undefined
    }
    case 'wait':
      return acknowledge(plan.record({ ticket, kind: 'waiting_for_capacity', reason: 'a slot' }))
    case 'by hand':
      return editByHand(world, root, ticket)
    case 'add': {
      const id = `N-${below(ROUNDS)}`
      if (!tickets.includes(id)) plan.add({ id, title: `New ${id}` })
    }
  }
}

/** Sets a field that this version does not know, and edits the reasons of some decisions. */
function editByHand({ below, edited }: World, root: string, ticket: string): void {
  const known = JSON.parse(ticketTexts(root).get(`${ticket}.json`)!) as Ticket
  const decisions = known.decisions.map(one => {
    if (below(4)) return one
    edited.add(one.id)
    return { ...one, reason: `edited ${below(3)}` }
  })
  writeFileSync(join(root, `tickets/${ticket}.json`), encodeTicket({ ...known, decisions, effort: below(3) }))
}

function decideAndCommit(world: World, clone: Clone): void {
  for (let times = 1 + world.below(3); times > 0; times--) decide(world, clone)
  world.run(clone.root, 'add', '--all')
  // A change may set the value that is there.
  world.run(clone.root, 'commit', '--quiet', '--allow-empty', '--message', 'decide')
}

function decisionsIn(root: string): Map<string, Decision> {
  const tickets = [...ticketTexts(root).values()].map(text => JSON.parse(text) as Ticket)
  return new Map(tickets.flatMap(({ decisions }) => decisions.map(decision => [decision.id, decision])))
}

/**
 * Lists the last commits of a range that only change files that exist here. A file that one side removed and the other changed
 * would be a conflict for a person.
 */
function commits({ run }: World, root: string, ...range: string[]): string[] {
  const options = ['-12', '--first-parent', '--diff-merges=first-parent', '--name-status', '--format=%x00%H']
  return run(root, 'log', ...options, ...range)
    .split('\0')
    .map(entry => entry.split('\n').filter(Boolean))
    .filter(([hash, ...changes]) => {
      const isHere = (change: string) => change.startsWith('M\t') && existsSync(join(root, change.slice(2)))
      return hash && changes.length > 0 && changes.every(isHere)
    })
    .map(([hash]) => hash!)
}

function pull(world: World, { root }: Clone): void {
  const how = world.oneOf(['--no-rebase', '--no-rebase', '--rebase'])
  world.run(root, 'pull', '--quiet', how)
  world.count(`pull ${how}`)
}

function push(world: World, clone: Clone): void {
  for (;;) {
    const { status, output } = tryGit(clone.root, ['push', '--quiet', 'origin', 'main'])
    if (status === 0) return
    if (!/rejected|fetch first/.test(output)) throw new Error(output)
    world.count('push refused')
    pull(world, clone)
  }
}

/** Returns the decisions that a commit added. */
function addedBy({ run }: World, root: string, commit: string): Map<string, Decision> {
  const at = (revision: string, path: string) =>
    (JSON.parse(run(root, 'show', `${revision}:${path}`)) as Ticket).decisions
  const added = new Map<string, Decision>()
  for (const path of run(root, 'diff', '--name-only', `${commit}^1`, commit).split('\n').filter(Boolean)) {
    const before = new Set(at(`${commit}^1`, path).map(({ id }) => id))
    for (const decision of at(commit, path)) if (!before.has(decision.id)) added.set(decision.id, decision)
  }
  return added
}

/** Reverts one of the commits, and checks that exactly the decisions that it added are gone. */
function revert(world: World, root: string, candidates: readonly string[], ...options: string[]): void {
  if (candidates.length === 0) return
  const commit = world.oneOf(candidates)
  const before = decisionsIn(root)
  world.run(root, 'revert', '--no-commit', ...options, commit)
  world.run(root, 'commit', '--quiet', '--allow-empty', '--message', 'revert')
  const after = decisionsIn(root)
  const added = addedBy(world, root, commit)
  for (const [id, { kind }] of before) {
    const text = JSON.stringify(before.get(id))
    // A decision that was changed since stays. So does a losing value, where the winning value has changed since.
    if (after.has(id))
      expect(kind !== 'contested' && JSON.stringify(added.get(id)) === text, `${id} stayed`).toBe(false)
    else expect(added.has(id), `${id} is gone by a revert of ${commit}, which had not added it`).toBe(true)
    if (!after.has(id)) world.reverted.add(id)
  }
  world.count(options.length ? 'reverted a merge' : 'reverted')
}

const ACTIONS: Record<string, (world: World, clone: Clone) => void> = {
  nothing() {},
  pull,
  push,
  'cherry-pick'(world, { root }) {
    world.run(root, 'fetch', '--quiet')
    const candidates = commits(world, root, '--no-merges', 'HEAD..origin/main')
    if (candidates.length === 0) return
    world.run(root, 'cherry-pick', '--allow-empty', '--keep-redundant-commits', world.oneOf(candidates))
    world.count('picked')
  },
  stash(world, clone) {
    const { root } = clone
    decide(world, clone)
    world.run(root, 'add', '--all')
    const { output } = tryGit(root, ['stash', 'push'], { nowMs: world.clock.nowMs })
    if (output.includes('No local changes')) return
    pull(world, clone)
    world.run(root, 'stash', 'pop', '--quiet')
    world.run(root, 'add', '--all')
    world.run(root, 'commit', '--quiet', '--allow-empty', '--message', 'from the stash')
    world.count('popped')
  },
  revert: (world, { root }) => revert(world, root, commits(world, root, '--no-merges', 'HEAD')),
  'revert of a merge': (world, { root }) =>
    revert(world, root, commits(world, root, '--merges', 'HEAD'), '--mainline', '1'),
  'branch and merge'(world, clone) {
    const { root } = clone
    const { run, below } = world
    const depth = Number(run(root, 'rev-list', '--count', '--first-parent', 'HEAD'))
    run(root, 'switch', '--quiet', '--create', 'topic', `HEAD~${below(Math.min(depth, 6))}`)
    decideAndCommit(world, clone)
    run(root, 'switch', '--quiet', 'main')
    const squash = below(2) === 0
    run(root, 'merge', '--quiet', squash ? '--squash' : '--no-ff', 'topic')
    if (squash) run(root, 'commit', '--quiet', '--allow-empty', '--message', 'squashed')
    run(root, 'branch', '--quiet', '--delete', '--force', 'topic')
    world.count(squash ? 'squashed' : 'branch merged')
  },
}

/** Works in eight clones for some rounds, then pushes and pulls everything, and checks that nothing was lost. */
function eightClones(
  folder: string,
  seed: number,
  rounds: number,
): Pick<World, 'counts' | 'edited' | 'reverted'> & { clones: Clone[] } {
  const world = createWorld(seed)
  const { acknowledged, reverted, edited, count, counts } = world
  const clones = createClones(world, folder)
  for (let round = 0; round < rounds; round++) {
    for (const clone of clones) {
      decideAndCommit(world, clone)
      ACTIONS[world.oneOf(Object.keys(ACTIONS))]!(world, clone)
    }
  }
  for (const clone of clones) push(world, clone)
  for (const { root } of clones) world.run(root, 'pull', '--quiet', '--ff-only')

  const present = decisionsIn(clones[0]!.root)
  const lost = [...acknowledged].filter(([id]) => !present.has(id) && !reverted.has(id))
  expect(lost, 'acknowledged, never reverted, and gone').toEqual([])
  count('acknowledged', acknowledged.size)
  count('reverted decisions', reverted.size)
  count('contested', [...present.values()].filter(({ kind }) => kind === 'contested').length)
  return { clones, counts, edited, reverted }
}

test(`eight clones, ${ROUNDS} rounds: no conflict, equal bytes, nothing lost`, {
  timeout: 60_000 + ROUNDS * 15_000,
}, () => {
  using folder = temporaryFolder()
  try {
    const { clones, counts, edited, reverted } = eightClones(folder.path, SEED, ROUNDS)
    const [one, ...others] = clones.map(({ root }) => ticketTexts(root))
    for (const other of others) expect(other).toEqual(one)
    for (const { plan, root } of clones) {
      const start = git(root, ['rev-list', '--max-parents=0', 'HEAD']).trim()
      const { ok, problems } = plan.verify({ since: start })
      // Reported are edits under the same id. So is what a revert dropped where a rebase has merged that revert with other changes:
      // it is the inverse of no ancestor any more.
      const isExplained = (message: string) => {
        const [, commit, how, id] = /^the commit (\w+) (changed|dropped) the decision (\w+) of /.exec(message) ?? []
        if (how === 'changed') return edited.has(id!)
        return how === 'dropped' && reverted.has(id!) && git(root, ['log', '-1', '--format=%s', commit!]) === 'revert\n'
      }
      const errors = problems.filter(({ severity }) => severity === 'error')
      expect(errors.filter(({ message }) => !isExplained(message))).toEqual([])
      expect(ok).toBe(errors.length === 0)
      expect(git(root, ['status', '--porcelain'])).toBe('')
      plan.close()
    }
    if (LONG) for (const what of WORK) expect(counts[what], what).toBeGreaterThan(0)
    if (LONG) console.log(`seed ${SEED}: ${JSON.stringify(counts)}`)
  } catch (error) {
    throw new Error(`with TICKETPLAN_SEED=${SEED}: ${(error as Error).message}`, { cause: error })
  }
})
