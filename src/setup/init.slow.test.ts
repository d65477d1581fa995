import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, test } from 'vitest'
import { findRepository } from '../files/repository.ts'
import { writeWithMode as write } from '../test-support/agent-repository.ts'
import { CLI, inParallel, jsonOf, runCli } from '../test-support/run-cli.ts'
import { mountObstacle, mountReadOnly } from '../test-support/system-abilities.ts'
import {
  makeNote,
  putTicket,
  runGit,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { initRepository } from './init.ts'

/** The minimal environment that a graphical program may pass to git, and git's author. */
const BARE = {
  PATH: '/usr/bin:/bin',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'tester',
  GIT_AUTHOR_EMAIL: 'tester@example.org',
  GIT_COMMITTER_NAME: 'tester',
  GIT_COMMITTER_EMAIL: 'tester@example.org',
}

/** Runs git in that environment only. */
function git(root: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: root, env: BARE, encoding: 'utf8' })
  return { status, stdout, stderr }
}

function done(root: string, ...args: string[]): string {
  const run = git(root, ...args)
  if (run.status !== 0) throw new Error(`git ${args.join(' ')}: ${run.stdout}${run.stderr}`)
  return run.stdout
}

function commitAll(root: string, message: string): void {
  done(root, 'add', '--all')
  done(root, 'commit', '--quiet', '--allow-empty', `--message=${message}`)
}

const init = async (root: string, ...args: string[]) => {
  const run = await runCli(root, ['init', '--json', ...args])
  if (run.status !== 0) throw new Error(run.stderr)
  return jsonOf<{ made: string[]; skipped: { message: string }[] }>(run)
}

/** Reads the titles of the Tickets in the index, without reconciling it first. */
function indexed(root: string): string[] {
  const path = findRepository(root).indexDir
  if (!existsSync(join(path, 'index.db'))) return []
  const database = new Database(join(path, 'index.db'), { readonly: true })
  const titles = database.prepare('select title from tickets order by title').pluck().all() as string[]
  database.close()
  return titles
}

/** Creates a repository and a clone of it, both set up; `origin` is one Ticket ahead of the clone. */
async function behind(): Promise<{ root: string; clone: string } & Disposable> {
  const repo = temporaryRepository()
  const folder = temporaryFolder()
  const clone = join(folder.path, 'clone')
  await init(repo.root)
  putTicket(repo.root, 'A', { title: 'first' })
  commitAll(repo.root, 'one')
  done(repo.root, 'clone', '--quiet', '.', clone)
  await init(clone)
  putTicket(repo.root, 'B', { title: 'second' })
  commitAll(repo.root, 'two')
  return {
    root: repo.root,
    clone,
    [Symbol.dispose]() {
      folder[Symbol.dispose]()
      repo[Symbol.dispose]()
    },
  }
}

describe('hooks keep the index current, in a bare environment', () => {
  test('pull, checkout, branch switch, rebase and amend', async () => {
    using repos = await behind()
    const { clone } = repos
    expect(git(clone, 'pull', '--quiet')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(indexed(clone)).toEqual(['first', 'second'])
    expect(jsonOf(await runCli(clone, ['sync', '--json']))).toMatchObject({ tickets: 2, changed: 0 })

    done(clone, 'checkout', '--quiet', '-b', 'side', 'HEAD~1')
    expect(indexed(clone)).toEqual(['first'])
    putTicket(clone, 'C', { title: 'third' })
    commitAll(clone, 'three')
    done(clone, 'rebase', '--quiet', 'main')
    expect(indexed(clone)).toEqual(['first', 'second', 'third'])
    putTicket(clone, 'C', { title: 'third, amended' })
    done(clone, 'add', '--all')
    done(clone, 'commit', '--quiet', '--amend', '--no-edit')
    expect(indexed(clone)).toEqual(['first', 'second', 'third, amended'])
    done(clone, 'checkout', '--quiet', 'HEAD~2', '--', 'tickets')
    expect(indexed(clone)).toEqual(['first', 'second', 'third, amended'].slice(0, indexed(clone).length))
    expect(jsonOf(await runCli(clone, ['sync', '--json']))).toMatchObject({ changed: 0 })
  })

  test('switching to a branch without a tickets folder and back prints nothing', async () => {
    using repos = await behind()
    const { clone } = repos
    done(clone, 'checkout', '--quiet', '--orphan', 'empty')
    done(clone, 'rm', '--quiet', '-r', '--force', '.')
    rmSync(join(clone, 'tickets'), { recursive: true, force: true })
    commitAll(clone, 'empty')
    expect(git(clone, 'checkout', '--quiet', 'main')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(git(clone, 'checkout', '--quiet', 'empty')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(git(clone, 'checkout', '--quiet', 'main').stderr).toBe('')
    expect(indexed(clone)).toEqual(['first'])
  })

  test('files that cannot be read are reported in one line, and do not fail the pull', async () => {
    using repos = await behind()
    write(join(repos.root, 'tickets/X.json'), 'broken')
    commitAll(repos.root, 'broken')
    const pulled = git(repos.clone, 'pull', '--quiet')
    expect(pulled.status).toBe(0)
    expect(pulled.stderr).toBe('note: 1 Ticket file cannot be read; see "ticketplan verify"\n')
  })

  test.each(['exit 0', 'exec true', 'echo "mine: $*"; exit 0'])('in an existing hook that ends in %j', async line => {
    using repos = await behind()
    const { clone } = repos
    write(join(clone, '.git/hooks/post-merge'), `#!/bin/bash -e\n${line}\n`, 0o755)
    await init(clone)
    const pulled = git(clone, 'pull', '--quiet')
    expect(pulled).toMatchObject({ status: 0, stderr: line.startsWith('echo') ? 'mine: 0\n' : '' })
    expect(indexed(clone)).toEqual(['first', 'second'])
  })

  test('an existing hook keeps its exit status and its input', async () => {
    using repos = await behind()
    const { clone } = repos
    write(join(clone, '.git/hooks/post-checkout'), '#!/bin/sh\nexit 3\n', 0o755)
    write(join(clone, '.git/hooks/post-rewrite'), `#!/bin/sh\ncat > '${join(clone, '.git/rewritten')}'\n`, 0o755)
    await init(clone)
    expect(git(clone, 'checkout', '--quiet', '-b', 'side').status).toBe(1) // git returns 1 for any failure of the hook
    done(clone, 'commit', '--quiet', '--amend', '--allow-empty', '--message=other')
    expect(readFileSync(join(clone, '.git/rewritten'), 'utf8')).toMatch(
      /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64})\n$/,
    )
  })

  test('a hook folder of the repository: no output in a clone without init, a current index in one with it', async () => {
    using repos = await behind()
    using folder = temporaryFolder()
    const { root } = repos
    done(root, 'config', 'core.hooksPath', '.githooks')
    await init(root)
    commitAll(root, 'hooks')
    const other = join(folder.path, 'other')
    done(root, 'clone', '--quiet', '.', other)
    done(other, 'config', 'core.hooksPath', '.githooks')
    expect(git(other, 'checkout', '--quiet', '-b', 'side')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(indexed(other)).toEqual([])
    await init(other)
    done(other, 'checkout', '--quiet', 'main')
    expect(indexed(other)).toEqual(['first', 'second'])
  })

  test('with hooks that husky runs', async () => {
    using repos = await behind()
    const { clone } = repos
    const wrapper =
      '#!/bin/sh\nhook="$(dirname "$(dirname "$0")")/$(basename "$0")"\n[ ! -f "$hook" ] || sh -e "$hook" "$@"\n'
    for (const hook of ['post-merge', 'post-checkout', 'post-rewrite'])
      write(join(clone, '.husky/_', hook), wrapper, 0o755)
    write(join(clone, '.husky/post-merge'), 'echo husky\n')
    done(clone, 'config', 'core.hooksPath', '.husky/_')
    await init(clone)
    expect(git(clone, 'pull', '--quiet').stderr).toBe('husky\n')
    expect(indexed(clone)).toEqual(['first', 'second'])
  })

  test.each(['main', 'linked'])('in linked worktrees, with init run in the %s one', async where => {
    using repos = await behind()
    using folder = temporaryFolder()
    const linked = join(folder.path, "a linked 'worktree'")
    await runCli(repos.clone, ['init', '--undo'])
    done(repos.clone, 'worktree', 'add', '--quiet', '-b', 'side', linked)
    await init(where === 'main' ? repos.clone : linked)
    done(linked, 'pull', '--quiet', 'origin', 'main')
    expect(indexed(linked)).toEqual(['first', 'second'])
    done(repos.clone, 'pull', '--quiet', 'origin', 'main')
    expect(indexed(repos.clone)).toEqual(['first', 'second'])
    const third = join(folder.path, 'third')
    done(linked, 'worktree', 'add', '--quiet', '-b', 'other', third)
    expect(indexed(third)).toEqual(['first', 'second'])
  })

  test('where the program is missing git prints that and continues', async () => {
    using repos = await behind()
    const { clone } = repos
    done(clone, 'config', 'ticketplan.command', `'${process.execPath}' '/no/where/cli.js'`)
    const pulled = git(clone, 'pull', '--quiet')
    expect(pulled.status).toBe(0)
    expect(pulled.stderr).toContain('/no/where/cli.js\' is missing; run "ticketplan init" again')
    await init(clone)
    expect(git(clone, 'checkout', '--quiet', '-b', 'side').stderr).toBe('')
  })
})

describe('the pre-commit hook', () => {
  test('refuses invalid staged files, prints the problems, stages nothing, and accepts everything else', async () => {
    using repo = temporaryRepository()
    const { root } = repo
    await init(root, '--pre-commit')
    commitAll(root, 'set up')
    const path = putTicket(root, 'A', { title: 'right' })
    done(root, 'add', '--all')
    write(join(root, path), 'broken')
    expect(git(root, 'commit', '--quiet', '--message=right').status).toBe(0)

    // `commit -a` and `commit <path>` have an index of their own.
    for (const args of [['-a'], ['--', path]]) {
      const refused = git(root, 'commit', '--quiet', '--message=wrong', ...args)
      expect(refused.status).toBe(1)
      expect(refused.stderr).toContain(`problem: ${path}: line 1, column 1`)
    }
    expect(done(root, 'status', '--porcelain')).toBe(` M ${path}\n`)
    putTicket(root, 'B')
    done(root, 'add', 'tickets/B.json')
    expect(git(root, 'commit', '--quiet', '--message=other').status).toBe(0)
    // What is staged is wrong, what is committed is not.
    putTicket(root, 'B', { title: 'changed' })
    done(root, 'add', path)
    expect(git(root, 'commit', '--quiet', '--message=only B', '--', 'tickets/B.json').status).toBe(0)
    expect(git(root, 'commit', '--quiet', '--message=A').status).toBe(1)
    expect(git(root, 'commit', '--quiet', '--message=A', '--no-verify').status).toBe(0)
  })

  test('in a linked worktree, and from a subfolder', async () => {
    using repo = temporaryRepository()
    using folder = temporaryFolder()
    await init(repo.root, '--pre-commit')
    write(join(repo.root, 'src/a'), 'a')
    commitAll(repo.root, 'one')
    const linked = join(folder.path, 'linked')
    done(repo.root, 'worktree', 'add', '--quiet', linked)
    write(join(linked, 'tickets/A.json'), 'broken')
    done(linked, 'add', '--all')
    expect(git(join(linked, 'src'), 'commit', '--quiet', '--message=x')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('tickets/A.json'),
    })
  })
})

const DRIVER = `
const { writeFileSync, readFileSync } = require('node:fs')
const [base, ours, theirs, path] = process.argv.slice(2)
const texts = [base, ours, theirs].map(file => readFileSync(file, 'utf8'))
writeFileSync(ours, JSON.stringify({ path, merged: texts.map(text => text.length > 0) }) + '\\n')
process.exitCode = Number(process.env.DRIVER_STATUS ?? 10)
`

/** Creates two branches that change one line of one Ticket; `main` is checked out. `name` is the folder of the programs. */
function conflict(name: string, folder: string, driver: string | null, deeper = '') {
  const root = join(folder, 'repository')
  const programs = join(folder, name)
  mkdirSync(root)
  mkdirSync(programs)
  const mergeDriver = join(programs, 'merge-driver.cjs')
  if (driver !== null) write(mergeDriver, driver)
  const node = join(programs, 'node')
  write(node, `#!/bin/sh\nexec '${process.execPath}' "$@"\n`, 0o755)
  runGit(root, 'init', '--quiet', '--template=', '--initial-branch=main')
  initRepository(findRepository(root), { programs: { node, cli: CLI, mergeDriver } })
  done(root, 'config', '--unset', 'ticketplan.command') // the test driver writes no valid Ticket, which the hooks would report
  const path = putTicket(root, 'A', { title: 'base' }, deeper)
  commitAll(root, 'base')
  done(root, 'checkout', '--quiet', '-b', 'side')
  putTicket(root, 'A', { title: 'theirs' }, deeper)
  commitAll(root, 'theirs')
  done(root, 'checkout', '--quiet', 'main')
  putTicket(root, 'A', { title: 'ours' }, deeper)
  commitAll(root, 'ours')
  return { root, path, node, mergeDriver, text: () => readFileSync(join(root, path), 'utf8') }
}

const NAMES = [
  'plain',
  "it's a 'quoted' one",
  '100%A %O%B %% %P%',
  'two  spaces "and" $HOME `id` \\n !x',
  'Zürich 計画',
  'new\nline',
  "%'%",
]

describe('the merge driver, in a bare environment', () => {
  it.each(NAMES)('runs from a folder named %j', name => {
    using folder = temporaryFolder()
    const { root, path, text } = conflict(name, folder.path, DRIVER, "deep 'er")
    const merged = git(root, 'merge', '--quiet', 'side')
    expect(merged).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(text())).toEqual({ path, merged: [true, true, true] })
    expect(done(root, 'status', '--porcelain')).toBe('')
  })

  it.each(NAMES)('whose program is missing from a folder named %j prints that, and leaves markers', name => {
    using folder = temporaryFolder()
    const { root, path, mergeDriver, text } = conflict(name, folder.path, null)
    const merged = git(root, 'merge', '--quiet', 'side')
    expect(merged.status).toBe(1)
    expect(merged.stderr).toContain(`${mergeDriver} is missing`)
    expect(merged.stderr).toContain('run "ticketplan init" again')
    expect(merged.stderr).toContain(path)
    expect(text()).toMatch(/^<<<<<<< ours\n[\s\S]*"ours"[\s\S]*^=======\n[\s\S]*"theirs"[\s\S]*^>>>>>>> theirs\n/m)
    expect(done(root, 'status', '--porcelain')).toBe(`UU ${path}\n`)
  })

  it('whose Node is missing', () => {
    using folder = temporaryFolder()
    const { root, node, text } = conflict('plain', folder.path, DRIVER)
    rmSync(node)
    const merged = git(root, 'merge', '--quiet', 'side')
    expect(merged).toMatchObject({ status: 1, stderr: expect.stringContaining(`${node} is missing`) })
    expect(text()).toContain('<<<<<<< ours')
  })

  it.each([
    ['is empty, so that Node exits with 0', '', 'ended with status 0'],
    ['throws', 'throw new Error("x")', 'ended with status 1'],
    ['is damaged', '(', 'ended with status 1'],
    ['exits with another status', 'process.exit(2)', 'ended with status 2'],
    ['is killed', "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)", 'ended with status 137'],
  ])('that %s', (_, body, why) => {
    using folder = temporaryFolder()
    const { root, path, text } = conflict('plain', folder.path, body)
    const merged = git(root, 'merge', '--quiet', 'side')
    expect(merged).toMatchObject({ status: 1, stderr: expect.stringContaining(why) })
    expect(text()).toMatch(/<<<<<<< ours[\s\S]*>>>>>>> theirs/)
    expect(done(root, 'status', '--porcelain')).toBe(`UU ${path}\n`)
  })

  it('that reports a conflict: its result is kept', () => {
    using folder = temporaryFolder()
    const body = `${DRIVER};writeFileSync(ours, '<<<<<<< its own\\n'); process.exitCode = 11`
    const { root, path, text } = conflict('plain', folder.path, body)
    expect(git(root, 'merge', '--quiet', 'side')).toMatchObject({ status: 1, stderr: '' })
    expect(text()).toBe('<<<<<<< its own\n')
    expect(done(root, 'status', '--porcelain')).toBe(`UU ${path}\n`)
  })

  it('that is missing, for a binary file: theirs is appended to ours', () => {
    using folder = temporaryFolder()
    const { root, path, text } = conflict('plain', folder.path, null)
    done(root, 'checkout', '--quiet', 'side')
    write(join(root, path), 'theirs \0 bytes\n')
    commitAll(root, 'bytes')
    done(root, 'checkout', '--quiet', 'main')
    expect(git(root, 'merge', '--quiet', 'side').status).toBe(1)
    expect(text()).toContain('"ours"')
    expect(text()).toContain('theirs \0 bytes\n>>>>>>> theirs\n')
  })

  it('runs on branches without a .gitattributes, and for every git command that merges', () => {
    using folder = temporaryFolder()
    const { root, text } = conflict('plain', folder.path, DRIVER)
    for (const branch of ['side', 'main']) {
      done(root, 'checkout', '--quiet', branch)
      done(root, 'rm', '--quiet', '.gitattributes')
      commitAll(root, 'without')
    }
    const start = done(root, 'rev-parse', 'HEAD').trim()
    for (const args of [
      ['merge', '--quiet', 'side'],
      ['cherry-pick', 'side~1'],
      ['rebase', '--quiet', 'side'],
      ['merge', '--quiet', '-s', 'recursive', 'side'],
    ]) {
      expect(git(root, ...args), args.join(' ')).toMatchObject({ status: 0 })
      expect(text(), args.join(' ')).toContain('"merged":[true,true,true]')
      done(root, 'reset', '--quiet', '--hard', start)
    }
    done(root, 'checkout', '--quiet', 'side')
    putTicket(root, 'A', { title: 'stashed' })
    done(root, 'stash', '--quiet')
    done(root, 'checkout', '--quiet', 'main')
    expect(git(root, 'stash', 'pop', '--quiet').status).toBe(0)
    expect(text()).toContain('"merged":[true,true,true]')
  })

  it('runs, or is reported missing, in a linked worktree, where git sets GIT_DIR', () => {
    using folder = temporaryFolder()
    const { root, path, mergeDriver } = conflict('plain', folder.path, DRIVER)
    const linked = join(folder.path, 'linked')
    done(root, 'worktree', 'add', '--quiet', '-b', 'third', linked, 'main')
    expect(git(linked, 'merge', '--quiet', 'side')).toMatchObject({ status: 0, stderr: '' })
    expect(readFileSync(join(linked, path), 'utf8')).toContain('"merged":[true,true,true]')
    done(linked, 'reset', '--quiet', '--hard', 'main')
    renameSync(mergeDriver, `${mergeDriver}.away`)
    expect(git(linked, 'merge', '--quiet', 'side').status).toBe(1)
    expect(readFileSync(join(linked, path), 'utf8')).toContain('<<<<<<< ours')
  })

  it('is found after the program has moved and init ran again', () => {
    using folder = temporaryFolder()
    const { root, node, mergeDriver, text } = conflict('plain', folder.path, DRIVER)
    const moved = join(folder.path, 'moved')
    renameSync(dirname(mergeDriver), moved)
    expect(git(root, 'merge', '--quiet', 'side').stderr).toContain(`${node} is missing`)
    done(root, 'merge', '--abort')
    initRepository(findRepository(root), {
      programs: { node: process.execPath, cli: CLI, mergeDriver: join(moved, 'merge-driver.cjs') },
    })
    expect(git(root, 'merge', '--quiet', 'side').status).toBe(0)
    expect(text()).toContain('"merged"')
  })

  it('runs for a ticketsDir with a blank, a pattern and other scripts in its name', () => {
    using folder = temporaryFolder()
    const root = join(folder.path, 'r')
    const mergeDriver = write(join(folder.path, 'merge-driver.cjs'), DRIVER)
    mkdirSync(root)
    runGit(root, 'init', '--quiet', '--template=', '--initial-branch=main')
    write(join(root, 'ticketplan.json'), '{"ticketsDir":"my [plan]*/チケット"}')
    initRepository(findRepository(root), { programs: { node: process.execPath, cli: CLI, mergeDriver } })
    const path = join(root, 'my [plan]*/チケット/deep/A.json')
    write(path, 'base\n')
    commitAll(root, 'base')
    done(root, 'checkout', '--quiet', '-b', 'side')
    write(path, 'theirs\n')
    commitAll(root, 'theirs')
    done(root, 'checkout', '--quiet', 'main')
    write(path, 'ours\n')
    commitAll(root, 'ours')
    expect(git(root, 'merge', '--quiet', 'side').status).toBe(0)
    expect(readFileSync(path, 'utf8')).toContain('"merged":[true,true,true]')
  })
})

test('eight worktrees of one clone are set up at the same time, and undone', async () => {
  using repo = temporaryRepository()
  using folder = temporaryFolder()
  write(join(repo.root, '.git/hooks/post-merge'), '#!/bin/sh\nexit 0\n', 0o755)
  commitAll(repo.root, 'one')
  const config = readFileSync(join(repo.root, '.git/config'), 'utf8')
  const roots = Array.from({ length: 8 }, (_, n) => join(folder.path, `wt${n}`))
  for (const root of roots) done(repo.root, 'worktree', 'add', '--quiet', root)
  const all = async (...args: string[]) => {
    for (const run of await inParallel(
      8,
      roots.map(root => () => runCli(root, ['init', ...args])),
    ))
      expect(run).toMatchObject({ status: 0, stderr: '' })
  }
  await all()
  for (const root of roots) {
    expect(done(root, 'status', '--porcelain')).toBe('?? .gitattributes\n?? tickets/\n')
    expect((await runCli(root, ['init'])).stdout).toContain('nothing to do')
  }
  expect(readFileSync(join(repo.root, '.git/hooks/post-merge'), 'utf8').match(/>>> ticketplan/g)).toHaveLength(1)
  await all('--undo')
  for (const root of roots) expect(done(root, 'status', '--porcelain')).toBe('')
  expect(readFileSync(join(repo.root, '.git/hooks/post-merge'), 'utf8')).toBe('#!/bin/sh\nexit 0\n')
  expect(readFileSync(join(repo.root, '.git/config'), 'utf8')).toBe(config)
})

const noMount = mountObstacle()

test.skipIf(noMount)(
  `a repository on a read-only file system: a clear error, nothing half done (${noMount ?? 'mounted'})`,
  async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A', { decisions: [makeNote('x')] })
    {
      using _mount = mountReadOnly(repo.root)
      const run = await runCli(repo.root, ['init'])
      expect(run).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^ticketplan: .*read-only/im) })
      expect((await runCli(repo.root, ['init', '--dry-run'])).status).toBe(0)
    }
    expect(runGit(repo.root, 'status', '--porcelain')).toBe('?? tickets/\n')
    await init(repo.root)
    {
      using _mount = mountReadOnly(repo.root)
      expect((await runCli(repo.root, ['init'])).stdout).toContain('nothing to do')
      expect(await runCli(repo.root, ['init', '--undo'])).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/read-only/i),
      })
    }
    expect(await runCli(repo.root, ['init', '--undo'])).toMatchObject({ status: 0 })
    expect(runGit(repo.root, 'status', '--porcelain')).toBe('?? tickets/\n')
  },
)
