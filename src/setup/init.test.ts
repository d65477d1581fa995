import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { findRepository } from '../files/repository.ts'
import { PROGRAMS, writeWithMode as write } from '../test-support/agent-repository.ts'
import {
  commitAll,
  putTicket,
  runGit,
  type TemporaryRepository,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { type InitOptions, initRepository, undoInit } from './init.ts'

const HOOKS = ['post-merge', 'post-checkout', 'post-rewrite']
const LINE = '/tickets/**/*.json merge=ticketplan -text'

const initIn = (root: string, options: InitOptions = {}) =>
  initRepository(findRepository(root), { programs: PROGRAMS, ...options })
const undoIn = (root: string, options: InitOptions = {}) => undoInit(findRepository(root), options)

/** Creates a repository without a tickets folder, with one commit. */
function bareOfTickets(): TemporaryRepository {
  const repo = temporaryRepository()
  rmSync(repo.ticketsDir, { recursive: true })
  writeFileSync(join(repo.root, 'README.md'), 'here\n')
  commitAll(repo.root)
  return repo
}

/** Returns every file, link and folder below a folder with its mode and bytes, except git's objects, logs and index. */
function snapshot(folder: string, prefix = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(folder)) {
    const path = prefix + name
    if (['.git/objects', '.git/logs', '.git/index'].includes(path)) continue
    const stat = lstatSync(join(folder, name))
    const mode = (stat.mode & 0o777).toString(8)
    if (stat.isDirectory()) Object.assign(found, { [`${path}/`]: mode }, snapshot(join(folder, name), `${path}/`))
    else found[path] = `${mode} ${stat.isFile() ? readFileSync(join(folder, name), 'latin1') : 'link'}`
  }
  return found
}

const read = (...path: string[]) => readFileSync(join(...path), 'utf8')
const config = (root: string, key: string) => runGit(root, 'config', '--local', '--get', key).trim()

describe('init', () => {
  it('creates the folder, both attribute lines, the hooks and the configuration', () => {
    using repo = bareOfTickets()
    expect(initIn(repo.root)).toEqual({
      made: [
        'tickets',
        'tickets/.gitkeep',
        '.gitattributes',
        '.git/info/attributes',
        ...HOOKS.map(hook => `.git/hooks/${hook}`),
      ],
      changed: ['.git/config'],
      removed: [],
      skipped: [],
    })
    expect(read(repo.root, '.gitattributes')).toBe(`${LINE}\n`)
    expect(read(repo.root, '.git/info/attributes')).toBe(`${LINE}\n`)
    expect(config(repo.root, 'ticketplan.command')).toBe(`'${PROGRAMS.node}' '${PROGRAMS.cli}'`)
    expect(config(repo.root, 'merge.ticketplan.driver')).toContain(`driver='${PROGRAMS.mergeDriver}'`)
    expect(config(repo.root, 'merge.ticketplan.name')).not.toBe('')
    for (const hook of HOOKS) {
      expect(read(repo.root, '.git/hooks', hook)).toMatch(/^#!\/bin\/sh\n\n# >>> /)
      expect(lstatSync(join(repo.root, '.git/hooks', hook)).mode & 0o777).toBe(0o755)
    }
  })

  it('twice changes nothing, byte for byte', () => {
    using repo = bareOfTickets()
    write(join(repo.root, '.git/hooks/post-merge'), '#!/bin/sh\nexit 3\n', 0o755)
    initIn(repo.root, { preCommit: true })
    const before = snapshot(repo.root)
    for (const options of [{ preCommit: true }, {}])
      expect(initIn(repo.root, options)).toEqual({ made: [], changed: [], removed: [], skipped: [] })
    expect(snapshot(repo.root)).toEqual(before)
  })

  it('run again by a program in another place changes only the configuration', () => {
    using repo = bareOfTickets()
    initIn(repo.root)
    const before = snapshot(repo.root)
    const moved = { node: '/new/node', cli: '/new/cli.js', mergeDriver: '/new/merge-driver.cjs' }
    expect(initIn(repo.root, { programs: moved })).toMatchObject({ made: [], changed: ['.git/config'] })
    expect(config(repo.root, 'merge.ticketplan.driver')).toContain("node='/new/node'; driver='/new/merge-driver.cjs'")
    expect(config(repo.root, 'ticketplan.command')).toBe("'/new/node' '/new/cli.js'")
    initIn(repo.root)
    expect(snapshot(repo.root)).toEqual(before)
  })

  it('creates no .gitkeep in a folder that holds Tickets', () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    expect(initIn(repo.root).made).not.toContain('tickets/.gitkeep')
  })

  it('with --dry-run reports the same and writes nothing', () => {
    using repo = bareOfTickets()
    const before = snapshot(repo.root)
    const planned = initIn(repo.root, { dryRun: true, preCommit: true })
    expect(snapshot(repo.root)).toEqual(before)
    expect(initIn(repo.root, { preCommit: true })).toEqual(planned)
    const after = snapshot(repo.root)
    const undone = undoIn(repo.root, { dryRun: true })
    expect(snapshot(repo.root)).toEqual(after)
    expect(undoIn(repo.root)).toEqual(undone)
  })

  it('supports another ticketsDir, and a change of it', () => {
    using repo = bareOfTickets()
    write(join(repo.root, 'ticketplan.json'), '{"ticketsDir":"plan/my work"}')
    expect(initIn(repo.root).made.slice(0, 3)).toEqual(['plan', 'plan/my work', 'plan/my work/.gitkeep'])
    expect(read(repo.root, '.gitattributes')).toBe('"/plan/my work/**/*.json" merge=ticketplan -text\n')
    write(join(repo.root, 'ticketplan.json'), '{}')
    expect(initIn(repo.root).changed).toEqual(['.gitattributes', '.git/info/attributes'])
    expect(read(repo.root, '.git/info/attributes')).toBe(`${LINE}\n`)
  })

  it('outside git creates folders only, and undo removes those with nothing else in them', () => {
    using folder = temporaryFolder()
    expect(initIn(folder.path).made).toEqual(['tickets', 'tickets/.gitkeep', '.ticketplan', '.ticketplan/.gitignore'])
    expect(initIn(folder.path).made).toEqual([])
    write(join(folder.path, '.ticketplan/local.db'), 'claims')
    undoIn(folder.path)
    expect(Object.keys(snapshot(folder.path))).toEqual([
      '.ticketplan/',
      '.ticketplan/.gitignore',
      '.ticketplan/local.db',
    ])
    rmSync(join(folder.path, '.ticketplan'), { recursive: true })
    initIn(folder.path)
    undoIn(folder.path)
    expect(snapshot(folder.path)).toEqual({})
  })
})

describe('existing hooks', () => {
  it.each([
    '#!/bin/sh\nexit 0\n',
    '#!/usr/bin/env bash\nexec other "$@"\n',
    '#!/bin/zsh\necho\n',
    '#!/bin/dash',
  ])('%j is kept, with the lines after its first', text => {
    using repo = bareOfTickets()
    const path = write(join(repo.root, '.git/hooks/post-merge'), text, 0o750)
    expect(initIn(repo.root).changed).toEqual(['.git/hooks/post-merge', '.git/config'])
    expect(read(path).split('\n').slice(0, 2)).toEqual([text.split('\n')[0], '# >>> ticketplan init >>>'])
    expect(lstatSync(path).mode & 0o777).toBe(0o750)
    undoIn(repo.root)
    expect(read(path)).toBe(text)
    expect(lstatSync(path).mode & 0o777).toBe(0o750)
  })

  it.each([
    ['in another language', '#!/usr/bin/env node\nprocess.exit(0)\n', 0o755, 'not a shell script'],
    ['without a first line', 'echo\n', 0o755, 'not a shell script'],
    ['not executable', '#!/bin/sh\necho\n', 0o644, 'not executable'],
    ['with half of our block', '#!/bin/sh\n# >>> ticketplan init >>>\n', 0o755, 'one of the two marker comments'],
  ])('%s: not changed, with the line to add by hand', (_, text, mode, why) => {
    using repo = bareOfTickets()
    const path = write(join(repo.root, '.git/hooks/post-merge'), text, mode)
    const { skipped } = initIn(repo.root)
    expect(skipped).toEqual([
      { path: '.git/hooks/post-merge', message: expect.stringMatching(`${why}.*add the line .*sync --quiet`) },
    ])
    undoIn(repo.root)
    expect(read(path)).toBe(text)
    expect(lstatSync(path).mode & 0o777).toBe(mode)
  })

  it('a symbolic link: neither it nor its target is changed', () => {
    using repo = bareOfTickets()
    const target = write(join(repo.root, 'shared-hook'), '#!/bin/sh\necho\n', 0o755)
    mkdirSync(join(repo.root, '.git/hooks'))
    symlinkSync(target, join(repo.root, '.git/hooks/post-merge'))
    symlinkSync('nowhere', join(repo.root, '.git/hooks/post-rewrite'))
    const { skipped } = initIn(repo.root)
    expect(skipped.map(({ path }) => path)).toEqual(['.git/hooks/post-merge', '.git/hooks/post-rewrite'])
    expect(skipped[0]!.message).toContain('symbolic link')
    expect(read(target)).toBe('#!/bin/sh\necho\n')
    expect(lstatSync(join(repo.root, '.git/hooks/post-merge')).isSymbolicLink()).toBe(true)
  })

  it('with the line added by hand are not reported', () => {
    using repo = bareOfTickets()
    const path = write(join(repo.root, '.git/hooks/post-merge'), '#!/usr/bin/env node\n', 0o755)
    const [, line] = /add the line (.*)$/.exec(initIn(repo.root).skipped[0]!.message)!
    write(path, `#!/bin/sh\n${line}\nexit 0\n`, 0o755)
    expect(initIn(repo.root)).toEqual({ made: [], changed: [], removed: [], skipped: [] })
  })
})

describe('core.hooksPath', () => {
  it('of this repository gets the hooks; --undo in another clone keeps committed ones', () => {
    using repo = bareOfTickets()
    using other = temporaryFolder()
    runGit(repo.root, 'config', 'core.hooksPath', '.githooks')
    write(join(repo.root, '.githooks/post-merge'), '#!/bin/sh\necho\n', 0o755)
    commitAll(repo.root)
    const before = snapshot(repo.root)
    const { made, changed } = initIn(repo.root)
    expect(made).toEqual(expect.arrayContaining(['.githooks/post-checkout', '.githooks/post-rewrite']))
    expect(changed).toContain('.githooks/post-merge')
    expect(existsSync(join(repo.root, '.git/hooks'))).toBe(false)
    commitAll(repo.root)

    const clone = join(other.path, 'clone')
    runGit(repo.root, 'clone', '--quiet', '--template=', '.', clone)
    runGit(clone, 'config', 'core.hooksPath', '.githooks')
    const cloned = snapshot(clone)
    expect(initIn(clone).made).toEqual(['.git/info/attributes'])
    const { skipped } = undoIn(clone)
    expect(skipped.map(({ path }) => path)).toEqual(['.gitattributes', ...HOOKS.map(hook => `.githooks/${hook}`)])
    expect(snapshot(clone)).toEqual({ ...cloned, '.git/info/': expect.any(String) })

    undoIn(repo.root)
    expect(snapshot(repo.root)).toEqual({ ...before, ...gitOwn(repo.root) })
  })

  it('without a folder: it is created, and removed by --undo', () => {
    using repo = bareOfTickets()
    runGit(repo.root, 'config', 'core.hooksPath', 'tools/git hooks')
    expect(initIn(repo.root).made).toEqual(
      expect.arrayContaining(['tools', 'tools/git hooks', 'tools/git hooks/post-merge']),
    )
    expect(undoIn(repo.root).removed.slice(-3)).toEqual(['tools/git hooks', 'tickets', 'tools'])
    expect(existsSync(join(repo.root, 'tools'))).toBe(false)
  })

  it('as an absolute path, with "~", or set for one worktree', () => {
    using repo = bareOfTickets()
    using home = temporaryFolder()
    runGit(repo.root, 'config', 'core.hooksPath', join(home.path, 'absolute'))
    expect(initIn(repo.root).made).toContain(join(home.path, 'absolute', 'post-merge'))
    runGit(repo.root, 'config', 'extensions.worktreeConfig', 'true')
    runGit(repo.root, 'config', '--worktree', 'core.hooksPath', 'mine')
    expect(initIn(repo.root).made).toContain('mine/post-merge')
    const { HOME } = process.env
    process.env.HOME = home.path
    try {
      runGit(repo.root, 'config', '--worktree', 'core.hooksPath', '~/hooks')
      expect(initIn(repo.root).made).toContain(join(home.path, 'hooks', 'post-merge'))
    } finally {
      process.env.HOME = HOME
    }
  })

  it('set in the global configuration: nothing is written there, the line to add is reported', () => {
    using repo = bareOfTickets()
    using home = temporaryFolder()
    write(join(home.path, '.gitconfig'), '[core]\n\thooksPath = ~/hooks\n')
    const before = { HOME: process.env.HOME, GIT_CONFIG_GLOBAL: process.env.GIT_CONFIG_GLOBAL }
    process.env.HOME = home.path
    delete process.env.GIT_CONFIG_GLOBAL
    try {
      const { skipped, made } = initIn(repo.root)
      expect(skipped).toEqual(
        HOOKS.map(hook => ({
          path: join(home.path, 'hooks', hook),
          message: expect.stringMatching(/global configuration.*add the line .*sync --quiet/),
        })),
      )
      expect(made).toContain('.gitattributes')
      expect(existsSync(join(home.path, 'hooks'))).toBe(false)
      expect(existsSync(join(repo.root, '.git/hooks'))).toBe(false)
      undoIn(repo.root)
      expect(existsSync(join(repo.root, '.gitattributes'))).toBe(false)
    } finally {
      process.env.HOME = before.HOME
      if (before.GIT_CONFIG_GLOBAL !== undefined) process.env.GIT_CONFIG_GLOBAL = before.GIT_CONFIG_GLOBAL
    }
  })

  it('that is not a folder is reported', () => {
    using repo = bareOfTickets()
    runGit(repo.root, 'config', 'core.hooksPath', '/dev/null')
    expect(initIn(repo.root).skipped.map(({ message }) => message)).toEqual(
      HOOKS.map(() => expect.stringContaining('/dev/null is not a folder')),
    )
    expect(undoIn(repo.root).removed).toContain('.gitattributes')
  })

  it("of husky: the block goes into the hooks that husky runs, not into husky's own scripts", () => {
    using repo = bareOfTickets()
    runGit(repo.root, 'config', 'core.hooksPath', '.husky/_')
    const generated = write(join(repo.root, '.husky/_/post-merge'), '#!/usr/bin/env sh\n. "$(dirname "$0")/h"\n', 0o755)
    const own = write(join(repo.root, '.husky/post-merge'), 'npm test\n')
    commitAll(repo.root)
    const before = snapshot(repo.root)
    expect(initIn(repo.root)).toMatchObject({ skipped: [], changed: ['.husky/post-merge', '.git/config'] })
    expect(read(own)).toMatch(/^# >>> ticketplan[\s\S]*<<<\nnpm test\n$/)
    expect(read(generated)).not.toContain('ticketplan')
    expect(existsSync(join(repo.root, '.husky/_/post-rewrite'))).toBe(false)
    expect(existsSync(join(repo.root, '.husky/post-rewrite'))).toBe(true)
    undoIn(repo.root)
    expect(snapshot(repo.root)).toEqual({ ...before, ...gitOwn(repo.root) })
  })
})

/** Returns the folders of git that `init` creates and `--undo` keeps, and the files that commits change. */
function gitOwn(root: string): Record<string, string> {
  const now = snapshot(root)
  const paths = ['.git/hooks/', '.git/info/', '.git/COMMIT_EDITMSG', '.git/refs/heads/main']
  return Object.fromEntries(paths.filter(path => path in now).map(path => [path, now[path]!]))
}

describe('init --undo', () => {
  it.each([false, true])('restores everything, with any line ends at the end of files (pre-commit: %s)', preCommit => {
    using repo = bareOfTickets()
    write(join(repo.root, '.gitattributes'), '*.png binary')
    write(join(repo.root, '.git/info/attributes'), '')
    write(join(repo.root, '.git/hooks/post-merge'), '#!/bin/sh\n\n', 0o755)
    write(join(repo.root, '.git/hooks/post-checkout'), '#!/bin/sh\nexec other', 0o700)
    write(join(repo.root, '.git/hooks/pre-commit'), '#!/bin/bash\nexit 0\n', 0o755)
    write(join(repo.root, '.git/config'), `${read(repo.root, '.git/config')}# mine\n[merge]\n\ttool = other\n`)
    runGit(repo.root, 'add', '--all')
    runGit(repo.root, '-c', 'core.hooksPath=/dev/null', 'commit', '--quiet', '--message=all')
    const before = snapshot(repo.root)
    initIn(repo.root, { preCommit })
    expect(runGit(repo.root, 'status', '--porcelain')).not.toBe('')
    undoIn(repo.root)
    expect(runGit(repo.root, 'status', '--porcelain')).toBe('')
    expect(snapshot(repo.root)).toEqual(before)
    expect(undoIn(repo.root)).toEqual({ made: [], changed: [], removed: [], skipped: [] })
  })

  it('removes committed files that init added in this checkout', () => {
    using repo = bareOfTickets()
    initIn(repo.root)
    commitAll(repo.root)
    expect(undoIn(repo.root).removed).toEqual(expect.arrayContaining(['.gitattributes', 'tickets/.gitkeep', 'tickets']))
    expect(runGit(repo.root, 'status', '--porcelain')).toBe(' D .gitattributes\n D tickets/.gitkeep\n')
  })

  it('never removes a Ticket, a claim or what a person added', () => {
    using repo = bareOfTickets()
    initIn(repo.root)
    putTicket(repo.root, 'A')
    write(join(repo.root, '.git/ticketplan/local.db'), 'claims')
    write(join(repo.root, '.git/hooks/post-merge'), `${read(repo.root, '.git/hooks/post-merge')}echo mine\n`, 0o755)
    write(join(repo.root, '.gitattributes'), `${read(repo.root, '.gitattributes')}*.png binary\n`)
    runGit(repo.root, 'config', 'merge.ticketplan.recursive', 'text')
    undoIn(repo.root)
    expect(existsSync(join(repo.root, 'tickets/A.json'))).toBe(true)
    expect(read(repo.root, '.git/ticketplan/local.db')).toBe('claims')
    expect(read(repo.root, '.git/hooks/post-merge')).toBe('#!/bin/sh\n\necho mine\n')
    expect(read(repo.root, '.gitattributes')).toBe('*.png binary\n')
    expect(config(repo.root, 'merge.ticketplan.recursive')).toBe('text')
    expect(read(repo.root, '.git/config')).not.toContain('driver')
  })

  it('finds the hooks in the default folder where core.hooksPath was set since', () => {
    using repo = bareOfTickets()
    initIn(repo.root)
    runGit(repo.root, 'config', 'core.hooksPath', '.githooks')
    undoIn(repo.root)
    expect(readdirSync(join(repo.root, '.git/hooks'))).toEqual([])
  })
})

describe('linked worktrees', () => {
  it.each(['main', 'linked'])('init in the %s one works for both', where => {
    using repo = bareOfTickets()
    using other = temporaryFolder()
    const linked = join(other.path, 'linked')
    runGit(repo.root, 'worktree', 'add', '--quiet', '-b', 'side', linked)
    const [first, second] = where === 'main' ? [repo.root, linked] : [linked, repo.root]
    initIn(first)
    for (const root of [repo.root, linked]) {
      expect(config(root, 'ticketplan.command')).toContain(PROGRAMS.cli)
      expect(runGit(root, 'check-attr', 'merge', '--', 'tickets/A.json')).toContain('merge: ticketplan')
    }
    expect(readdirSync(join(repo.root, '.git/hooks')).sort()).toEqual([...HOOKS].sort())
    // Only what belongs to the second work tree is created there; the rest exists.
    expect(initIn(second)).toMatchObject({ made: ['tickets', 'tickets/.gitkeep', '.gitattributes'], changed: [] })
    undoIn(first)
    expect(existsSync(join(second, '.gitattributes'))).toBe(true)
    undoIn(second)
    for (const root of [repo.root, linked]) expect(runGit(root, 'status', '--porcelain')).toBe('')
  })
})

describe('locks and failures', () => {
  it("git's lock on the configuration is reported after a timeout, and kept", () => {
    using repo = bareOfTickets()
    const lock = write(join(repo.root, '.git/config.lock'), '')
    expect(() => initIn(repo.root, { lockTimeoutMs: 100 })).toThrow(
      expect.objectContaining({ code: 'busy', message: expect.stringContaining(lock) }),
    )
    expect(existsSync(lock)).toBe(true)
    rmSync(lock)
    expect(initIn(repo.root).made).toContain('.gitattributes')
    writeFileSync(lock, '')
    expect(() => undoIn(repo.root, { lockTimeoutMs: 100 })).toThrow(expect.objectContaining({ code: 'busy' }))
    rmSync(lock)
    undoIn(repo.root)
    expect(runGit(repo.root, 'status', '--porcelain')).toBe('')
    expect(read(repo.root, '.git/config')).not.toContain('ticketplan')
  })

  it("init waits until git's lock is released", async () => {
    using repo = bareOfTickets()
    const lock = write(join(repo.root, '.git/config.lock'), '')
    const child = spawn('sh', ['-c', 'sleep 0.3; rm "$0"', lock])
    expect(initIn(repo.root).changed).toEqual(['.git/config'])
    await once(child, 'close')
  })

  it('without the program git nothing is changed', () => {
    using repo = bareOfTickets()
    const before = snapshot(repo.root)
    const { PATH } = process.env
    process.env.PATH = repo.ticketsDir
    try {
      for (const act of [() => initIn(repo.root), () => undoIn(repo.root)])
        expect(act).toThrow(expect.objectContaining({ code: 'no_git' }))
    } finally {
      process.env.PATH = PATH
    }
    expect(snapshot(repo.root)).toEqual(before)
  })

  it('an interrupted run is finished by the next, and undone as a whole', () => {
    using repo = bareOfTickets()
    const before = snapshot(repo.root)
    rmSync(join(repo.root, '.git/info'), { recursive: true, force: true })
    writeFileSync(join(repo.root, '.git/info'), 'a file in the place of a folder')
    expect(() => initIn(repo.root)).toThrow(expect.objectContaining({ code: 'io' }))
    expect(existsSync(join(repo.root, '.gitattributes'))).toBe(true)
    expect(existsSync(join(repo.root, '.git/hooks'))).toBe(false)
    rmSync(join(repo.root, '.git/info'))
    expect(initIn(repo.root)).toMatchObject({
      made: ['.git/info/attributes', ...HOOKS.map(hook => `.git/hooks/${hook}`)],
      changed: [],
    })
    undoIn(repo.root)
    expect(snapshot(repo.root)).toEqual({ ...before, ...gitOwn(repo.root) })
    expect(runGit(repo.root, 'status', '--porcelain')).toBe('')
  })

  it('a .gitattributes that is a link is reported, and its target is not changed', () => {
    using repo = bareOfTickets()
    const target = write(join(repo.root, 'attributes'), '# mine\n')
    symlinkSync('attributes', join(repo.root, '.gitattributes'))
    expect(initIn(repo.root).skipped).toEqual([
      { path: '.gitattributes', message: `it is a symbolic link; add the line ${LINE}` },
    ])
    expect(read(target)).toBe('# mine\n')
  })
})

test('--undo works in a repository that was moved', () => {
  using repo = bareOfTickets()
  using other = temporaryFolder()
  initIn(repo.root)
  const moved = join(other.path, 'moved')
  renameSync(repo.root, moved)
  undoIn(moved)
  expect(runGit(moved, 'status', '--porcelain')).toBe('')
  expect(existsSync(join(moved, '.gitattributes'))).toBe(false)
})

describe('folders that are not this repository’s own', () => {
  it('links out of the repository are not followed, neither by init nor by --undo', () => {
    using repo = bareOfTickets()
    using elsewhere = temporaryFolder()
    const hooks = join(elsewhere.path, 'hooks')
    write(join(hooks, 'post-merge'), '#!/bin/sh\necho theirs\n', 0o755)
    mkdirSync(join(elsewhere.path, 'info'))
    for (const name of ['hooks', 'info']) {
      rmSync(join(repo.root, '.git', name), { recursive: true, force: true })
      symlinkSync(join(elsewhere.path, name), join(repo.root, '.git', name))
    }
    const { skipped } = initIn(repo.root)
    expect(skipped.map(({ message }) => message)).toEqual([
      expect.stringContaining('out of the repository'),
      ...HOOKS.map(() => expect.stringContaining('out of the repository')),
    ])
    expect(readdirSync(hooks)).toEqual(['post-merge'])
    expect(readdirSync(join(elsewhere.path, 'info'))).toEqual([])
    const ours = readFileSync(join(repo.root, '.gitattributes'), 'utf8')
    expect(ours).toContain(LINE)
    // The init of another repository added it.
    write(join(elsewhere.path, 'info', 'attributes'), `${LINE}\n`)
    undoIn(repo.root)
    expect(readFileSync(join(elsewhere.path, 'info', 'attributes'), 'utf8')).toBe(`${LINE}\n`)
    expect(readFileSync(join(hooks, 'post-merge'), 'utf8')).toBe('#!/bin/sh\necho theirs\n')
  })

  it('an empty core.hooksPath disables hooks: none is written', () => {
    using repo = bareOfTickets()
    runGit(repo.root, 'config', 'core.hooksPath', '')
    const { skipped } = initIn(repo.root)
    expect(skipped.map(({ message }) => message)).toEqual(HOOKS.map(() => expect.stringContaining('disables hooks')))
    expect(readdirSync(repo.root).sort()).toEqual(['.git', '.gitattributes', 'README.md', 'tickets'])
  })

  it('a bare repository is refused', () => {
    using folder = temporaryFolder()
    runGit(folder.path, 'init', '--quiet', '--bare', '.')
    expect(() => initIn(folder.path)).toThrow(/bare repository/)
    expect(existsSync(join(folder.path, 'tickets'))).toBe(false)
  })
})
