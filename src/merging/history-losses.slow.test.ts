/** `verify --since` and `verify --staged` on commits that are no merges: what they must report, and what they must not. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import type { Ticket } from '../model/ticket.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { all, BASE, type Change, commit, diverged, FILE, note, put, text } from '../test-support/diverged.ts'
import { ATTRIBUTES, git, testDriver, tryGit } from '../test-support/git-clones.ts'
import { errorOf, runCli } from '../test-support/run-cli.ts'
import { makeTicket, runGit, temporaryFolder } from '../test-support/temporary-repository.ts'

const edited = (n: number) => note(n, { reason: 'edited' })
const retraction = (n: number) => note(9, { kind: 'retraction', retracts: note(n).id })
const remove: Change = root => rmSync(join(root, FILE))
const move =
  (from: string, to: string): Change =>
  root => {
    mkdirSync(join(root, to, '..'), { recursive: true })
    renameSync(join(root, from), join(root, to))
  }
const revert =
  (revision: string): Change =>
  root => {
    git(root, ['revert', '--no-commit', revision])
  }

/** Returns a repository whose commits make these changes, one each, and the id of the first. */
function history(...changes: Change[]): { root: string; first: string } & Disposable {
  const folder = temporaryFolder()
  const root = folder.path
  git(root, ['init', '--quiet', '--template=', '--initial-branch=main'])
  for (const change of changes) commit(root, change)
  const first = git(root, ['rev-list', '--max-parents=0', 'HEAD']).trim()
  return { root, first, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

/** Returns what `verify --since` finds lost, as pairs of a code and what the message says. */
function lost(root: string, since: string): [code: string, what: string][] {
  using plan = checkedPlan(root)
  const { ok, problems } = plan.verify({ since })
  const losses = problems.filter(({ code }) => code.startsWith('lost_'))
  if (losses.length > 0) expect(ok).toBe(false)
  return losses.map(({ code, message }) => [code, whatOf(message)])
}

function whatOf(message: string): string {
  const [, verb, decision, ticket] = /(\w+) the (?:decision (\w+) of|Ticket) (\S+?)[,; ]/.exec(`${message} `)!
  const n = decision?.at(-1)
  return n === undefined ? `${verb} ${ticket}` : `${verb} ${n}`
}

const two = put({ decisions: [note(0), note(1)] })
const first = put(BASE)
const otherFolder: Change = root => {
  renameSync(join(root, 'tickets'), join(root, 'work'))
  writeFileSync(join(root, 'ticketplan.json'), '{ "ticketsDir": "work" }')
}
const dropped = put({ decisions: [note(1), note(2)], title: 'x' })

describe('a commit that names another tickets folder', () => {
  test.each<[string, Change[], string[]]>([
    ['loses nothing by the move', [otherFolder], []],
    ['hides no decision that it drops itself', [all(dropped, otherFolder)], ['dropped 0']],
    ['hides none that a commit before it dropped', [dropped, otherFolder], ['dropped 0']],
    ['hides no Ticket that it deletes', [all(put({}, 'T-2'), remove, otherFolder)], ['deleted T-1']],
  ])('%s', (_, changes, expected) => {
    using repo = history(first, two, put({ decisions: [note(0), note(1), note(2)], title: 'y' }), ...changes)
    expect(lost(repo.root, repo.first).map(([, what]) => what)).toEqual(expected)
  })

  test('hides nothing that is staged with it', () => {
    using repo = history(first, two)
    all(dropped, otherFolder)(repo.root)
    git(repo.root, ['add', '--all'])
    using plan = checkedPlan(repo.root)
    expect(plan.verify({ staged: true }).problems.map(({ code }) => code)).toEqual(['dropped_decision'])
  })
})

describe('a commit that is no merge loses', () => {
  test.each<[string, Change[], string[]]>([
    [
      'a decision that it drops together with another change',
      [two, put({ decisions: [note(1)], title: 'x' })],
      ['dropped 0'],
    ],
    ['a decision that it replaces', [two, put({ decisions: [note(1), note(2)] })], ['dropped 0']],
    ['a decision that it changes under its id', [two, put({ decisions: [note(0), edited(1)] })], ['changed 1']],
    ['a decision whose author it changes', [two, put({ decisions: [note(0), note(1, { by: 'x' })] })], ['changed 1']],
    [
      'a decision that a later commit drops again',
      [two, put({ decisions: [note(1)], title: 'x' }), put({ title: 'y' })],
      ['dropped 0', 'dropped 1'],
    ],
    ['a Ticket that it deletes', [first, two, remove], ['deleted T-1']],
    ['a Ticket without decisions that it deletes', [put({}), put({ title: 'x' }), remove], ['dropped T-1']],
    ['a Ticket that it moves out of the tickets folder', [first, two, move(FILE, 'other/T-1.json')], ['deleted T-1']],
    ['a Ticket that it moves into a hidden folder', [first, two, move(FILE, 'tickets/.old/T-1.json')], ['deleted T-1']],
    ['what a file had that it makes unreadable', [two, text('{"id":')], ['dropped 0', 'dropped 1']],
    [
      'a decision, where the Ticket moves at once',
      [two, all(move(FILE, 'tickets/deep/T-1.json'), put({ decisions: [note(1)], title: 'x' }, 'T-1', 'deep'))],
      ['dropped 0'],
    ],
    ['a retraction', [put({ decisions: [note(0), retraction(0)] }), put({ ...BASE, title: 'x' })], ['dropped 9']],
    [
      'a decision that comes back in another version',
      [two, put({ decisions: [note(0)], title: 'x' }), put({ decisions: [note(0), edited(1)] })],
      ['dropped 1'],
    ],
    [
      'a part of what an earlier commit added',
      [first, put({ decisions: [note(0), note(1), note(2)] }), put({ decisions: [note(0), note(1)] })],
      ['dropped 2'],
    ],
  ])('%s', (_, changes, expected) => {
    using repo = history(...changes)
    expect(
      lost(repo.root, repo.first)
        .map(([, what]) => what)
        .sort(),
    ).toEqual(expected)
    expect(lost(repo.root, 'HEAD')).toEqual([])
  })

  test('and the message shows the commit, its parent, and a command that prints what was lost', async () => {
    using repo = history(two, put({ decisions: [note(1)], title: 'x' }))
    const run = await runCli(repo.root, ['verify', '--since', repo.first])
    expect(run.status).toBe(4)
    const name = (revision: string) => git(repo.root, ['rev-parse', revision]).trim().slice(0, 10)
    const show = `git show ${name('HEAD~1')}:${FILE}`
    expect(run.stdout).toContain(
      `the commit ${name('HEAD')} dropped the decision ${note(0).id} of T-1; its parent ${name('HEAD~1')} has it: see ${show}`,
    )
    expect(git(repo.root, show.split(' ').slice(1))).toContain(note(0).id)
  })
})

describe('a commit that is no merge loses nothing where', () => {
  test.each<[string, Change[]]>([
    [
      'it adds decisions and changes fields',
      [first, put({ decisions: [note(0), note(1)], title: 'x', state: 'done' })],
    ],
    ['it moves the Ticket to a deeper folder', [first, two, move(FILE, 'tickets/a/b/T-1.json')]],
    ['it retracts what it drops', [two, put({ decisions: [note(0), retraction(1)], title: 'x' })]],
    ['it reverts the last commit', [first, two, revert('HEAD')]],
    ['it reverts the commit that created the Ticket', [put({}, 'T-2'), first, revert('HEAD')]],
    ['it reverts a commit that changed a decision', [first, put({ decisions: [edited(0)] }), revert('HEAD')]],
    [
      'it reverts an older commit',
      [
        put(BASE),
        put({ ...BASE, title: 'x' }),
        put({ decisions: [note(0), note(1)], title: 'x' }),
        put({ decisions: [note(0), note(1)], title: 'y' }),
        put({ ...BASE, title: 'y' }),
      ],
    ],
    ['it reverts in a moved file', [first, two, move(FILE, 'tickets/deep/T-1.json'), put(BASE, 'T-1', 'deep')]],
    [
      'a later commit restores it, even elsewhere',
      [
        two,
        put({ decisions: [note(1)], title: 'x' }),
        all(put({ decisions: [note(0), note(1)] }, 'T-1', 'deep'), remove),
      ],
    ],
    [
      'it writes the same content in another form',
      [two, root => writeFileSync(join(root, FILE), reordered(readFileSync(join(root, FILE), 'utf8')))],
    ],
    [
      'it leaves conflict markers with both sides',
      [
        two,
        text(
          `<<<<<<< a\n${encodeTicket(makeTicket('T-1', { decisions: [note(0)] }))}=======\n${encodeTicket(makeTicket('T-1', { decisions: [note(1)] }))}>>>>>>> b\n`,
        ),
      ],
    ],
    [
      'it deletes another file',
      [
        all(first, text('{}', 'tickets/note.txt'), text('{"decisions":[]}', 'x.json')),
        root => rmSync(join(root, 'x.json')),
      ],
    ],
  ])('%s', (_, changes) => {
    using repo = history(...changes)
    expect(lost(repo.root, repo.first)).toEqual([])
  })

  test('a merge is reverted by "git revert -m 1"', () => {
    using repo = diverged()
    git(repo.root, ['merge', '--quiet', '--no-ff', 'theirs'])
    commit(repo.root, root => git(root, ['revert', '--no-commit', '-m', '1', 'HEAD']))
    expect(lost(repo.root, 'HEAD~2')).toEqual([])
  })

  test('it reverts a commit and the merge driver joins what changed since; an edit that drops more is a loss', () => {
    const steps = (reverting: Change) =>
      history(
        all(put({ title: 'a' }), text(ATTRIBUTES, '.gitattributes')),
        root => void git(root, ['config', 'merge.ticketplan.driver', testDriver()]),
        put({ title: 'b', decisions: [note(0), note(1)] }),
        put({ title: 'c', decisions: [note(0), note(1), note(2)] }),
        reverting,
      )
    using reverted = steps(revert('HEAD~1'))
    // Both sides changed the title, so the revert keeps the losing one as a decision: no exact inverse.
    expect(readFileSync(join(reverted.root, FILE), 'utf8')).toContain('"contested"')
    expect(lost(reverted.root, reverted.first)).toEqual([])
    using edited = steps(root => {
      revert('HEAD~1')(root)
      const path = join(root, FILE)
      const ticket = JSON.parse(readFileSync(path, 'utf8')) as Ticket
      writeFileSync(
        path,
        encodeTicket({ ...ticket, decisions: ticket.decisions.filter(({ id }) => id !== note(2).id) }),
      )
    })
    expect(
      lost(edited.root, edited.first)
        .map(([, what]) => what)
        .sort(),
    ).toEqual(['dropped 0', 'dropped 1', 'dropped 2'])
  })

  test('the same change on another branch makes no revert', () => {
    using repo = diverged({ base: two, ours: put({ decisions: [note(1)] }), theirs: text('x', 'other.txt') })
    const { root } = repo
    git(root, ['switch', '--quiet', '--orphan', 'unrelated'])
    commit(root, put({ decisions: [note(1)] }))
    commit(root, two)
    git(root, ['switch', '--quiet', 'main'])
    git(root, ['merge', '--quiet', '--allow-unrelated-histories', '--strategy=ours', 'unrelated'])
    expect(lost(root, 'HEAD~2')).toContainEqual(['lost_in_commit', 'dropped 0'])
  })
})

/** Returns the JSON text with all members in reverse order, and other white space. */
function reordered(json: string): string {
  const turn = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(turn)
      : value && typeof value === 'object'
        ? Object.fromEntries(
            Object.entries(value)
              .toReversed()
              .map(([name, inner]) => [name, turn(inner)]),
          )
        : value
  return JSON.stringify(turn(JSON.parse(json)), null, 8)
}

describe('a revision that HEAD does not contain', () => {
  test('HEAD needs the decisions of a commit that was amended', () => {
    using repo = history(first, two)
    git(repo.root, ['tag', 'before'])
    put({ decisions: [note(0), note(2)] })(repo.root)
    git(repo.root, ['commit', '--quiet', '--all', '--amend', '--message', 'amended'])
    expect(lost(repo.root, 'before')).toEqual([['lost_since', 'lacks 1']])
    commit(repo.root, put({ decisions: [note(0), note(1), note(2)] }))
    expect(lost(repo.root, 'before')).toEqual([])
  })

  test('and of a branch that was squashed or rebased; a Ticket without decisions too', () => {
    using repo = diverged({ base: two, theirs: all(put({ decisions: [note(0), note(1), note(2)] }), put({}, 'T-2')) })
    const { root } = repo
    expect(lost(root, 'theirs').sort()).toEqual([
      ['lost_since', 'lacks 2'],
      ['lost_since', 'lacks T-2'],
    ])
    git(root, ['merge', '--quiet', '--squash', 'theirs'])
    git(root, ['commit', '--quiet', '--message', 'squash'])
    expect(lost(root, 'theirs').filter(([code]) => code === 'lost_since')).toEqual([])
    commit(root, revert('HEAD'))
    expect(
      lost(root, 'theirs')
        .map(([, what]) => what)
        .sort(),
    ).toEqual(['lacks 2', 'lacks T-2'])
  })

  test('a different version is named, and a version that HEAD changed is reported once, as a change of its commit', () => {
    using repo = history(first, two)
    git(repo.root, ['tag', 'before'])
    put({ decisions: [note(0), edited(1)] })(repo.root)
    git(repo.root, ['commit', '--quiet', '--all', '--amend', '--message', 'amended'])
    expect(lost(repo.root, 'before')).toEqual([['lost_since', 'of 1']])
    using other = diverged({
      base: two,
      ours: put({ decisions: [note(0), edited(1)] }),
      theirs: text('x', 'other.txt'),
    })
    expect(lost(other.root, 'theirs')).toEqual([['lost_in_commit', 'changed 1']])
  })
})

test('a removed object is named, nothing is fetched, and the exit status is 1', async () => {
  using repo = history(first, two, put({ decisions: [note(0), note(1), note(2)] }))
  const { root } = repo
  const blob = git(root, ['rev-parse', `HEAD~1:${FILE}`]).trim()
  rmSync(join(root, '.git/objects', blob.slice(0, 2), blob.slice(2)))
  for (const partial of [false, true]) {
    if (partial) {
      git(root, ['config', 'core.repositoryFormatVersion', '1'])
      git(root, ['config', 'extensions.partialClone', 'origin'])
      git(root, ['config', 'remote.origin.promisor', 'true'])
      git(root, ['config', 'remote.origin.url', `ext::sh -c touch% ${root}/ran`])
      git(root, ['config', 'protocol.ext.allow', 'always'])
    }
    const run = await runCli(root, ['verify', '--json', '--since', repo.first])
    expect(run.status).toBe(1)
    expect(errorOf(run)).toMatchObject({ code: 'git_failed', message: expect.stringContaining(blob) })
  }
  expect(() => readFileSync(join(root, 'ran'))).toThrow('ENOENT')
})

test('a partial clone without its blobs fails with the name of an object and what to run, and asks its remote for nothing', async () => {
  using repo = history(first, two, put({ decisions: [note(0), note(1), note(2)] }))
  using folder = temporaryFolder()
  const clone = join(folder.path, 'clone')
  git(repo.root, ['config', 'uploadpack.allowFilter', 'true'])
  runGit(folder.path, 'clone', '--quiet', '--filter=blob:none', `file://${repo.root}`, clone)
  const objects = () => git(clone, ['count-objects', '-v'])
  const before = objects()
  const run = await runCli(clone, ['verify', '--json', '--since', 'HEAD~2'])
  expect(run.status).toBe(1)
  const { message } = errorOf(run)
  expect(message).toMatch(/^git has no object [0-9a-f]{40,64}\b/)
  expect(objects()).toBe(before)
  const advised = /"git (fetch [^"]*)"/.exec(message)![1]!.split(' ')
  git(clone, [advised[0]!, '--quiet', ...advised.slice(1)])
  expect((await runCli(clone, ['verify', '--json', '--since', 'HEAD~2'])).status).toBe(0)
})

test('1,000 commits need few runs of git', async () => {
  using folder = temporaryFolder()
  const { path } = folder
  const root = join(path, 'repository')
  mkdirSync(root)
  git(root, ['init', '--quiet', '--initial-branch=main'])
  const file = (n: number) => encodeTicket(makeTicket('T-1', { title: `${n}`, decisions: [note(n % 7 === 0 ? 1 : 0)] }))
  const stream = Array.from({ length: 1001 }, (_, n) => {
    const bytes = Buffer.from(n === 0 ? encodeTicket(makeTicket('T-1', { decisions: [note(0)] })) : file(n)).toString()
    return `commit refs/heads/main\ncommitter t <t@example.org> ${1_700_000_000 + n} +0000\ndata 1\nx\nM 100644 inline ${FILE}\ndata ${Buffer.byteLength(bytes)}\n${bytes}\n`
  })
  const { execFileSync } = await import('node:child_process')
  execFileSync('git', ['fast-import', '--quiet'], { cwd: root, input: stream.join('') })
  git(root, ['reset', '--quiet', '--hard', 'main'])
  const log = join(path, 'log')
  const real = execFileSync('sh', ['-c', 'command -v git']).toString().trim()
  mkdirSync(join(path, 'bin'))
  writeFileSync(join(path, 'bin/git'), `#!/bin/sh\necho run >> '${log}'\nexec '${real}' "$@"\n`)
  chmodSync(join(path, 'bin/git'), 0o755)
  const runsFor = async (since: string) => {
    writeFileSync(log, '')
    const started = performance.now()
    const run = await runCli(root, ['verify', '--since', since], {
      env: { PATH: `${join(path, 'bin')}:${process.env.PATH}` },
    })
    expect([0, 4]).toContain(run.status)
    return { runs: readFileSync(log, 'utf8').split('\n').length - 1, ms: Math.round(performance.now() - started) }
  }
  const [few, many] = [await runsFor('HEAD~10'), await runsFor('HEAD~1000')]
  if (process.env.TICKETPLAN_LONG) console.log(few, many)
  expect(few.runs).toBeLessThanOrEqual(20)
  expect(many.runs).toBeLessThanOrEqual(few.runs + 6)
})

describe('verify --staged', () => {
  /** Returns what it finds lost in what is staged. */
  function staged(root: string): [code: string, what: string][] {
    git(root, ['add', '--all'])
    using plan = checkedPlan(root)
    const { problems } = plan.verify({ staged: true })
    const codes = ['changed_decision', 'dropped_decision', 'deleted_ticket']
    return problems.filter(({ code }) => codes.includes(code)).map(({ code, message }) => [code, whatOf(message)])
  }

  test.each<[string, Change, string[][]]>([
    ['an edit of an existing decision', put({ decisions: [note(0), edited(1)] }), [['changed_decision', 'changes 1']]],
    ['a dropped decision', put({ decisions: [note(1)], title: 'x' }), [['dropped_decision', 'drops 0']]],
    ['a deleted Ticket', remove, [['deleted_ticket', 'deletes T-1']]],
    ['nothing in a new decision', put({ decisions: [note(0), note(1), note(2)], title: 'x' }), []],
    ['nothing in a moved Ticket', move(FILE, 'tickets/deep/T-1.json'), []],
    ['nothing in a revert', put(BASE), []],
    [
      'nothing in another form of the same content',
      root => writeFileSync(join(root, FILE), reordered(readFileSync(join(root, FILE), 'utf8'))),
      [],
    ],
  ])('reports %s', async (_, change, expected) => {
    using repo = history(first, two)
    change(repo.root)
    expect(staged(repo.root)).toEqual(expected)
    const run = await runCli(repo.root, ['verify', '--staged', '--json'])
    if (expected.length > 0) expect(run.status).toBe(4)
  })

  test('in a merge compares with every parent', () => {
    const merging = (change: Change, ours?: Change) => {
      const repo = diverged(ours ? { ours } : {})
      tryGit(repo.root, ['merge', '--no-commit', '--no-ff', 'theirs'])
      change(repo.root)
      return repo
    }
    using right = merging(() => {})
    expect(staged(right.root)).toEqual([])
    using one = merging(put({ decisions: [note(0), note(1)] }))
    expect(staged(one.root)).toEqual([['dropped_decision', 'drops 2']])
    using edit = merging(put({ decisions: [note(0), note(1), edited(2)] }))
    expect(staged(edit.root)).toEqual([['changed_decision', 'changes 2']])
    using reverted = merging(() => {}, put({ decisions: [note(1)] }))
    expect(staged(reverted.root)).toEqual([])
  })
})
