/** Replays histories that are made here, and those of the shared data where that is there. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { proofCount, proofSeed, reportProof } from '../src/test-support/proof-numbers.ts'
import { runProgram } from '../src/test-support/run-cli.ts'
import { findSharedData } from '../src/test-support/shared-data.ts'
import { makeHistory } from '../src/test-support/source-history.ts'
import { runGit, temporaryFolder } from '../src/test-support/temporary-repository.ts'
import { REPLAY_SOURCES, replay } from './replay-run.ts'

const seed = proofSeed()
const commits = proofCount({ short: 20, long: 1000 })
const run = (...args: string[]) => runProgram(process.execPath, [join(import.meta.dirname, 'replay.ts'), ...args])

/** Commits each state of a source: its files by their paths. */
function commitStates(root: string, states: readonly Record<string, string>[]): void {
  runGit(root, 'init', '--quiet', '--template=', '--initial-branch=main')
  for (const files of states) {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    runGit(root, 'add', '--all')
    runGit(root, 'commit', '--quiet', '--message', 'State')
  }
}
const item = (state: string) => `---\ntitle: Item\nstate: ${state}\n---\n`

describe.each(['yoi', 'beads'] as const)('a made history of %s', system => {
  test('has no difference', { timeout: 1_800_000 }, () => {
    using folder = temporaryFolder()
    makeHistory(folder.path, system, { seed, commits })
    const result = replay({ system, checkout: folder.path })
    expect({ differences: result.differences, refused: result.refused, seed }).toEqual({
      differences: [],
      refused: [],
      seed,
    })
    const { verdicts, accepts } = result
    expect(result.commits).toBe(commits)
    reportProof({ what: `commits of a made history of ${system}`, count: commits, seed, seen: { verdicts, accepts } })
  })

  test('has verdicts of both kinds, and with a wrong one of the oracle that difference alone', () => {
    using folder = temporaryFolder()
    makeHistory(folder.path, system, { seed: 7, commits: 20 })
    const { oracle } = REPLAY_SOURCES[system]
    let left = 15
    let planted: { commit: string; id: string; program: string; oracle: string } | undefined
    const result = replay({
      system,
      checkout: folder.path,
      oracle(path, commit) {
        const verdicts = oracle(path, commit)
        const [id, program] = [...verdicts][0] ?? []
        if (--left > 0 || planted || id === undefined || program === undefined) return verdicts
        planted = { commit: commit.id, id, program, oracle: program === 'accept' ? 'hold' : 'accept' }
        return verdicts.set(id, planted.oracle)
      },
    })
    expect(planted).toBeDefined()
    // This seed is fixed: a short history of another one can be without a hold.
    expect(result.accepts).toBeGreaterThan(0)
    expect(result.verdicts - result.accepts).toBeGreaterThan(0)
    expect(result.differences).toEqual([
      { ...planted, asked: 'queue' },
      { ...planted, asked: 'consult' },
    ])
  })
})

test('the command prints its counts, and each difference with commit, id and both verdicts', async () => {
  using folder = temporaryFolder()
  const root = folder.path
  // The second Ticket has an id that none can have here: the oracle takes it, the import reports it.
  commitStates(root, [{ 'work/A/item.md': item('queued') }, { 'work/a b/item.md': item('queued') }])
  const [first, second] = runGit(root, 'rev-list', '--reverse', 'HEAD').split('\n')
  expect(await run('yoi', root)).toMatchObject({
    status: 1,
    stdout: `DIFFERENT ${second!.slice(0, 12)} a b: queue absent, oracle accept
DIFFERENT ${second!.slice(0, 12)} a b: consult absent, oracle accept
work: 2 commits; 2 Tickets imported, 1 part of a record reported as left out; 3 verdicts compared, 3 of them accept; 2 differences
`,
  })
  runGit(root, 'reset', '--quiet', '--hard', first!)
  expect(await run('yoi', root)).toMatchObject({
    status: 0,
    stdout: 'work: 1 commit; 1 Ticket imported; 1 verdict compared, 1 of them accept; 0 differences\n',
    stderr: '',
  })
})

test('a commit without the source is counted, and one with conflict markers is named', async () => {
  using folder = temporaryFolder()
  const root = folder.path
  const file = '.beads/issues.jsonl'
  const record = `${JSON.stringify({ id: 'bd-1', title: 'One', status: 'open' })}\n`
  commitStates(root, [{ [file]: record }, { [file]: `<<<<<<< ours\n${record}=======\n>>>>>>> theirs\n` }])
  rmSync(join(root, file))
  runGit(root, 'commit', '--quiet', '--all', '--message', 'Gone')
  commitStates(root, [{ [file]: record }])
  const { status, stdout } = await run('beads', root)
  expect(stdout).toMatch(/^refused [0-9a-f]{12}: .*\.beads\/issues\.jsonl.*conflict/)
  expect(stdout).toContain('4 commits (1 without the source, 1 refused by the import); 2 Tickets imported; 2 verdicts')
  expect(status).toBe(0)
  expect(await run('beads', root, '--last', '3')).toMatchObject({
    stdout: expect.stringContaining('3 commits (1 without the source, 1 refused by the import); 1 Ticket imported'),
  })
})

test('what is no history says so, with exit status 2', async () => {
  using folder = temporaryFolder()
  const [root, plain, empty] = ['root', 'plain', 'empty'].map(name => join(folder.path, name)) as [
    string,
    string,
    string,
  ]
  for (const path of [root, plain, empty]) mkdirSync(path)
  runGit(empty, 'init', '--quiet', '--template=')
  commitStates(root, [{ 'work/A/item.md': item('queued') }])
  const cases: [string[], string][] = [
    [['yoi', join(folder.path, 'nowhere')], 'there is no folder '],
    [['yoi', plain], 'is not a git checkout: fatal: not a git repository'],
    [['yoi', empty], 'has no commit; name a checkout with a history'],
    [['yoi', join(root, 'work')], `is not the root of a git checkout: it is a folder of ${root}; name that`],
    [['beads', root], 'has no beads source (a file .beads/*.jsonl) in HEAD; name its path from the root with --path'],
    [['yoi', root, '--path', 'other'], `no commit of ${root} has other`],
    [['yoi', root, '--path', '../plain'], '--path takes a path from the root of the checkout'],
    [['yoi', root, '--last', '0'], '--last takes a number from 1'],
    [['jira', root], 'there is no source "jira"'],
    [['yoi'], 'name one checkout'],
    [['yoi', root, '--first', '2'], "Unknown option '--first'"],
  ]
  for (const [args, message] of cases) {
    const { status, stdout, stderr } = await run(...args)
    expect({ args, status, stdout, stderr }).toEqual({
      args,
      status: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    })
  }
})

const snapshots = ['yoi-2026-06-09', 'yoi-2026-06-26'].map(findSharedData)
test.skipIf(snapshots.includes(undefined))(
  'two days of a real folder have no difference (skipped without the shared data)',
  async () => {
    using folder = temporaryFolder()
    const root = folder.path
    runGit(root, 'init', '--quiet', '--template=', '--initial-branch=main')
    for (const snapshot of snapshots) {
      rmSync(join(root, '.yoi'), { recursive: true, force: true })
      cpSync(join(snapshot!, 'tickets'), join(root, '.yoi', 'tickets'), { recursive: true })
      runGit(root, 'add', '--all')
      runGit(root, 'commit', '--quiet', '--message', 'Day')
    }
    expect(await run('yoi', root)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        /^\.yoi\/tickets: 2 commits; 454 Tickets .* 9 verdicts compared, 4 .* 0 differences\n$/,
      ),
    })
  },
)
