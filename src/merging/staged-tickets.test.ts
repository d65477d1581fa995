import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { makeNote, makeTicket, putTicket, runGit, temporaryRepository } from '../test-support/temporary-repository.ts'

/** Returns what `verify --staged` finds in a checkout, as pairs of code and path. */
function found(root: string): [code: string, path: string][] {
  using plan = checkedPlan(root)
  const { ok, problems } = plan.verify({ staged: true })
  expect(ok).toBe(problems.every(({ severity }) => severity === 'warning'))
  return problems.map(({ code, path }) => [code, path])
}

function put(root: string, path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

const stage = (root: string, ...paths: string[]) =>
  runGit(root, 'add', '--all', '--', ...(paths.length ? paths : ['.']))
const commit = (root: string) => runGit(root, 'commit', '--quiet', '--allow-empty', '--message=one')

describe('verify --staged', () => {
  it('finds a file whose ending is not in lower case', () => {
    using repo = temporaryRepository()
    put(repo.root, 'tickets/X.JSON', encodeTicket(makeTicket('X')))
    stage(repo.root)
    expect(found(repo.root)).toEqual([['id_mismatch', 'tickets/X.JSON']])
  })

  it('finds nothing before the first commit, and counts what is staged', () => {
    using repo = temporaryRepository()
    expect(found(repo.root)).toEqual([])
    putTicket(repo.root, 'A', { decisions: [makeNote('x')] })
    putTicket(repo.root, 'B', {}, 'deeper')
    stage(repo.root)
    using plan = checkedPlan(repo.root)
    expect(plan.verify({ staged: true })).toEqual({
      ok: true,
      problems: [],
      fixed: [],
      checked: { tickets: 2, decisions: 1 },
    })
    commit(repo.root)
    expect(plan.verify({ staged: true }).checked).toEqual({ tickets: 0, decisions: 0 })
  })

  it('checks what is staged, not the work tree', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    stage(repo.root)
    writeFileSync(join(repo.root, path), 'broken')
    expect(found(repo.root)).toEqual([])
    stage(repo.root)
    putTicket(repo.root, 'A')
    expect(found(repo.root)).toEqual([['syntax', path]])
  })

  it('reports each kind of broken content, with its place', () => {
    using repo = temporaryRepository()
    const { root } = repo
    put(root, 'tickets/half.json', '{"id":\n')
    put(root, 'tickets/conflict.json', `<<<<<<< ours\n${encodeTicket(makeTicket('conflict'))}=======\n>>>>>>> theirs\n`)
    put(root, 'tickets/latin.json', Buffer.from([0x7b, 0xff, 0x7d]))
    put(root, 'tickets/other.json', encodeTicket(makeTicket('another')))
    put(root, 'tickets/hand.json', JSON.stringify(makeTicket('hand'), null, 4))
    put(root, 'tickets/large.json', 'x'.repeat(1024 * 1024 + 1))
    put(root, 'tickets/later.json', '{"format":2,"id":"later","title":"x","state":"open"}\n')
    put(root, 'tickets/empty.json', '')
    stage(root)
    expect(found(root)).toEqual([
      ['conflict_markers', 'tickets/conflict.json'],
      ['syntax', 'tickets/empty.json'],
      ['syntax', 'tickets/half.json'],
      ['not_canonical', 'tickets/hand.json'],
      ['too_large', 'tickets/large.json'],
      ['newer_format', 'tickets/later.json'],
      ['invalid_utf8', 'tickets/latin.json'],
      ['id_mismatch', 'tickets/other.json'],
    ])
    using plan = checkedPlan(root)
    expect(plan.verify({ staged: true }).problems.find(({ path }) => path === 'tickets/half.json')!.message).toMatch(
      /^line 2, column 1: /,
    )
  })

  it('reports what is in the place of a Ticket: a link, a folder, a submodule', () => {
    using repo = temporaryRepository()
    using inner = temporaryRepository()
    const { root } = repo
    commit(inner.root)
    symlinkSync('/etc/passwd', join(root, 'tickets/link.json'))
    symlinkSync('..', join(root, 'tickets/folder-link'))
    put(root, 'tickets/folder.json/a.json', '{}')
    put(root, 'tickets/folder.json/b.txt', '')
    runGit(root, '-c', 'advice.addEmbeddedRepo=false', 'submodule', '--quiet', 'add', inner.root, 'tickets/module.json')
    stage(root)
    expect(found(root)).toEqual([
      ['symbolic_link', 'tickets/folder-link'],
      ['not_a_regular_file', 'tickets/folder.json'],
      ['symbolic_link', 'tickets/link.json'],
      ['not_a_regular_file', 'tickets/module.json'],
    ])
    rmSync(join(root, 'tickets'), { recursive: true })
    symlinkSync('/tmp', join(root, 'tickets'))
    runGit(root, 'rm', '--quiet', '-r', '--cached', '--force', 'tickets')
    stage(root, 'tickets')
    expect(found(root)).toEqual([['symbolic_link', 'tickets']])
  })

  it('reports a path that is not merged yet', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A', { title: 'base' })
    stage(repo.root)
    commit(repo.root)
    for (const [branch, title] of [
      ['one', 'first'],
      ['two', 'second'],
    ] as const) {
      runGit(repo.root, 'checkout', '--quiet', '-b', branch, 'main')
      putTicket(repo.root, 'A', { title })
      stage(repo.root)
      commit(repo.root)
    }
    expect(() => runGit(repo.root, 'merge', 'one')).toThrow()
    expect(found(repo.root)).toEqual([['unmerged', path]])
    putTicket(repo.root, 'A', { title: 'both' })
    stage(repo.root)
    expect(found(repo.root)).toEqual([])
  })

  it('ignores what is no Ticket: other folders, other names, removed files and unchanged ones', () => {
    using repo = temporaryRepository()
    const { root } = repo
    put(root, 'tickets/before.json', 'broken')
    put(root, 'tickets/gone.json', 'broken')
    stage(root)
    commit(root)
    for (const path of [
      'package.json',
      'other/A.json',
      'tickets/README.md',
      'tickets/.hidden.json',
      'tickets/.git2/A.json',
    ])
      put(root, path, 'broken')
    put(root, 'tickets.json', 'broken')
    put(root, 'ticketsx/A.json', 'broken')
    rmSync(join(root, 'tickets/gone.json'))
    stage(root)
    expect(found(root)).toEqual([])
  })

  it('supports names with blanks, quotes and other scripts, and a ticketsDir that looks like a pattern', () => {
    using repo = temporaryRepository()
    const { root } = repo
    writeFileSync(join(root, 'ticketplan.json'), '{"ticketsDir":"-x/my [tickets]*"}')
    put(root, '-x/my [tickets]*/日本 "q"\n/A.json', 'broken')
    put(root, '-x/my [tickets]*/B.json', encodeTicket(makeTicket('B')))
    put(root, '-x/my team of the other folder/C.json', 'broken')
    stage(root)
    expect(found(root)).toEqual([['syntax', '-x/my [tickets]*/日本 "q"\n/A.json']])
  })

  it('reads the index that git passes to a hook, where it runs in that repository', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    stage(repo.root)
    const other = join(repo.root, '.git', 'other-index')
    put(repo.root, 'tickets/A.json', 'broken')
    const cwd = process.cwd()
    process.env.GIT_INDEX_FILE = other
    try {
      // A relative name counts from the top of the work tree, as it does for git.
      for (const name of [other, '.git/other-index']) {
        rmSync(other, { force: true })
        process.env.GIT_INDEX_FILE = name
        stageWithIndex(repo.root, other)
        process.chdir(repo.root)
        expect(found(repo.root)).toEqual([['syntax', path]])
        process.chdir(cwd)
        expect(found(repo.root)).toEqual([])
      }
    } finally {
      process.chdir(cwd)
      delete process.env.GIT_INDEX_FILE
    }
  })

  it('needs git, and refuses --fix', () => {
    using repo = temporaryRepository({ git: false })
    using plan = checkedPlan(repo.root)
    expect(() => plan.verify({ staged: true })).toThrow(
      expect.objectContaining({ code: 'no_git', message: expect.stringContaining('not in a git repository') }),
    )
    expect(() => plan.verify({ staged: true, fix: true })).toThrow(
      expect.objectContaining({ code: 'invalid_input', data: { field: 'fix' } }),
    )
  })

  it('reads more than one batch of blobs', () => {
    using repo = temporaryRepository()
    const long = 'x'.repeat(700_000)
    for (let n = 0; n < 100; n++)
      put(
        repo.root,
        `tickets/T${n}.json`,
        encodeTicket(makeTicket(`T${n}`, { title: 't', more: `${n}${long}` } as never)),
      )
    put(repo.root, 'tickets/T50.json', 'broken')
    stage(repo.root)
    expect(found(repo.root)).toEqual([['syntax', 'tickets/T50.json']])
  })
})

function stageWithIndex(root: string, index: string): void {
  const blob = runGit(root, 'hash-object', '-w', 'tickets/A.json').trim()
  // runGit leaves GIT_* out, so the other index is made by moving it aside and back.
  const own = join(root, '.git', 'index')
  const aside = join(root, '.git', 'index-aside')
  renameSync(own, aside)
  runGit(root, 'update-index', '--add', '--cacheinfo', `100644,${blob},tickets/A.json`)
  renameSync(own, index)
  renameSync(aside, own)
}
