/** `verify --since` on histories made by real git: what it must report, and what it must not. */
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Decision } from '../model/decision.ts'
import type { Ticket } from '../model/ticket.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import {
  all,
  BASE,
  BOTH,
  type Change,
  commit,
  diverged,
  FILE,
  note,
  OURS,
  put,
  type Setting,
  THEIRS,
  text,
} from '../test-support/diverged.ts'
import { git, tryGit, unmerged } from '../test-support/git-clones.ts'
import { LONG } from '../test-support/proof-numbers.ts'
import { errorOf, jsonOf, runCli } from '../test-support/run-cli.ts'
import { temporaryFolder } from '../test-support/temporary-repository.ts'

const remove =
  (path = FILE): Change =>
  root =>
    rmSync(join(root, path))
const move =
  (folder: string): Change =>
  root => {
    mkdirSync(join(root, 'tickets', folder), { recursive: true })
    renameSync(join(root, FILE), join(root, 'tickets', folder, 'T-1.json'))
  }

/** Returns the first commit. */
const start = (root: string) => git(root, ['rev-list', '--max-parents=0', 'HEAD']).trim().split('\n').at(-1)!
const revision = (root: string, name: string) => git(root, ['rev-parse', name]).trim()

/** Returns the losses that `verify --since` reports for the merges since the first commit. */
function losses(root: string, since = start(root)) {
  using plan = checkedPlan(root)
  return plan.verify({ since }).problems.filter(({ code }) => code === 'lost_in_merge')
}

/** Merges `theirs` with a result made by hand: the work tree after the change. */
function mergeBy(root: string, change: Change, ...branches: string[]): void {
  tryGit(root, ['merge', '--no-commit', '--no-ff', '--strategy=ours', ...(branches.length ? branches : ['theirs'])])
  commit(root, change)
}

const ids = (found: { message: string }[]) =>
  found.map(({ message }) => /decision (\w+)|Ticket (\S+),/.exec(message)?.slice(1).join(''))

describe('reported', () => {
  test('a decision of theirs, dropped by "-s ours": the message, the exit status, and how to see it', async () => {
    using repo = diverged()
    const { root } = repo
    git(root, ['merge', '--quiet', '--strategy=ours', 'theirs'])
    const run = await runCli(root, ['verify', '--json', '--since', start(root)])
    expect(run).toMatchObject({ status: 4, stderr: '' })
    const [merge, parent] = [revision(root, 'HEAD'), revision(root, 'theirs')].map(commit => commit.slice(0, 10))
    expect(jsonOf(run)).toEqual({
      ok: false,
      problems: [
        {
          code: 'lost_in_merge',
          path: FILE,
          severity: 'error',
          message: `the merge ${merge} dropped the decision ${note(2).id} of T-1, which its parent ${parent} has; see git show ${parent}:${FILE}`,
        },
      ],
      fixed: [],
      checked: { tickets: 1, decisions: 2, merges: 1 },
    })
    const command = /see git (show \S+)$/.exec(
      jsonOf<{ problems: { message: string }[] }>(run).problems[0]!.message,
    )![1]!
    expect(git(root, command.split(' '))).toContain(note(2).id)
    expect((await runCli(root, ['verify', '--since', start(root)])).stdout).toContain(
      `dropped the decision ${note(2).id}`,
    )
  })

  test.each<[string, Change, string[]]>([
    ['a hand-made merge that keeps neither', put({ decisions: [note(0)] }), [note(1).id, note(2).id]],
    ['one that drops what the common version had', put({ decisions: [note(1), note(2)] }), [note(0).id]],
    ['one that deletes the Ticket', remove(), [note(0).id, note(1).id, note(2).id]],
    ['one with a file that cannot be read', text('{ "id": "T-1" '), [note(0).id, note(1).id, note(2).id]],
  ])('%s', (_, change, lost) => {
    using repo = diverged()
    mergeBy(repo.root, change)
    expect(ids(losses(repo.root)).sort()).toEqual(lost)
  })

  test.each([
    ['--ours', note(2).id],
    ['--theirs', note(1).id],
  ])('a conflict that was ended with "git checkout %s"', (side, lost) => {
    using repo = diverged({ driver: null })
    expect(tryGit(repo.root, ['merge', 'theirs']).status).toBe(1)
    git(repo.root, ['checkout', '--quiet', side, FILE])
    git(repo.root, ['commit', '--quiet', '--all', '--no-edit'])
    expect(ids(losses(repo.root))).toEqual([lost])
  })

  test('a whole Ticket, with decisions or without', () => {
    using repo = diverged({ theirs: all(put({}, 'T-2'), put({ decisions: [note(3)] }, 'T-3')) })
    git(repo.root, ['merge', '--quiet', '--strategy=ours', 'theirs'])
    expect(ids(losses(repo.root)).sort()).toEqual([note(3).id, 'T-2'])
  })

  test('a decision that was added to a Ticket which the other branch deleted, where the deletion won', () => {
    using repo = diverged({ ours: remove() })
    mergeBy(repo.root, () => {})
    expect(ids(losses(repo.root))).toEqual([note(2).id])
  })

  test('by an octopus merge', () => {
    using repo = diverged()
    const { root } = repo
    git(root, ['switch', '--quiet', '--create', 'third', 'main~1'])
    commit(root, put({ decisions: [note(0), note(3)] }))
    git(root, ['switch', '--quiet', 'main'])
    mergeBy(root, put({ decisions: [note(0), note(1), note(2)] }), 'theirs', 'third')
    expect(git(root, ['rev-list', '--parents', '-1', 'HEAD']).trim().split(' ')).toHaveLength(4)
    expect(ids(losses(root))).toEqual([note(3).id])
  })

  test('from a folder whose name a shell would take apart: the command can be pasted', () => {
    const folder = "tickets/it's 2026"
    using repo = diverged({ theirs: put(THEIRS, 'T-1', "it's 2026"), ours: put({}, 'T-2'), base: put({}, 'T-3') })
    git(repo.root, ['merge', '--quiet', '--strategy=ours', 'theirs'])
    const parent = revision(repo.root, 'theirs').slice(0, 10)
    for (const { path, message } of losses(repo.root)) {
      expect(path).toBe(`${folder}/T-1.json`)
      expect(message).toContain(`see git show '${parent}:tickets/it'\\''s 2026/T-1.json'`)
    }
    expect(losses(repo.root)).toHaveLength(2)
  })

  test('of a Ticket that moved: at the path where the parent has it', () => {
    using repo = diverged({ theirs: all(put(THEIRS), move('deep')) })
    mergeBy(repo.root, all(put(OURS), move('other')))
    const [loss, ...more] = losses(repo.root)
    expect(more).toEqual([])
    expect(
      git(repo.root, [/see git (\S+) (\S+)$/.exec(loss!.message)![1]!, /(\S+)$/.exec(loss!.message)![1]!]),
    ).toContain(note(2).id)
  })

  test('by a merge of branches that had merged each other before', () => {
    using repo = diverged()
    const { root } = repo
    crissCross(root)
    commit(root, put({ ...BOTH, decisions: [...BOTH.decisions!, note(4)] }))
    git(root, ['switch', '--quiet', 'one'])
    mergeBy(root, () => {}, 'other')
    expect(ids(losses(root))).toEqual([note(4).id])
  })

  test('by a merge that a forge makes: trees merged without a work tree', () => {
    using repo = diverged({ driver: null })
    const { root } = repo
    const tree = revision(root, 'main^{tree}')
    const merge = git(root, ['commit-tree', tree, '-p', 'main', '-p', 'theirs', '-m', 'Merge pull request']).trim()
    git(root, ['reset', '--quiet', '--hard', merge])
    expect(ids(losses(root))).toEqual([note(2).id])
  })

  test('by an old merge, whose branch was merged again later; and only once', () => {
    using repo = diverged()
    const { root } = repo
    git(root, ['merge', '--quiet', '--strategy=ours', 'theirs'])
    git(root, ['switch', '--quiet', 'theirs'])
    commit(root, text('later', 'other.txt'))
    git(root, ['switch', '--quiet', 'main'])
    git(root, ['merge', '--quiet', 'theirs'])
    expect(ids(losses(root))).toEqual([note(2).id])
    expect(losses(root, 'HEAD~1')).toEqual([])
  })
})

/** Creates the branches `one` (main, merged with theirs) and `other` (theirs, merged with main); ends on `other`. */
function crissCross(root: string): void {
  git(root, ['branch', 'one'])
  git(root, ['branch', 'other', 'theirs'])
  for (const [branch, side] of [
    ['one', 'theirs'],
    ['other', 'main'],
  ] as const) {
    git(root, ['switch', '--quiet', branch])
    git(root, ['merge', '--quiet', side])
  }
  expect(git(root, ['merge-base', '--all', 'one', 'other']).trim().split('\n')).toHaveLength(2)
}

describe('not reported', () => {
  const retraction: Decision = { ...note(9), kind: 'retraction', retracts: note(2).id }

  test.each<[string, Setting, ((root: string) => void)?]>([
    ['a merge that the driver made', {}],
    ['reverted on a branch before the merge', { ours: put({ decisions: [note(1)] }) }],
    [
      'retracted by the other side, and dropped',
      {},
      root => mergeBy(root, put({ decisions: [note(0), note(1), retraction] })),
    ],
    [
      'moved to a deeper folder by one side',
      { theirs: all(put(THEIRS), move('deep')) },
      root => mergeBy(root, all(put(BOTH), move('deep'))),
    ],
    ['deleted by one side, unchanged on the other', { ours: remove(), theirs: put({}, 'T-2') }],
    [
      'deleted by one side, moved by the other',
      { ours: remove(), theirs: move('deep') },
      root => mergeBy(root, () => {}),
    ],
    ['without decisions, and deleted by one side', { base: put({}), ours: remove(), theirs: put({}, 'T-2') }],
    [
      'a fast-forward',
      {},
      root =>
        git(root, ['reset', '--quiet', '--hard', 'main~1']) && git(root, ['merge', '--quiet', '--ff-only', 'theirs']),
    ],
    [
      'a cherry-pick and a rebase',
      {},
      root => git(root, ['cherry-pick', 'theirs']) && git(root, ['rebase', '--quiet', 'theirs']),
    ],
    ['criss-cross merges', {}, crissCross],
  ])('%s', (_, setting, work = root => git(root, ['merge', '--quiet', 'theirs'])) => {
    using repo = diverged(setting)
    work(repo.root)
    expect(losses(repo.root)).toEqual([])
  })

  test('restored later, even in another folder', () => {
    using repo = diverged()
    git(repo.root, ['merge', '--quiet', '--strategy=ours', 'theirs'])
    expect(losses(repo.root)).toHaveLength(1)
    commit(repo.root, all(put(BOTH), move('deep')))
    expect(losses(repo.root)).toEqual([])
  })

  test('reverted by one of the branches of an octopus merge that share it', () => {
    using repo = diverged({ base: () => {}, ours: () => {}, theirs: put({ decisions: [note(1), note(2)] }) })
    const { root } = repo
    git(root, ['switch', '--quiet', '--create', 'third', 'theirs'])
    commit(root, put({ decisions: [note(2)] }))
    git(root, ['switch', '--quiet', 'theirs'])
    commit(root, text('x', 'other.txt'))
    git(root, ['switch', '--quiet', 'main'])
    mergeBy(root, all(put({ decisions: [note(2)] }), text('x', 'other.txt')), 'theirs', 'third')
    expect(losses(root)).toEqual([])
  })

  test('a merge that was committed with its markers: both sides are there, and "verify" names the file', () => {
    using repo = diverged({ driver: null })
    expect(tryGit(repo.root, ['merge', 'theirs']).status).toBe(1)
    commit(repo.root, () => {})
    expect(losses(repo.root)).toEqual([])
    using plan = checkedPlan(repo.root)
    expect(plan.verify({ since: start(repo.root) }).problems.map(({ code }) => code)).toEqual(['conflict_markers'])
  })

  test('a merge by "git merge-tree", as forges do it', () => {
    using repo = diverged({ theirs: put(THEIRS, 'T-2') })
    const { root } = repo
    const tree = git(root, ['merge-tree', '--write-tree', 'main', 'theirs']).trim()
    const merge = git(root, ['commit-tree', tree, '-p', 'main', '-p', 'theirs', '-m', 'Merge']).trim()
    git(root, ['reset', '--quiet', '--hard', merge])
    expect(unmerged(root)).toEqual([])
    expect(losses(root)).toEqual([])
  })
})

describe('what cannot be checked', () => {
  test.each([
    '--help',
    '-x',
    '',
    'no-such-branch',
    'HEAD:tickets/T-1.json',
    'main..theirs',
    '^main',
    '0000000000000000000000000000000000000000',
    'main\n--all',
  ])('the revision %j is refused, and nothing is repaired', async since => {
    using repo = diverged()
    text(`\n${readFileSync(join(repo.root, FILE), 'utf8')}`)(repo.root)
    const before = readFileSync(join(repo.root, FILE), 'utf8')
    const run = await runCli(repo.root, ['verify', '--fix', '--json', `--since=${since}`])
    expect(run).toMatchObject({ status: 2, stdout: '' })
    expect(errorOf(run)).toMatchObject({
      code: 'invalid_input',
      field: 'since',
      message: expect.stringContaining('since'),
    })
    expect(readFileSync(join(repo.root, FILE), 'utf8')).toBe(before)
  })

  test.each([
    ['theirs', false],
    ['v1', true],
    ['HEAD~1', true],
    ['@', true],
  ])('the revision %s is one', (since, ok) => {
    using repo = diverged()
    git(repo.root, ['tag', '--annotate', '--message', 'one', 'v1', 'main~1'])
    using plan = checkedPlan(repo.root)
    // HEAD has not merged "theirs", so it lacks the decision of that branch.
    expect(plan.verify({ since })).toMatchObject({ ok, checked: { merges: 0 } })
  })

  test('together with --staged', async () => {
    using repo = diverged()
    const run = await runCli(repo.root, ['verify', '--staged', '--since', 'main', '--json'])
    expect(run.status).toBe(2)
    expect(errorOf(run)).toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('give only one of them'),
    })
  })

  test('outside git, and before the first commit', async () => {
    using folder = temporaryFolder()
    put(BASE)(folder.path)
    const run = () => runCli(folder.path, ['verify', '--since', 'HEAD', '--json'])
    const outside = await run()
    expect(outside.status).toBe(1)
    expect(errorOf(outside)).toMatchObject({
      code: 'no_git',
      message: expect.stringContaining('not in a git repository'),
    })
    git(folder.path, ['init', '--quiet'])
    const unborn = await run()
    expect(unborn.status).toBe(2)
    expect(errorOf(unborn)).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('"HEAD"') })
  })

  test('a shallow clone: an error that says what to do, where the merge itself is cut off, its past, or the revision', async () => {
    using repo = diverged()
    const { root } = repo
    const first = start(root)
    git(root, ['merge', '--quiet', '--strategy=ours', 'theirs'])
    commit(root, text('later', 'other.txt'))
    for (const depth of ['1', '2', '3', '4']) {
      const clone = join(root, '..', `clone-${depth}`)
      git(root, ['clone', '--quiet', '--no-local', '--depth', depth, `file://${root}`, clone])
      // As a workflow does that fetches the two ends of a pull request.
      if (depth === '2') git(clone, ['fetch', '--quiet', '--depth', '1', 'origin', revision(root, 'main~2')])
      const since = depth === '2' ? 'FETCH_HEAD' : first
      const run = await runCli(clone, ['verify', '--json', '--since', since])
      if (depth === '4') {
        expect(ids(jsonOf<{ problems: { message: string }[] }>(run).problems)).toEqual([note(2).id])
        continue
      }
      expect([1, 2], `${depth}: ${run.stdout}`).toContain(run.status)
      expect(errorOf(run).message).toContain('git fetch --unshallow')
      git(clone, ['fetch', '--quiet', '--unshallow'])
      expect(losses(clone, first)).toHaveLength(1)
    }
  })

  test('the message of a shallow clone whose revision is there', async () => {
    using repo = diverged()
    const { root } = repo
    git(root, ['merge', '--quiet', '--strategy=ours', 'theirs'])
    const clone = join(root, '..', 'clone')
    git(root, ['clone', '--quiet', '--no-local', '--depth', '1', `file://${root}`, clone])
    git(clone, ['fetch', '--quiet', '--depth', '1', 'origin', start(root)])
    const run = await runCli(clone, ['verify', '--json', '--since', 'FETCH_HEAD'])
    expect(run.status).toBe(1)
    expect(errorOf(run)).toMatchObject({
      code: 'git_failed',
      message: expect.stringContaining('git fetch --unshallow'),
    })
  })
})

test(`${LONG ? 500 : 10} merges, each of 20 Tickets that both sides changed`, { timeout: 300_000 }, () => {
  const merges = LONG ? 500 : 10
  using folder = temporaryFolder()
  const root = folder.path
  git(root, ['init', '--quiet', '--initial-branch=main'])
  const tickets = Array.from({ length: 20 }, (_, n) => `T-${n}`)
  const decision = (round: number, ticket: number, side: number): Decision => ({
    ...note(0),
    id: `01JX8Z3V7Q4T9K2M${String(round).padStart(4, '0')}${String(ticket).padStart(4, '0')}0${side}`,
  })
  const write = (round: number, sides: number[]) =>
    tickets.forEach((id, ticket) => {
      const decisions: Ticket['decisions'] = [decision(0, ticket, 0)]
      if (round > 0) for (const side of sides) decisions.push(decision(round, ticket, side))
      put({ decisions }, id)(root)
    })
  write(0, [])
  git(root, ['add', '--all'])
  git(root, ['commit', '--quiet', '--message', 'first'])
  const trees = (round: number, sides: number[]) => {
    write(round, sides)
    git(root, ['add', '--all'])
    return git(root, ['write-tree']).trim()
  }
  const first = start(root)
  let tip = first
  for (let round = 1; round <= merges; round++) {
    const make = (sides: number[], ...parents: string[]) =>
      git(root, ['commit-tree', trees(round, sides), ...parents.flatMap(parent => ['-p', parent]), '-m', 'm']).trim()
    const [ours, theirs] = [make([1], tip), make([2], tip)]
    tip = make(round === 7 ? [1] : [1, 2], ours, theirs)
  }
  git(root, ['reset', '--quiet', '--hard', tip])
  const started = performance.now()
  const found = losses(root, first)
  if (LONG) console.log(`${merges} merges in ${Math.round(performance.now() - started)} ms`)
  expect(found).toHaveLength(20)
})
