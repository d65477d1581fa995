import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import type { Ticket } from '../model/ticket.ts'
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
import { ATTRIBUTES, git, testDriver, ticketTexts, tryGit, unmerged } from '../test-support/git-clones.ts'
import { loose } from '../test-support/loose-decision.ts'
import { LONG } from '../test-support/proof-numbers.ts'
import { makeTicket, temporaryFolder } from '../test-support/temporary-repository.ts'

const read = (root: string, path = FILE) => readFileSync(join(root, path), 'utf8')

describe('the two sides are merged by meaning', () => {
  test.each<[string, string[][]]>([
    ['merge', [['merge', '--quiet', 'theirs']]],
    ['rebase', [['rebase', '--quiet', 'theirs']]],
    ['cherry-pick', [['cherry-pick', 'theirs']]],
    [
      'squash merge',
      [
        ['merge', '--quiet', '--squash', 'theirs'],
        ['commit', '--message', 'squashed'],
      ],
    ],
    ['pull', [['pull', '--quiet', '--no-rebase', '.', 'theirs']]],
    ['pull --rebase', [['pull', '--quiet', '--rebase', '.', 'theirs']]],
    ['merge by the strategy "recursive" of old', [['merge', '--quiet', '--strategy', 'recursive', 'theirs']]],
    [
      'am --3way',
      [
        ['format-patch', '--quiet', '--output', '../patch', '-1', 'theirs'],
        ['am', '--quiet', '--3way', '../patch'],
      ],
    ],
  ])('%s', (_, commands) => {
    using repo = diverged()
    for (const command of commands) git(repo.root, command)
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
    expect(git(repo.root, ['status', '--porcelain'])).toBe('')
  })

  test.each<[string, string[][]]>([
    [
      'stash pop',
      [
        ['stash', 'push', '--quiet'],
        ['switch', '--quiet', 'theirs'],
        ['stash', 'pop', '--quiet'],
      ],
    ],
    ['checkout -m', [['checkout', '--quiet', '--merge', 'theirs']]],
    [
      'merge --autostash',
      [
        ['reset', '--quiet', '--soft', 'main~1'],
        ['merge', '--quiet', '--autostash', 'theirs'],
      ],
    ],
  ])('%s', (_, commands) => {
    using repo = diverged()
    // Ours is not committed yet.
    git(repo.root, ['switch', '--quiet', '--detach', 'main~1'])
    put(OURS)(repo.root)
    for (const command of commands) if (command[0] !== 'reset') git(repo.root, command)
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
    expect(unmerged(repo.root)).toEqual([])
  })

  test('add/add', () => {
    using repo = diverged({ base: () => {} })
    git(repo.root, ['merge', '--quiet', 'theirs'])
    const merged = ticketIn(repo.root)
    expect(merged.decisions.filter(({ kind }) => kind === 'note')).toEqual(BOTH.decisions)
    // Without a base each side has its own state and title, although only one of them differs from the default.
    expect(
      merged.decisions.filter(({ kind }) => kind === 'contested').map(decision => loose(decision).field),
    ).toHaveLength(2)
  })

  test.each([
    'tickets/2026/q2',
    'tickets/a \'b\' $(touch made) %A; "c"',
  ])('a file moved deeper, to %s, on one side and changed on the other', folder => {
    const moved: Change = root => {
      mkdirSync(join(root, folder), { recursive: true })
      renameSync(join(root, FILE), join(root, folder, 'T-1.json'))
    }
    // git detects a rename by the text that both files have in common.
    const source = { text: 'long enough to be known again '.repeat(20) }
    for (const [ours, theirs] of [
      [all(put({ ...OURS, source }), moved), put({ ...THEIRS, source })],
      [put({ ...OURS, source }), all(put({ ...THEIRS, source }), moved)],
    ] as const) {
      using repo = diverged({ base: put({ ...BASE, source }), ours, theirs })
      git(repo.root, ['merge', '--quiet', 'theirs'])
      expect(existsSync(join(repo.root, FILE))).toBe(false)
      expect(ticketIn(repo.root, `${folder}/T-1.json`)).toMatchObject(BOTH)
      expect(existsSync(join(repo.root, 'made'))).toBe(false)
    }
  })

  test('in a linked worktree, where git exports GIT_DIR', () => {
    using repo = diverged()
    const linked = join(repo.root, '..', 'linked')
    git(repo.root, ['worktree', 'add', '--quiet', '-b', 'linked', linked, 'main'])
    git(linked, ['merge', '--quiet', 'theirs'])
    expect(ticketIn(linked)).toEqual(makeTicket('T-1', BOTH))
    const env = { ...process.env, GIT_DIR: join(repo.root, '.git'), GIT_WORK_TREE: repo.root }
    git(repo.root, ['merge', '--quiet', 'theirs'], { env })
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })

  test("in a GUI's bare environment", () => {
    using repo = diverged()
    git(repo.root, ['merge', '--quiet', 'theirs'], { env: { PATH: '/usr/bin:/bin' } })
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })

  test('on a branch without .gitattributes, by info/attributes', () => {
    const attributes: Change = root => text(ATTRIBUTES, '.git/info/attributes')(root)
    using repo = diverged({ attributes })
    git(repo.root, ['merge', '--quiet', 'theirs'])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })

  test('from a folder below the root', () => {
    using repo = diverged()
    git(join(repo.root, 'tickets'), ['merge', '--quiet', 'theirs'])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })

  test('with core.autocrlf, in bytes that are canonical', () => {
    using repo = diverged()
    git(repo.root, ['config', 'core.autocrlf', 'true'])
    git(repo.root, ['merge', '--quiet', 'theirs'])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })

  test('where a side is valid and not canonical', () => {
    using repo = diverged({ theirs: text(`\n${JSON.stringify(makeTicket('T-1', THEIRS), null, 4)}\n\n`) })
    git(repo.root, ['merge', '--quiet', 'theirs'])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })

  test('with fields and kinds of a newer version', () => {
    const newer = note(3, { kind: 'reviewed', stars: [5, { of: 5 }] })
    const [ours, theirs] = [
      { ...OURS, effort: { days: 2 } },
      { ...THEIRS, decisions: [note(0), note(2), newer], risk: null },
    ]
    using repo = diverged({ ours: put(ours), theirs: put(theirs) })
    git(repo.root, ['merge', '--quiet', 'theirs'])
    const { decisions } = BOTH
    expect(ticketIn(repo.root)).toEqual(
      makeTicket('T-1', { ...BOTH, effort: { days: 2 }, risk: null, decisions: [...decisions!, newer] }),
    )
  })

  test(`of ${LONG ? 1000 : 50} Tickets that both sides changed`, { timeout: 300_000 }, () => {
    const ids = Array.from({ length: LONG ? 1000 : 50 }, (_, n) => `N-${n}`)
    const each = (fields: Partial<Ticket>) => all(...ids.map(id => put(fields, id)))
    using repo = diverged({ base: each(BASE), ours: each(OURS), theirs: each(THEIRS) })
    const started = performance.now()
    git(repo.root, ['merge', '--quiet', 'theirs'])
    if (LONG) console.log(`${ids.length} Tickets in ${Math.round(performance.now() - started)} ms`)
    for (const id of ids) expect(ticketIn(repo.root, `tickets/${id}.json`)).toEqual(makeTicket(id, BOTH))
  })
})

describe('reverts', () => {
  test('of a commit, after a merge: what it added is removed, the rest stays, also in the next merge', () => {
    using repo = diverged()
    git(repo.root, ['merge', '--quiet', 'theirs'])
    git(repo.root, ['branch', 'elsewhere'])
    git(repo.root, ['revert', '--no-edit', 'theirs'])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', OURS))
    git(repo.root, ['switch', '--quiet', 'elsewhere'])
    commit(repo.root, put({ ...BOTH, decisions: [...BOTH.decisions!, note(3)] }))
    git(repo.root, ['merge', '--quiet', 'main'])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', { ...OURS, decisions: [...OURS.decisions!, note(3)] }))
  })

  test('of a merge, with -m 1', () => {
    using repo = diverged({ theirs: put({ ...THEIRS, title: 'theirs' }) })
    git(repo.root, ['merge', '--quiet', 'theirs'])
    expect(
      ticketIn(repo.root)
        .decisions.map(({ kind }) => kind)
        .sort(),
    ).toEqual(['contested', 'note', 'note', 'note'])
    git(repo.root, ['revert', '--no-edit', '--mainline', '1', 'HEAD'])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', OURS))
  })

  test('of a revert restores what it removed', () => {
    using repo = diverged()
    git(repo.root, ['merge', '--quiet', 'theirs'])
    git(repo.root, ['revert', '--no-edit', 'theirs'])
    git(repo.root, ['revert', '--no-edit', 'HEAD'])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })
})

describe('criss-cross', () => {
  test('two branches that merged each other, with losing values', () => {
    using repo = diverged({ theirs: put({ ...THEIRS, title: 'theirs' }) })
    const { root } = repo
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
    const merged = ticketIn(root)
    commit(root, put({ ...merged, title: 'later' }))
    git(root, ['switch', '--quiet', 'one'])
    expect(ticketIn(root)).toEqual(merged)
    commit(root, put({ ...merged, decisions: [...merged.decisions, note(5)] }))
    git(root, ['merge', '--quiet', 'other'])
    expect(ticketIn(root)).toEqual({ ...merged, title: 'later', decisions: [...merged.decisions, note(5)] })
  })

  test('five branches that merge each other repeatedly end with equal bytes', () => {
    using repo = diverged({ ours: () => {}, theirs: () => {} })
    const { root } = repo
    const branches = [1, 2, 3, 4, 5].map(n => `b${n}`)
    for (const [n, branch] of branches.entries()) {
      git(root, ['switch', '--quiet', '--create', branch, 'main'])
      commit(root, put({ title: `title ${n}`, decisions: [note(0), note(n + 1)] }))
    }
    for (let round = 0; round < 4; round++) {
      for (const [n, branch] of branches.entries()) {
        git(root, ['switch', '--quiet', branch])
        git(root, ['merge', '--quiet', branches[(n + 1 + (round % 4)) % 5]!])
      }
    }
    const texts = branches.map(branch => git(root, ['show', `${branch}:${FILE}`]))
    expect(new Set(texts).size).toBe(1)
    const { title, decisions } = JSON.parse(texts[0]!) as Ticket
    expect(title).toBe('title 4')
    expect(decisions.filter(({ kind }) => kind === 'note')).toHaveLength(6)
    expect(new Set(decisions.filter(({ kind }) => kind === 'contested').map(decision => loose(decision).lost))).toEqual(
      new Set(['title 0', 'title 1', 'title 2', 'title 3']),
    )
  })
})

describe('where git does not start the driver', () => {
  test.each([
    ['ours', (root: string) => rmSync(join(root, FILE)), put(THEIRS), THEIRS],
    ['theirs', put(OURS), (root: string) => rmSync(join(root, FILE)), OURS],
  ] as const)('deleted by %s and changed by the other: a conflict, the changed Ticket whole', (_, ours, theirs, kept) => {
    using repo = diverged({ ours, theirs })
    expect(tryGit(repo.root, ['merge', 'theirs'])).toMatchObject({
      status: 1,
      output: expect.stringContaining('CONFLICT (modify/delete)'),
    })
    expect(unmerged(repo.root)).toEqual([FILE])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', kept))
  })

  test('the strategy "resolve" merges as text: a visible conflict', () => {
    using repo = diverged()
    expect(tryGit(repo.root, ['merge', '--strategy', 'resolve', 'theirs']).status).toBe(1)
    expectVisibleConflict(repo.root, note(1).id, note(2).id)
  })

  test('an octopus merges as text; on a conflict git gives up and changes nothing', () => {
    using repo = diverged()
    const { root } = repo
    git(root, ['switch', '--quiet', '--create', 'third', 'main~1'])
    commit(root, put({ decisions: [note(0), note(3)] }))
    git(root, ['switch', '--quiet', 'main'])
    const before = git(root, ['rev-parse', 'HEAD'])
    expect(tryGit(root, ['merge', 'theirs', 'third'])).toMatchObject({
      status: 2,
      output: expect.stringContaining('Merge with strategy octopus failed'),
    })
    expect(git(root, ['rev-parse', 'HEAD'])).toBe(before)
    expect(git(root, ['status', '--porcelain'])).toBe('')
    expect(existsSync(join(root, '.git', 'MERGE_HEAD'))).toBe(false)
    // Two merges in sequence merge by meaning.
    git(root, ['merge', '--quiet', 'theirs'])
    git(root, ['merge', '--quiet', 'third'])
    expect(ticketIn(root).decisions).toEqual([note(0), note(1), note(2), note(3)])
  })

  test('two Tickets alike, of which one side removed one and the other changed it: never merged into each other', () => {
    const alike = { reason: 'the same long text in both '.repeat(20) }
    using repo = diverged({
      base: put({ ...BASE, ...alike }),
      ours: all(root => rmSync(join(root, FILE)), put({ ...BASE, ...alike, title: 'another' }, 'T-2')),
      theirs: put({ ...THEIRS, ...alike }),
    })
    const { status } = tryGit(repo.root, ['merge', 'theirs'])
    expect(status).toBe(1)
    const texts = [...ticketTexts(repo.root).values()].join('')
    expect(texts).toContain(note(2).id)
    expect(texts).toContain('another')
  })

  test('a whole folder moved deeper by one side, a Ticket added by the other: nothing is lost', () => {
    using repo = diverged({
      base: all(put(BASE), put(BASE, 'T-2'), put(BASE, 'T-3')),
      ours: root => {
        mkdirSync(join(root, 'tickets', 'old'))
        for (const id of ['T-1', 'T-2', 'T-3'])
          renameSync(join(root, `tickets/${id}.json`), join(root, `tickets/old/${id}.json`))
      },
      theirs: all(put(THEIRS), put(THEIRS, 'T-4')),
    })
    tryGit(repo.root, ['merge', 'theirs'])
    const paths = [...ticketTexts(repo.root).keys()].map(path => path.replace(/.*\//, '')).sort()
    expect(paths).toEqual(['T-1.json', 'T-2.json', 'T-3.json', 'T-4.json'])
    expect([...ticketTexts(repo.root).values()].join('')).not.toContain('<<<<<<<')
  })
})

/** Expects the parts of both sides in the file, a text with markers, and a conflict in git's index. */
function expectVisibleConflict(root: string, ...parts: string[]): void {
  expect(unmerged(root)).toEqual([FILE])
  const found = readFileSync(join(root, FILE))
  for (const part of parts) expect(found.includes(part), `${part} in ${found}`).toBe(true)
  expect(found.toString('latin1')).toMatch(/^<{7} .*^={7}$.*^>{7} /ms)
}

describe('a side that cannot be read', () => {
  const ours = encodeTicket(makeTicket('T-1', OURS))
  const theirs = encodeTicket(makeTicket('T-1', THEIRS))

  test.each<[string, string | Buffer]>([
    ['with conflict markers', theirs.replace('{\n', '{\n<<<<<<< ours\n=======\n>>>>>>> theirs\n')],
    ['that is no JSON', theirs.replace('"state"', 'state')],
    ['cut off', theirs.slice(0, -60)],
    ['of another id', theirs.replace('"T-1"', '"T-9"')],
    ['of a later format', theirs.replace('"format": 1', '"format": 2')],
    ['that is no UTF-8', Buffer.concat([Buffer.from(theirs), Buffer.from([0xff, 0xfe, 0x0a])])],
    ['with a NUL, which git treats as binary', Buffer.concat([Buffer.from(theirs), Buffer.from([0x00, 0x0a])])],
    ['that is empty', ''],
  ])('%s: exit status 1, and both sides in the file', (_, broken) => {
    const id = broken === '' ? note(1).id : note(2).id
    for (const [ourSide, theirSide] of [
      [ours, broken],
      [broken, ours],
    ] as const) {
      using repo = diverged({ ours: text(ourSide), theirs: text(theirSide) })
      const run = tryGit(repo.root, ['merge', 'theirs'])
      expect(run.status, run.output).toBe(1)
      expect(run.output).toContain('tickets/T-1.json')
      expectVisibleConflict(repo.root, note(1).id, id)
    }
  })

  test('because the merged Ticket exceeds a limit', () => {
    const notes = (from: number) =>
      Array.from({ length: 40 }, (_, n) =>
        note(0, { id: `01JX8Z3V7Q4T9K2M5N6P7R8${from + n}0`, reason: 'x'.repeat(16_000) }),
      )
    using repo = diverged({ ours: put({ decisions: notes(100) }), theirs: put({ decisions: notes(200) }) })
    const run = tryGit(repo.root, ['merge', 'theirs'])
    expect(run.status, run.output).toBe(1)
    expectVisibleConflict(repo.root, notes(100)[7]!.id, notes(200)[7]!.id)
  })
})

describe('a driver that fails', () => {
  test.each<[string, string | null]>([
    ['missing', null],
    ['that throws', 'throw new Error("x")'],
    ['that is no program', '<<<<<<< ours'],
    [
      'killed when half of a file is written',
      'writeFileSync(ours, "{"); process.kill(process.pid, "SIGKILL"); for (;;);',
    ],
    ['that removed ours', 'rmSync(ours); process.exitCode = 9'],
  ])('%s: a visible conflict with a message, in a bare environment', (name, program) => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'a "driver\'s" %A $HOME.cjs')
    const head = "const { rmSync, writeFileSync } = require('node:fs'); const ours = process.argv[3];"
    if (program !== null) writeFileSync(path, `${head} ${program}`)
    using repo = diverged({ driver: testDriver(path) })
    const run = tryGit(repo.root, ['merge', 'theirs'], { env: { PATH: '/usr/bin:/bin' } })
    expect(run).toMatchObject({ status: 1, output: expect.stringContaining('run "ticketplan init" again') })
    expect(run.output).toContain(path)
    expect(unmerged(repo.root)).toEqual([FILE])
    expect(read(repo.root)).toContain(note(2).id)
    // The driver may have destroyed ours in the work tree; git still has it.
    if (name.startsWith('missing') || name.startsWith('that throws')) expectVisibleConflict(repo.root, note(1).id)
    expect(git(repo.root, ['show', `:2:${FILE}`])).toContain(note(1).id)
    git(repo.root, ['config', 'merge.ticketplan.driver', testDriver()])
    git(repo.root, ['merge', '--abort'])
    git(repo.root, ['merge', '--quiet', 'theirs'])
    expect(ticketIn(repo.root)).toEqual(makeTicket('T-1', BOTH))
  })

  test('whose Node is missing', () => {
    using repo = diverged({ driver: testDriver(undefined, '/nowhere/node') })
    const run = tryGit(repo.root, ['merge', 'theirs'])
    expect(run).toMatchObject({ status: 1, output: expect.stringContaining('/nowhere/node is missing') })
    expectVisibleConflict(repo.root, note(1).id, note(2).id)
  })
})

describe('without the driver', () => {
  test.each([
    ['not configured', null],
    ['without attributes', testDriver()],
  ])('%s: adjacent decisions are a visible conflict, with both', (name, driver) => {
    using repo = diverged({ driver, ...(name === 'without attributes' && { attributes: () => {} }) })
    expect(tryGit(repo.root, ['merge', 'theirs']).status).toBe(1)
    expectVisibleConflict(repo.root, note(1).id, note(2).id)
  })

  test('decisions with others between them merge as text with the same result as the driver', () => {
    const many = [1, 3, 5, 7].map(n => note(n))
    const base = put({ decisions: many })
    const [ours, theirs] = [0, 8].map(n =>
      put({ decisions: [...many, note(n)].sort((a, b) => (a.id < b.id ? -1 : 1)) }),
    )
    using repo = diverged({ driver: null, base, ours, theirs } as Setting)
    const run = tryGit(repo.root, ['merge', 'theirs'])
    using other = diverged({ base, ours, theirs } as Setting)
    git(other.root, ['merge', '--quiet', 'theirs'])
    if (run.status === 0) expect(read(repo.root)).toBe(read(other.root))
    else expectVisibleConflict(repo.root, note(0).id, note(8).id)
  })
})
