/** `resolve` after every kind of conflict that real git leaves without the merge driver. */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
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
  ticketIn,
} from '../test-support/diverged.ts'
import { git, testDriver, ticketTexts, tryGit, unmerged } from '../test-support/git-clones.ts'
import { LONG } from '../test-support/proof-numbers.ts'
import { errorOf, jsonOf, runCli } from '../test-support/run-cli.ts'
import { makeTicket, temporaryFolder } from '../test-support/temporary-repository.ts'

/** Creates a repository without the driver. */
const withoutDriver = (setting: Setting = {}) => diverged({ driver: null, ...setting })

/** Creates a repository whose merge of `theirs` has stopped. */
function stopped(setting: Setting = {}, ...options: string[]): ReturnType<typeof diverged> {
  const repo = withoutDriver(setting)
  const { status, output } = tryGit(repo.root, [...options, 'merge', 'theirs'])
  expect(status, output).toBe(1)
  return repo
}

function resolve(root: string) {
  using plan = checkedPlan(root)
  return plan.resolve()
}

/** Resolves once, and checks the result: canonical, staged, nothing in conflict, nothing left for a second run. */
function resolveAll(root: string) {
  const done = resolve(root)
  expect(done.unresolved).toEqual([])
  expect(unmerged(root)).toEqual([])
  expect(git(root, ['diff', '--name-only'])).toBe('')
  const before = ticketTexts(root)
  expect(resolve(root)).toMatchObject({ resolved: [], kept: [], unresolved: [] })
  expect(ticketTexts(root)).toEqual(before)
  using plan = checkedPlan(root)
  expect(plan.verify().problems).toEqual([])
  return done
}

const read = (root: string, path = FILE) => readFileSync(join(root, path), 'utf8')
const remove =
  (path = FILE): Change =>
  root =>
    rmSync(join(root, path))
const move =
  (to: string, from = FILE): Change =>
  root => {
    mkdirSync(dirname(join(root, to)), { recursive: true })
    renameSync(join(root, from), join(root, to))
  }

/** Enough text for git to detect a rename. */
const LONG_TEXT = { source: { text: 'long enough to be known again '.repeat(20) } }

describe('both sides changed it', () => {
  test.each<[string, string[][], string[]]>([
    ['merge', [], ['merge', 'theirs']],
    ['rebase', [], ['rebase', 'theirs']],
    ['cherry-pick', [], ['cherry-pick', 'theirs']],
    ['squash', [], ['merge', '--squash', 'theirs']],
    ['diff3 markers', [['config', 'merge.conflictStyle', 'diff3']], ['merge', 'theirs']],
    ['zdiff3 markers', [['config', 'merge.conflictStyle', 'zdiff3']], ['merge', 'theirs']],
    ['the strategy "resolve"', [], ['merge', '--strategy=resolve', 'theirs']],
    ['core.autocrlf', [['config', 'core.autocrlf', 'true']], ['merge', 'theirs']],
  ])('%s', (_, before, stop) => {
    using repo = withoutDriver()
    for (const command of before) git(repo.root, command)
    expect(tryGit(repo.root, stop).status).not.toBe(0)
    expect(unmerged(repo.root)).toEqual([FILE])
    expect(resolveAll(repo.root)).toEqual({
      resolved: [{ path: FILE, contested: 0, staged: true }],
      kept: [],
      unresolved: [],
      others: [],
    })
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
    if (stop[0] === 'rebase') git(repo.root, ['rebase', '--continue'])
    else git(repo.root, ['commit', '--quiet', '--no-edit'])
    expect(git(repo.root, ['status', '--porcelain'])).toBe('')
  })

  test('stash pop', () => {
    using repo = withoutDriver()
    git(repo.root, ['switch', '--quiet', '--detach', 'main~1'])
    put(OURS)(repo.root)
    git(repo.root, ['stash', 'push', '--quiet'])
    git(repo.root, ['switch', '--quiet', 'theirs'])
    expect(tryGit(repo.root, ['stash', 'pop']).status).toBe(1)
    resolveAll(repo.root)
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
    expect(git(repo.root, ['stash', 'list'])).not.toBe('')
  })

  test('a missing driver that left "ours" without markers: theirs is merged in', () => {
    using repo = stopped({ driver: '/nowhere/driver %O %A %B' })
    expect(read(repo.root)).not.toContain(note(2).id)
    resolveAll(repo.root)
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })

  test('add/add, with the losing values kept', () => {
    using repo = stopped({ base: () => {} })
    expect(resolveAll(repo.root).resolved).toEqual([{ path: FILE, contested: 2, staged: true }])
    expect(ticketIn(repo.root).decisions.filter(({ kind }) => kind === 'note')).toEqual(BOTH.decisions)
  })

  test('branches that merged each other: the base is a merge with markers itself', () => {
    for (const style of ['merge', 'diff3', 'zdiff3']) {
      using repo = withoutDriver({ theirs: put({ ...THEIRS, title: 'theirs' }) })
      const { root } = repo
      git(root, ['config', 'merge.conflictStyle', style])
      git(root, ['branch', 'one'])
      git(root, ['branch', 'other', 'theirs'])
      for (const [branch, side] of [
        ['one', 'theirs'],
        ['other', 'main'],
      ] as const) {
        git(root, ['switch', '--quiet', branch])
        tryGit(root, ['merge', side])
        resolveAll(root)
        git(root, ['commit', '--quiet', '--no-edit'])
      }
      const merged = ticketIn(root)
      commit(root, put({ ...merged, title: 'later', decisions: [...merged.decisions, note(4)].sort(byId) }))
      git(root, ['switch', '--quiet', 'one'])
      commit(root, put({ ...merged, title: 'last', decisions: [...merged.decisions, note(5)].sort(byId) }))
      tryGit(root, ['merge', 'other'])
      expect(unmerged(root)).toEqual([FILE])
      expect(git(root, ['show', `:1:${FILE}`])).toContain('<<<<<<<')
      resolveAll(root)
      const ids = ticketIn(root).decisions.map(({ id }) => id)
      for (const { id } of [...merged.decisions, note(4), note(5)]) expect(ids).toContain(id)
    }
  })

  test('what a branch reverted stays reverted', () => {
    using repo = stopped({ base: put({ decisions: [note(0), note(3)] }) })
    resolveAll(repo.root)
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })

  test('the permissions of the file stay', () => {
    using repo = stopped()
    chmodSync(join(repo.root, FILE), 0o600)
    resolveAll(repo.root)
    expect(statSync(join(repo.root, FILE)).mode & 0o777).toBe(0o600)
  })

  test('the bytes are those of the driver, over random histories', { timeout: 120_000 }, () => {
    const ids = ['T-1', 'T-2', 'T-3']
    const fields = fc.record({
      title: fc.constantFrom('one', 'two', 'three'),
      state: fc.constantFrom('open', 'queued', 'done'),
      decisions: fc.subarray([0, 1, 2, 3, 4, 5].map(n => note(n, { reason: `reason ${n}` }))),
    })
    const side = fc.tuple(fields, fields, fields)
    fc.assert(
      fc.property(side, side, side, (base, ours, theirs) => {
        const putAll = (tickets: Partial<Ticket>[]) => all(...ids.map((id, n) => put(tickets[n]!, id)))
        const setting = { base: putAll(base), ours: putAll(ours), theirs: putAll(theirs) }
        using driven = diverged(setting)
        git(driven.root, ['merge', '--quiet', 'theirs'])
        using repo = withoutDriver(setting)
        // Once with a text merge, and once without: then everything that both sides changed is left to "resolve".
        for (const attributes of ['', '*.json -merge\n']) {
          text(attributes, '.git/info/attributes')(repo.root)
          tryGit(repo.root, ['merge', '--quiet', 'theirs'])
          const stopped = unmerged(repo.root)
          expect(resolve(repo.root)).toMatchObject({
            unresolved: [],
            resolved: stopped.map(path => ({ path, staged: true })),
          })
          for (const path of stopped) expect(read(repo.root, path)).toBe(read(driven.root, path))
          if (attributes) expect(ticketTexts(repo.root)).toEqual(ticketTexts(driven.root))
          git(repo.root, ['reset', '--quiet', '--hard', 'main'])
        }
      }),
      { numRuns: LONG ? 100 : 8 },
    )
  })
})

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1
}

describe('deleted and moved', () => {
  test.each<[string, Change, Change, Partial<Ticket>]>([
    ['our side', remove(), put(THEIRS), THEIRS],
    ['their side', put(OURS), remove(), OURS],
  ])('deleted by %s and changed by the other: kept, staged and named', async (side, ours, theirs, kept) => {
    using repo = stopped({ ours, theirs })
    const run = await runCli(repo.root, ['resolve', '--json'])
    expect(run).toMatchObject({ status: 0, stderr: expect.stringMatching(/^.*this clone has no merge driver.*\n$/) })
    expect(jsonOf(run)).toEqual({
      resolved: [],
      kept: [
        { path: FILE, message: expect.stringMatching(`^${side} deleted it, the other side changed it; to delete it`) },
      ],
      unresolved: [],
      others: [],
    })
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', kept))
    expect(unmerged(repo.root)).toEqual([])
    resolveAll(repo.root)
    // As the message says.
    rmSync(join(repo.root, FILE))
    git(repo.root, ['add', FILE])
    git(repo.root, ['commit', '--quiet', '--no-edit'])
    expect(git(repo.root, ['ls-files', 'tickets/*.json'])).toBe('')
  })

  test('kept even where a person removed it from the work tree, with its folder', () => {
    using repo = stopped({
      base: put(BASE, 'T-1', 'deep'),
      ours: remove('tickets/deep/T-1.json'),
      theirs: put(THEIRS, 'T-1', 'deep'),
    })
    rmSync(join(repo.root, 'tickets/deep'), { recursive: true })
    expect(resolveAll(repo.root).kept).toHaveLength(1)
    expect(ticketIn(repo.root, 'tickets/deep/T-1.json')).toEqual(makeTicket('T-1', THEIRS))
  })

  test('git pairs it with a new Ticket on each side: it is removed, both new ones stay', () => {
    const alike = { ...BASE, ...LONG_TEXT }
    using repo = stopped({
      base: put(alike),
      ours: all(remove(), put({ ...alike, title: 'ours' }, 'T-2')),
      theirs: all(remove(), put({ ...alike, title: 'theirs' }, 'T-3')),
    })
    const { unresolved } = resolve(repo.root)
    // What git mixed counts as neither of them.
    expect(unresolved.map(({ path }) => path).join()).toMatch(/T-[23]/)
    expect(existsSync(join(repo.root, FILE))).toBe(false)
    for (const [commit, id] of [
      ['main', 'T-2'],
      ['theirs', 'T-3'],
    ]) {
      expect(git(repo.root, ['show', `${commit}:tickets/${id}.json`])).toContain(`"id": "${id}"`)
    }
  })

  test.each([
    ['alike', LONG_TEXT],
    ['changed on the way', {}],
  ])('moved to two folders, %s: one file remains', (name, more) => {
    const fields = (side: Partial<Ticket>) => (name === 'alike' ? { ...side, ...more } : { ...side, ...more })
    using repo = stopped({
      base: put({ ...BASE, ...LONG_TEXT }),
      ours: all(put({ ...fields(OURS), ...LONG_TEXT }), move('tickets/b/T-1.json')),
      theirs: all(put({ ...fields(THEIRS), ...LONG_TEXT }), move('tickets/a/T-1.json')),
    })
    resolveAll(repo.root)
    expect([...ticketTexts(repo.root).keys()]).toEqual(['a/T-1.json'])
    expect(ticketIn(repo.root, 'tickets/a/T-1.json')).toEqual(makeTicket('T-1', { ...BOTH, ...LONG_TEXT }))
  })

  test.each<[string, boolean]>([
    ['ours', true],
    ['theirs', false],
  ])('moved deeper by %s and changed so much that git detects no rename: one file, both changes', (_, isOurs) => {
    const far = { source: { text: 'something else altogether '.repeat(40) } }
    const mover = all(put({ ...OURS, ...far }), move('tickets/2026/q2/T-1.json'))
    const changer = put(THEIRS)
    using repo = stopped({ ours: isOurs ? mover : changer, theirs: isOurs ? changer : mover })
    resolveAll(repo.root)
    expect([...ticketTexts(repo.root).keys()]).toEqual(['2026/q2/T-1.json'])
    expect(ticketIn(repo.root, 'tickets/2026/q2/T-1.json')).toEqual(makeTicket('T-1', { ...BOTH, ...far }))
  })

  test('the same with edits of a person in the moved file: it stays unchanged, nothing is lost', () => {
    const far = { source: { text: 'something else altogether '.repeat(40) } }
    using repo = stopped({ ours: all(put({ ...OURS, ...far }), move('tickets/q/T-1.json')) })
    appendFileSync(join(repo.root, 'tickets/q/T-1.json'), '\n\n')
    const before = ticketTexts(repo.root)
    expect(resolve(repo.root).unresolved).toEqual([{ path: FILE, message: expect.stringContaining('by hand') }])
    expect(ticketTexts(repo.root)).toEqual(before)
  })

  test('git pairs a small new Ticket with another one as a rename: both exist afterwards', () => {
    for (const isOurs of [true, false]) {
      const alike = { decisions: [note(0, { reason: 'the same long text in both '.repeat(20) })] }
      const renamer = all(remove(), put({ ...alike, title: 'another' }, 'T-2'))
      const changer = put({ ...alike, title: 'changed', state: 'queued' })
      using repo = withoutDriver({
        base: put(alike),
        ours: isOurs ? renamer : changer,
        theirs: isOurs ? changer : renamer,
      })
      tryGit(repo.root, ['merge', 'theirs'])
      expect(unmerged(repo.root)).toEqual(['tickets/T-2.json'])
      const { kept } = resolve(repo.root)
      expect(kept.map(({ path }) => path)).toEqual([FILE])
      expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', { ...alike, title: 'changed', state: 'queued' }))
      expect(ticketIn(repo.root, 'tickets/T-2.json')).toEqual(makeTicket('T-2', { ...alike, title: 'another' }))
      expect(unmerged(repo.root)).toEqual([])
      expect(git(repo.root, ['diff', '--name-only'])).toBe('')
    }
  })

  test('a file of a person at the path of the other Ticket is not overwritten', () => {
    const alike = { decisions: [note(0, { reason: 'the same long text in both '.repeat(20) })] }
    using repo = stopped({
      base: put(alike),
      ours: all(remove(), put({ ...alike, title: 'another' }, 'T-2')),
      theirs: put({ ...alike, title: 'changed' }),
    })
    text('mine')(repo.root)
    expect(resolve(repo.root).unresolved).toEqual([
      { path: expect.anything(), message: expect.stringContaining('by hand') },
    ])
    expect(read(repo.root)).toBe('mine')
  })
})

describe('what stays unchanged, with exit status 4', () => {
  const theirs = encodeTicket(makeTicket('T-1', THEIRS))

  test.each<[string, string | Buffer, RegExp]>([
    ['that is no JSON', theirs.replace('"state"', 'state'), /line 8, column 3/],
    ['cut off', theirs.slice(0, -60), /line \d+, column \d+/],
    ['of another id', theirs.replace('"T-1"', '"T-9"'), /T-9/],
    ['of a later format', theirs.replace('"format": 1', '"format": 2'), /format 2/],
    ['that is no UTF-8', Buffer.concat([Buffer.from(theirs), Buffer.from([0xff, 0xfe, 0x0a])]), /UTF-8/],
    ['with markers that were committed', theirs.replace('{\n', '{\n<<<<<<< a\n=======\n>>>>>>> b\n'), /markers/],
  ])('a side %s', async (name, broken, place) => {
    for (const [side, setting] of [
      ['their side', { theirs: text(broken) }],
      ['our side', { ours: text(broken), theirs: put(OURS) }],
    ] as const) {
      using repo = stopped(setting)
      const before = readFileSync(join(repo.root, FILE))
      const run = await runCli(repo.root, ['resolve'])
      expect(run, name).toMatchObject({ status: 4, stderr: '' })
      expect(run.stdout).toContain(`not resolved: ${FILE}: `)
      if (!name.includes('another id') && !name.includes('later format')) expect(run.stdout).toContain(side)
      expect(run.stdout).toMatch(place)
      expect(readFileSync(join(repo.root, FILE))).toEqual(before)
      expect(unmerged(repo.root).length).toBeGreaterThan(0)
    }
  })

  test('a file that a person has fixed, and one that a person has begun to fix', () => {
    using repo = stopped({
      base: all(put(BASE), put(BASE, 'T-2'), put(BASE, 'T-3')),
      ours: all(put(OURS), put(OURS, 'T-2'), put(OURS, 'T-3')),
      theirs: all(put(THEIRS), put(THEIRS, 'T-2'), put(THEIRS, 'T-3')),
    })
    put({ ...BOTH, title: 'fixed' })(repo.root)
    const begun = read(repo.root, 'tickets/T-2.json').replace('"ours"', '"mine"')
    text(begun, 'tickets/T-2.json')(repo.root)
    const before = ticketTexts(repo.root)
    const { resolved, unresolved } = resolve(repo.root)
    expect(resolved.map(({ path }) => path)).toEqual(['tickets/T-3.json'])
    expect(unresolved).toEqual(
      [FILE, 'tickets/T-2.json'].map(path => ({ path, message: expect.stringContaining('"git add" it') })),
    )
    for (const id of ['T-1', 'T-2']) expect(read(repo.root, `tickets/${id}.json`)).toBe(before.get(`${id}.json`))
    expect(unmerged(repo.root)).toEqual([FILE, 'tickets/T-2.json'])
  })

  test('a link in place of a Ticket, in the work tree or on one side: its target is not changed', () => {
    for (const setting of [
      {},
      { theirs: all(remove(), (root: string) => symlinkSync('../precious.json', join(root, FILE))) },
    ]) {
      using repo = stopped(setting)
      text('precious', 'precious.json')(repo.root)
      rmSync(join(repo.root, FILE), { force: true })
      symlinkSync('../precious.json', join(repo.root, FILE))
      const { resolved, unresolved } = resolve(repo.root)
      expect(resolved).toEqual([])
      expect(unresolved.filter(({ path }) => path === FILE)).toEqual([
        { path: FILE, message: expect.stringContaining('link') },
      ])
      expect(read(repo.root, 'precious.json')).toBe('precious')
      expect(realpathSync(join(repo.root, FILE))).toBe(join(repo.root, 'precious.json'))
    }
  })

  test('a parent folder that is a link', () => {
    using outside = temporaryFolder()
    const setting = (fields: Partial<Ticket>) => put(fields, 'T-1', 'deep')
    using repo = stopped({ base: setting(BASE), ours: setting(OURS), theirs: setting(THEIRS) })
    rmSync(join(repo.root, 'tickets/deep'), { recursive: true })
    symlinkSync(outside.path, join(repo.root, 'tickets/deep'))
    expect(resolve(repo.root).unresolved).toHaveLength(1)
    expect(existsSync(join(outside.path, 'T-1.json'))).toBe(false)
  })
})

describe('markers in a file that git has no conflict for', () => {
  test.each([
    'merge',
    'diff3',
    'zdiff3',
  ])('committed, in the style "%s": merged, for the person to stage', async style => {
    for (const change of [{}, { base: put({ decisions: [note(0), note(3)] }) }]) {
      using repo = stopped(change, '-c', `merge.conflictStyle=${style}`)
      git(repo.root, ['add', '--all'])
      git(repo.root, ['commit', '--quiet', '--no-edit'])
      const run = await runCli(repo.root, ['resolve'])
      expect(run).toMatchObject({ status: 0, stdout: `resolved: ${FILE}; stage it with "git add"\n` })
      expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
      expect(git(repo.root, ['status', '--porcelain'])).toBe(` M ${FILE}\n`)
    }
  })

  test('staged as they were, the merge not yet finished', () => {
    using repo = stopped({ base: put({ decisions: [note(0), note(3)] }) })
    git(repo.root, ['add', '--all'])
    expect(resolve(repo.root).resolved).toEqual([{ path: FILE, contested: 0, staged: false }])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })

  test('carried into another merge: nothing counts as removed because one side of the markers lacks it', () => {
    using repo = stopped()
    const { root } = repo
    git(root, ['add', '--all'])
    git(root, ['commit', '--quiet', '--no-edit'])
    git(root, ['switch', '--quiet', 'theirs'])
    commit(root, text('other', 'other.txt'))
    git(root, ['switch', '--quiet', 'main'])
    git(root, ['merge', '--quiet', '--no-commit', 'theirs'])
    resolve(root)
    expect(ticketIn(root).decisions).toEqual(expect.arrayContaining(BOTH.decisions!))
  })

  test('left by a cherry-pick on top of a clean merge, from a branch older than that: nothing counts as removed', () => {
    using repo = diverged()
    const { root } = repo
    git(root, ['merge', '--quiet', 'theirs'])
    const [merged, picked] = [ticketIn(root), makeTicket('T-1', { decisions: [note(5)] })]
    text(`<<<<<<< HEAD\n${encodeTicket(merged)}=======\n${encodeTicket(picked)}>>>>>>> picked\n`)(root)
    resolve(root)
    expect(ticketIn(root).decisions).toEqual(expect.arrayContaining([...merged.decisions, note(5)]))
  })

  test('outside git, and before the first commit', () => {
    using folder = temporaryFolder()
    const [ours, theirs] = [OURS, THEIRS].map(fields => encodeTicket(makeTicket('T-1', fields)))
    const marked = `<<<<<<< ours\n${ours}=======\n${theirs}>>>>>>> theirs\n`
    for (const unborn of [false, true]) {
      if (unborn) git(folder.path, ['init', '--quiet'])
      text(marked)(folder.path)
      writeFileSync(join(folder.path, 'ticketplan.json'), '{}')
      expect(resolve(folder.path).resolved).toEqual([{ path: FILE, contested: 2, staged: false, withoutBase: true }])
      expect(ticketIn(folder.path).decisions).toEqual(expect.arrayContaining(BOTH.decisions!))
    }
  })

  test.each([
    ['no end', (text: string) => text.replace(/>{7}.*\n/, '')],
    ['no middle', (text: string) => text.replace(/={7}\n/, '')],
    ['no beginning', (text: string) => text.replace(/<{7}.*\n/, '')],
    ['twice the beginning', (text: string) => text.replace(/<{7}.*\n/, '$&$&')],
  ])('with %s: unchanged, exit status 4', async (_, damage) => {
    using repo = stopped()
    const damaged = damage(read(repo.root))
    text(damaged)(repo.root)
    git(repo.root, ['add', '--all'])
    const run = await runCli(repo.root, ['resolve'])
    expect(run).toMatchObject({
      status: 4,
      stdout: `not resolved: ${FILE}: its conflict markers are incomplete; fix it by hand\n`,
    })
    expect(read(repo.root)).toBe(damaged)
  })
})

describe('other conflicts, locks and places', () => {
  test('conflicts of other files are reported and stay unchanged', async () => {
    const both = (fields: Partial<Ticket>, word: string) =>
      all(put(fields), text(word, 'a file.txt'), text(word, 'tickets/README.md'))
    using repo = stopped({ base: both(BASE, 'base\n'), ours: both(OURS, 'ours\n'), theirs: both(THEIRS, 'theirs\n') })
    const run = await runCli(repo.root, ['resolve'])
    expect(run).toMatchObject({
      status: 0,
      stdout: `resolved: ${FILE}\nconflicts in other files remain: a file.txt, tickets/README.md\n`,
    })
    expect(unmerged(repo.root)).toEqual(['a file.txt', 'tickets/README.md'])
    expect(read(repo.root, 'a file.txt')).toContain('<<<<<<<')
  })

  test('nothing to do, in git and outside', async () => {
    using repo = diverged()
    using folder = temporaryFolder()
    mkdirSync(join(folder.path, 'tickets'))
    for (const root of [repo.root, folder.path]) {
      expect(await runCli(root, ['resolve'])).toMatchObject({
        status: 0,
        stdout: 'nothing to resolve in Ticket files\n',
        stderr: '',
      })
      expect(jsonOf(await runCli(root, ['resolve', '--json']))).toEqual({
        resolved: [],
        kept: [],
        unresolved: [],
        others: [],
      })
    }
  })

  test("git's index locked by another program: an error that says so, the lock stays, a second run finishes", {
    timeout: 60_000,
  }, async () => {
    using repo = stopped({
      base: all(put(BASE), put({}, 'T-2')),
      ours: all(put(OURS), remove('tickets/T-2.json')),
      theirs: all(put(THEIRS), put({ title: 'changed' }, 'T-2')),
    })
    const lock = join(repo.root, '.git', 'index.lock')
    writeFileSync(lock, '')
    const started = performance.now()
    const run = await runCli(repo.root, ['resolve', '--json'])
    expect(run.status).toBe(1)
    expect(performance.now() - started).toBeGreaterThan(9_000)
    expect(errorOf(run)).toMatchObject({
      code: 'git_failed',
      message: expect.stringMatching(/could not stage them: .*index\.lock.*run the command again/),
    })
    expect(existsSync(lock)).toBe(true)
    expect(unmerged(repo.root)).toHaveLength(2)
    rmSync(lock)
    const { resolved, kept } = resolveAll(repo.root)
    expect([resolved, kept].map(list => list.map(({ path }) => path))).toEqual([[FILE], ['tickets/T-2.json']])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })

  test('in a linked worktree, from a folder below, called from elsewhere', async () => {
    using repo = withoutDriver()
    const linked = join(repo.root, '..', 'linked')
    git(repo.root, ['worktree', 'add', '--quiet', '-b', 'linked', linked, 'main'])
    expect(tryGit(linked, ['merge', 'theirs']).status).toBe(1)
    expect((await runCli(join(linked, 'tickets'), ['resolve'])).stdout).toBe(`resolved: ${FILE}\n`)
    expect(ticketIn(linked)).toEqual(makeTicket('T-1', BOTH))
    expect(unmerged(linked)).toEqual([])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', OURS))
  })

  test.each(['plan/the tickets', "it's [a] plan"])('with the tickets folder "%s"', folder => {
    const at = (fields: Partial<Ticket>) => text(encodeTicket(makeTicket('T-1', fields)), `${folder}/T-1.json`)
    using repo = stopped({
      base: all(at(BASE), text(JSON.stringify({ ticketsDir: folder }), 'ticketplan.json')),
      ours: at(OURS),
      theirs: at(THEIRS),
    })
    expect(resolve(repo.root).resolved).toEqual([{ path: `${folder}/T-1.json`, contested: 0, staged: true }])
    expect(ticketIn(repo.root, `${folder}/T-1.json`)).toEqual(makeTicket('T-1', BOTH))
    expect(unmerged(repo.root)).toEqual([])
  })

  test('the configuration in conflict itself: an error that names it', async () => {
    const both = (fields: Partial<Ticket>, pool: string) =>
      all(put(fields), text(JSON.stringify({ pools: { [pool]: 1 } }), 'ticketplan.json'))
    using repo = stopped({ base: both(BASE, 'a'), ours: both(OURS, 'b'), theirs: both(THEIRS, 'c') })
    const run = await runCli(repo.root, ['resolve', '--json'])
    expect(run.status).toBe(1)
    expect(errorOf(run)).toMatchObject({ code: 'bad_config', message: expect.stringContaining('ticketplan.json') })
  })

  test('with the driver that docs/git.md gives for one merge, as with the configured one', () => {
    const ids = Array.from({ length: 5 }, (_, n) => `N-${n}`)
    const each = (fields: Partial<Ticket>) => all(...ids.map(id => put(fields, id)))
    const setting = { base: each(BASE), ours: each(OURS), theirs: each(THEIRS), driver: testDriver() }
    const command = /^git (-c) '?([^=]*=)'([^']*)' merge other$/m.exec(readFileSync('docs/git.md', 'utf8'))!
    using repo = diverged(setting)
    tryGit(repo.root, [command[1]!, `${command[2]}${command[3]}`, 'merge', '--quiet', 'theirs'])
    // Also a file that git could have merged as text waits for resolve.
    expect(unmerged(repo.root)).toEqual(ids.map(id => `tickets/${id}.json`))
    resolve(repo.root)
    using driven = diverged(setting)
    git(driven.root, ['merge', '--quiet', 'theirs'])
    expect(ticketTexts(repo.root)).toEqual(ticketTexts(driven.root))
  })

  test(`of ${LONG ? 1000 : 20} Tickets in one run, as the driver does it one by one`, { timeout: 300_000 }, () => {
    const ids = Array.from({ length: LONG ? 1000 : 20 }, (_, n) => `N-${n}`)
    const each = (fields: Partial<Ticket>) => all(...ids.map(id => put(fields, id)))
    const setting = { base: each(BASE), ours: each(OURS), theirs: each(THEIRS) }
    const timed = (work: () => unknown) => {
      const started = performance.now()
      work()
      return Math.round(performance.now() - started)
    }
    using repo = withoutDriver(setting)
    const merge = timed(() => tryGit(repo.root, ['merge', '--quiet', 'theirs']))
    const rest = timed(() => resolve(repo.root))
    for (const id of ids) expect(ticketIn(repo.root, `tickets/${id}.json`)).toEqual(makeTicket(id, BOTH))
    if (!LONG) return
    using driven = diverged({ ...setting, driver: testDriver() })
    const driver = timed(() => git(driven.root, ['merge', '--quiet', 'theirs']))
    expect(ticketTexts(driven.root)).toEqual(ticketTexts(repo.root))
    console.log(
      `${ids.length} Tickets: ${merge} ms for git alone and ${rest} ms for resolve; ${driver} ms with the driver`,
    )
  })
})
