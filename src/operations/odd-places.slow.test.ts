/** Places in which git or the disk is not as usual: each command names the cause and what to do. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CLI, errorOf, jsonOf, type Run, runCli, runProgram } from '../test-support/run-cli.ts'
import {
  commitAll,
  makeNote,
  makeTicket,
  putTicket,
  runGit,
  type TemporaryRepository,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

const isRoot = process.getuid?.() === 0
const add = (root: string, id: string) => runCli(root, ['add', id, '--title', id])
const quiet = { GIT_CONFIG_GLOBAL: '/dev/null' }

describe('a bare repository with worktrees beside it', () => {
  test.each<[string, (parent: string) => void]>([
    ['in a folder', () => {}],
    ['in a folder that a file .git names', parent => writeFileSync(join(parent, '.git'), 'gitdir: ./repository.git\n')],
  ])('%s: init, queue and add at the parent name the worktrees, and create nothing', async (_, prepare) => {
    using folder = temporaryFolder()
    const parent = folder.path
    runGit(parent, 'init', '--quiet', '--bare', '--initial-branch=main', 'repository.git')
    const bare = join(parent, 'repository.git')
    const tree = runGit(bare, 'mktree').trim()
    const commit = runGit(bare, 'commit-tree', tree, '-m', 'first').trim()
    runGit(bare, 'update-ref', 'refs/heads/main', commit)
    for (const name of ['one', 'two'])
      runGit(bare, 'worktree', 'add', '--quiet', '-b', name, join(parent, name), 'main')
    prepare(parent)
    const before = readdirSync(parent).sort()
    for (const place of [parent, bare])
      for (const args of [['init'], ['queue'], ['add', 'A', '--title', 'a']]) {
        const run = await runCli(place, [...args, '--json'])
        expect(run.status, args[0]).toBe(1)
        const { code, message } = errorOf(run)
        expect(code).toBe('unsafe_path')
        for (const name of ['one', 'two']) expect(message).toContain(join(parent, name))
      }
    expect(readdirSync(parent).sort()).toEqual(before)
    expect((await runCli(join(parent, 'one'), ['init'])).status).toBe(0)
    expect((await add(join(parent, 'one'), 'A')).status).toBe(0)
  })

  test('"bare" in another repository of the same shape, or false, refuses nothing', async () => {
    using repo = temporaryRepository()
    runGit(repo.root, 'config', 'core.bare', 'false')
    expect((await runCli(repo.root, ['queue'])).status).toBe(0)
  })
})

test('a working folder that was removed is named as the cause; an absolute -C works, and so does the help', async () => {
  using folder = temporaryFolder()
  using repo = temporaryRepository()
  const gone = join(folder.path, 'gone')
  const inGone = (args: string): Promise<Run> => {
    mkdirSync(gone)
    const script = `cd '${gone}' && rmdir '${gone}' && exec '${process.execPath}' '${CLI}' ${args}`
    return runProgram('sh', ['-c', script])
  }
  for (const args of ['queue', '-C . queue', 'init', 'mcp']) {
    const run = await inGone(args)
    expect(run.status, args).toBe(1)
    expect(run.stderr, args).toContain('the working folder no longer exists')
    expect(run.stderr).not.toContain('internal error')
  }
  expect(await inGone(`-C '${repo.root}' queue`)).toMatchObject({ status: 0, stderr: '' })
  expect((await inGone('--help')).status).toBe(0)
  expect(existsSync(gone)).toBe(false)
})

describe.each([
  ['the repository has a line break', 'nl\nrepo', 'linked'],
  ['the worktree has a line break', 'repo', 'linked\nhere'],
  ['both begin and end with a space', ' repo ', ' linked '],
])('a clone where the name of %s', (_, name, linkedName) => {
  function clone() {
    const folder = temporaryFolder()
    const [root, linked] = [join(folder.path, name), join(folder.path, linkedName)]
    mkdirSync(root)
    runGit(root, 'init', '--quiet', '--initial-branch=main')
    putTicket(root, 'T-1', { state: 'queued' })
    runGit(root, 'add', '--all')
    runGit(root, 'commit', '--quiet', '--message=one')
    runGit(root, 'worktree', 'add', '--quiet', '-b', 'work', linked)
    return { root, linked, [Symbol.dispose]: () => folder[Symbol.dispose]() }
  }

  test('gives a Ticket to one holder, whichever worktree asks first', async () => {
    for (const isLinkedFirst of [false, true]) {
      using repo = clone()
      const places = isLinkedFirst ? [repo.linked, repo.root] : [repo.root, repo.linked]
      expect((await runCli(places[0]!, ['accept', 'T-1', '--holder', 'one'])).status).toBe(0)
      const second = await runCli(places[1]!, ['accept', 'T-1', '--holder', 'two', '--json'])
      expect(second.status).toBe(3)
      expect(jsonOf(second)).toMatchObject({ accepted: false, reasons: [{ code: 'claimed', holder: 'one' }] })
    }
  })

  test('finds a later state in the other worktree', async () => {
    using repo = clone()
    putTicket(repo.linked, 'T-1', { state: 'done', state_at: '2026-06-08T11:00:00.000Z' })
    const { reasons } = jsonOf<{ reasons: unknown }>(await runCli(repo.root, ['consult', 'T-1', '--json']))
    expect(reasons).toMatchObject([{ code: 'elsewhere', worktree: repo.linked }])
  })
})

test('verify --since works in a worktree of a shallow clone whose name has a line break', async () => {
  using repo = temporaryRepository()
  using folder = temporaryFolder()
  for (const title of ['one', 'two', 'three']) {
    putTicket(repo.root, 'T-1', { title })
    commitAll(repo.root)
  }
  const clone = join(folder.path, 'nl\nclone')
  runGit(folder.path, 'clone', '--quiet', '--depth=3', `file://${repo.root}`, clone)
  const linked = join(folder.path, 'linked')
  runGit(clone, 'worktree', 'add', '--quiet', '-b', 'work', linked)
  expect(await runCli(linked, ['verify', '--since', 'HEAD~1'])).toMatchObject({ status: 0, stderr: '' })
})

describe.runIf(isRoot)('a repository of another user', () => {
  /** Returns a repository that uid 65534 owns, while root runs git. */
  function foreign() {
    const repo = temporaryRepository()
    putTicket(repo.root, 'A', { state: 'queued' })
    runGit(repo.root, 'add', '--all')
    runGit(repo.root, 'commit', '--quiet', '--message=one')
    execFileSync('chown', ['-R', '65534:65534', repo.root])
    return repo
  }
  const remedy = 'git config --global --add safe.directory'

  test.each([
    ['init'],
    ['verify', '--staged'],
    ['verify', '--since', 'HEAD'],
    ['resolve'],
    ['scope', 'A', '--diff', 'HEAD'],
    ['doctor'],
  ])('%s %s: the cause and the remedy are named', async (...args) => {
    using repo = foreign()
    const run = await runCli(repo.root, args, { env: quiet })
    expect(run.status).toBe(args[0] === 'doctor' ? 4 : 1)
    expect(run.stdout + run.stderr).toContain('because another user owns it')
    expect(run.stdout + run.stderr).toContain(`${remedy} ${repo.root}`)
  })

  test('a command that writes does so, and says it once', async () => {
    using repo = foreign()
    const run = await runCli(repo.root, ['record', 'A', 'note', '--reason', 'x'], { env: quiet })
    expect(run.status).toBe(0)
    expect(run.stderr.match(/another user owns it/g)).toHaveLength(1)
    const settings = join(repo.root, '.git/ticketplan/gitconfig')
    writeFileSync(settings, `[safe]\n\tdirectory = ${repo.root}\n`)
    expect((await runCli(repo.root, ['verify', '--staged'], { env: { GIT_CONFIG_GLOBAL: settings } })).status).toBe(0)
  })
})

describe('what git does with Ticket files in this clone', () => {
  const ready = async () => {
    const repo = temporaryRepository()
    expect((await runCli(repo.root, ['init'])).status).toBe(0)
    return repo
  }

  test.each<[string, RegExp, (root: string) => void]>([
    [
      'ignores them',
      /git ignores new files in tickets\/ \(\.gitignore:1: tickets\)/,
      root => writeFileSync(join(root, '.gitignore'), 'tickets\n'),
    ],
    [
      'ignores them by a rule of this clone',
      /git ignores new files in tickets\/ \(\.git\/info\/exclude:1: \*\.json\)/,
      root => {
        mkdirSync(join(root, '.git/info'), { recursive: true })
        writeFileSync(join(root, '.git/info/exclude'), '*.json\n')
      },
    ],
    [
      'filters them',
      /through the filter "lfs".*"\/tickets\/\*\*\/\*\.json -filter"/,
      root =>
        writeFileSync(
          join(root, '.gitattributes'),
          `*.json filter=lfs\n${readFileSync(join(root, '.gitattributes'), 'utf8')}`,
        ),
    ],
    [
      'converts them',
      /to the working-tree-encoding "UTF-16LE-BOM".*"\/tickets\/\*\*\/\*\.json !working-tree-encoding"/,
      root =>
        writeFileSync(
          join(root, '.gitattributes'),
          `*.json working-tree-encoding=UTF-16LE-BOM\n${readFileSync(join(root, '.gitattributes'), 'utf8')}`,
        ),
    ],
    [
      'has no merge driver',
      /this clone has no merge driver/,
      root => {
        runGit(root, 'config', '--remove-section', 'merge.ticketplan')
      },
    ],
  ])('%s: a command that writes says it once, doctor names it, and init says what it cannot change', async (_, message, spoil) => {
    using repo = await ready()
    const { root } = repo
    expect((await add(root, 'A')).stderr).toBe('')
    spoil(root)
    for (const id of ['B', 'C']) {
      const { status, stderr } = await runCli(root, ['add', id, '--title', id])
      expect(status).toBe(0)
      expect(stderr).toMatch(message)
      expect(stderr.trim().split('\n')).toHaveLength(1)
    }
    expect((await runCli(root, ['queue'])).stderr).toBe('')
    expect((await runCli(root, ['doctor'])).status).toBe(4)
    const init = await runCli(root, ['init'])
    const isDriver = message.source.includes('driver')
    if (isDriver) expect((await add(root, 'D')).stderr).toBe('')
    else {
      expect((await runCli(root, ['doctor'])).stdout).toMatch(message)
      expect(init.stdout).toMatch(message)
    }
  })

  test('the remedies are right: the lines that the messages name end the warning', async () => {
    using repo = await ready()
    const { root } = repo
    writeFileSync(join(root, '.gitignore'), '*.json\n!/tickets/**\n')
    writeFileSync(
      join(root, '.gitattributes'),
      '*.json filter=lfs working-tree-encoding=UTF-16\n/tickets/**/*.json merge=ticketplan -text\n/tickets/**/*.json -filter\n/tickets/**/*.json !working-tree-encoding\n',
    )
    expect(await add(root, 'A')).toMatchObject({ status: 0, stderr: '' })
  })

  test('the check starts git once, and not again until a file of git changes', async () => {
    using repo = await ready()
    await add(repo.root, 'A')
    using folder = temporaryFolder()
    const log = join(folder.path, 'log')
    writeFileSync(join(folder.path, 'git'), `#!/bin/sh\necho "$@" >> '${log}'\nexit 1\n`)
    chmodSync(join(folder.path, 'git'), 0o755)
    await runCli(repo.root, ['record', 'A', 'note', '--reason', 'x'], {
      env: { PATH: `${folder.path}:${process.env.PATH}` },
    })
    expect(existsSync(log)).toBe(false)
  })
})

test.each(['utf16le', 'utf16be'])('files of agents in %s are left as they are, and reported', async encoding => {
  using repo = temporaryRepository()
  const text = Buffer.from('\ufeff# Rules\r\n', 'utf16le')
  const bytes = encoding === 'utf16be' ? Buffer.from(text).swap16() : text
  for (const name of ['AGENTS.md', '.mcp.json']) writeFileSync(join(repo.root, name), bytes)
  const { skipped } = jsonOf<{ skipped: { path: string; message: string }[] }>(
    await runCli(repo.root, ['init', '--agents', '--json']),
  )
  for (const path of ['AGENTS.md', '.mcp.json']) {
    expect(skipped).toContainEqual({ path, message: expect.stringContaining('not UTF-8') })
    expect(readFileSync(join(repo.root, path))).toEqual(bytes)
  }
})

test.each([
  '{"pools": ',
  '{"colour": 1}',
  '[]',
  '\ufeff{}',
])('doctor reports the broken ticketplan.json %j in a line', async text => {
  using repo = temporaryRepository()
  writeFileSync(join(repo.root, 'ticketplan.json'), text)
  const run = await runCli(repo.root, ['doctor'])
  expect(run).toMatchObject({ status: 4, stderr: '' })
  expect(run.stdout).toMatch(/^bad +configuration +\S*ticketplan\.json:1:\d+: /m)
  const { ok, checks } = jsonOf<{ ok: boolean; checks: { name: string }[] }>(
    await runCli(repo.root, ['doctor', '--json']),
  )
  expect([ok, checks.map(({ name }) => name)]).toEqual([false, ['node', 'git', 'configuration']])
})

/** Creates a repository with a claimed Ticket A, and so with all files of the databases. */
async function claimedRepository(): Promise<TemporaryRepository> {
  const repo = temporaryRepository()
  putTicket(repo.root, 'A')
  await runCli(repo.root, ['claim', 'A', '--holder', 'one'])
  return repo
}

describe('what is in the place of a file of the databases', () => {
  test.each([
    'fencing-token',
    'write-lock',
    'fleet.json',
    'local.db',
  ])('doctor reports a link %s in a line', async name => {
    using repo = await claimedRepository()
    const path = join(repo.databaseDir, name)
    rmSync(path, { force: true })
    symlinkSync('/nonexistent', path)
    const run = await runCli(repo.root, ['doctor'])
    expect(run).toMatchObject({ status: 4, stderr: '' })
    expect(run.stdout).toMatch(new RegExp(`^bad .*/${name} is a link: nothing was written; remove it`, 'm'))
  })

  test('doctor reports a link in place of their folder in a line', async () => {
    using repo = temporaryRepository()
    symlinkSync('/nonexistent', repo.databaseDir)
    const run = await runCli(repo.root, ['doctor'])
    expect(run).toMatchObject({ status: 4, stderr: '' })
    expect(run.stdout).toMatch(/^bad +repository .*ticketplan is a link or not a folder/m)
  })

  test.each([
    'fencing-token',
    'write-lock',
    'local.db',
    'index.db',
  ])('a FIFO %s is named, and nothing waits for it', async name => {
    using repo = await claimedRepository()
    const path = join(repo.databaseDir, name)
    rmSync(path, { force: true })
    execFileSync('mkfifo', [path])
    for (const args of [
      ['claim', 'A', '--holder', 'two', '--json'],
      ['record', 'A', 'note', '--reason', 'x', '--json'],
    ]) {
      const { code, message } = errorOf(await runCli(repo.root, args))
      expect({ code, message }).toMatchObject({
        code: 'unsafe_path',
        message: expect.stringContaining(`${path} is not a regular file`),
      })
    }
    expect((await runCli(repo.root, ['doctor'])).stdout).toContain(`${path} is not a regular file`)
  })

  test('undo does not wait for a FIFO in place of its notes', async () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    await runCli(repo.root, ['record', 'A', 'note', '--reason', 'x'])
    const folder = join(repo.databaseDir, 'undo')
    const path = join(folder, readdirSync(folder)[0]!)
    rmSync(path)
    execFileSync('mkfifo', [path])
    const run = await runCli(repo.root, ['undo', '--json'], { through: ['timeout', '20'] })
    expect(errorOf(run)).toMatchObject({
      code: 'unsafe_path',
      message: `${path} is not a regular file: nothing was written; remove it, and run the command again`,
    })
  })

  test.each([
    'clone-check.json',
    'imports.json',
    'init.json',
    'undo/000000000001.jsonl',
  ])('nothing is written through a link called %s, or beside it, and nothing waits for a FIFO', {
    timeout: 60_000,
  }, async name => {
    for (const kind of ['link', 'temporary link', 'FIFO']) {
      using repo = temporaryRepository()
      using outside = temporaryFolder()
      putTicket(repo.root, 'A')
      const source = join(outside.path, 'source.jsonl')
      writeFileSync(source, `${JSON.stringify({ id: 'B', title: 'b', status: 'open' })}\n`)
      const commands = [
        ['init'],
        ['record', 'A', 'note', '--reason', 'x'],
        ['import', 'beads', source, '--name', 'b'],
        ['undo'],
        ['init', '--undo'],
      ]
      for (const args of commands) await runCli(repo.root, args)
      const path = join(repo.databaseDir, name) + (kind === 'temporary link' ? '.tmp' : '')
      mkdirSync(dirname(path), { recursive: true })
      rmSync(path, { force: true })
      const target = join(outside.path, 'settings')
      writeFileSync(target, 'precious')
      if (kind === 'FIFO') execFileSync('mkfifo', [path])
      else symlinkSync(target, path)
      for (const args of commands) {
        const run = await runCli(repo.root, args, { through: ['timeout', '5'] })
        expect(run.status, `${kind}: ${args.join(' ')}: ${run.stderr}`).toBeOneOf([0, 1])
        expect(run.stderr).not.toContain('internal error')
      }
      expect(readFileSync(target, 'utf8'), kind).toBe('precious')
    }
  })
})

describe('verify --fix', () => {
  test.runIf(isRoot)('goes on after a file that it cannot repair, and reports each', async () => {
    using repo = temporaryRepository()
    const loose = (id: string) => JSON.stringify(makeTicket(id), null, 4)
    for (const folder of ['a', 'b', 'c']) {
      mkdirSync(join(repo.ticketsDir, folder))
      writeFileSync(join(repo.ticketsDir, folder, `${folder}.json`), loose(folder))
    }
    execFileSync('chown', ['-R', '65534:65534', repo.root])
    for (const folder of ['a', 'b']) {
      chownSync(join(repo.ticketsDir, folder), 0, 0)
      chmodSync(join(repo.ticketsDir, folder), 0o755)
    }
    const { PATH } = process.env
    execFileSync('chmod', ['-R', 'a+rX', repo.root])
    const run = await runCli(repo.root, ['verify', '--fix', '--json'], {
      uid: 65534,
      env: { PATH, HOME: '/nonexistent' },
    })
    expect(run.status, run.stderr).toBe(4)
    const { fixed, problems } = jsonOf<{ fixed: string[]; problems: { code: string; path: string }[] }>(run)
    expect(fixed).toEqual(['tickets/c/c.json'])
    const failed = problems.filter(({ code }) => code === 'not_fixed').map(({ path }) => path)
    expect(failed).toEqual(['tickets/a/a.json', 'tickets/b/b.json'])
  })

  test('names and removes old temporary files of init, and no others', async () => {
    using repo = temporaryRepository()
    const { root } = repo
    expect((await runCli(root, ['init', '--agents=claude,codex,gemini,cursor'])).status).toBe(0)
    const temp = (path: string) => path.replace(/([^/]+)$/, '.$1.0123456789ab.tmp')
    const ours = [
      '.gitattributes',
      '.git/info/attributes',
      '.git/hooks/post-merge',
      'AGENTS.md',
      '.mcp.json',
      '.claude/settings.json',
      '.codex/hooks.json',
      '.gemini/settings.json',
      '.cursor/hooks.json',
      '.git/ticketplan/init.json',
    ].map(temp)
    const others = ['src.txt', '.git/config'].map(temp)
    for (const path of [...ours, ...others]) {
      writeFileSync(join(root, path), 'half')
      utimesSync(join(root, path), new Date(), new Date(Date.now() - 2 * 3_600_000))
    }
    const { problems } = jsonOf<{ problems: { code: string; path: string }[] }>(
      await runCli(root, ['verify', '--json']),
    )
    expect(
      problems
        .filter(({ code }) => code === 'orphan_temp')
        .map(({ path }) => path)
        .sort(),
    ).toEqual([...ours].sort())
    expect((await runCli(root, ['doctor'])).stdout).toContain(ours[0]!)
    await runCli(root, ['verify', '--fix'])
    expect(ours.filter(path => existsSync(join(root, path)))).toEqual([])
    expect(others.every(path => existsSync(join(root, path)))).toBe(true)
  })
})

test('two files of one id: the command of the message joins them, and no decision is lost', async () => {
  using repo = temporaryRepository()
  const { root } = repo
  const notes = [0, 1, 2].map(n => ({ ...makeNote(`n${n}`), id: `01JX8Z3V7Q4T9K2M5N6P7R8S0${n}` }))
  putTicket(root, 'A', { title: 'one', decisions: [notes[0]!, notes[1]!] })
  putTicket(root, 'A', { title: 'two', decisions: [notes[1]!, notes[2]!] }, "it's deep")
  const { problems } = jsonOf<{ problems: { code: string; message: string }[] }>(
    await runCli(root, ['verify', '--json']),
  )
  const commands = new Set(
    problems
      .filter(({ code }) => code === 'duplicate_id')
      .map(({ message }) => /run at the root: (.*)$/.exec(message)![1]!),
  )
  expect(commands.size).toBe(1)
  const [command] = commands
  execFileSync('sh', ['-c', command!.replace('ticketplan', `'${process.execPath}' '${CLI}'`)], { cwd: root })
  expect(readdirSync(repo.ticketsDir).filter(name => name.endsWith('.json'))).toEqual(['A.json'])
  const { decisions } = JSON.parse(readFileSync(join(root, 'tickets/A.json'), 'utf8'))
  for (const { id } of notes) expect(decisions.map((one: { id: string }) => one.id)).toContain(id)
  expect(decisions).toContainEqual(
    expect.objectContaining({ kind: 'contested', field: 'title', lost: expect.any(String) }),
  )
  expect((await runCli(root, ['verify'])).status).toBe(0)
})

describe('add of a Ticket whose file git has and the work tree has lost', () => {
  test.each([
    ['removed', 'A', 'tickets/A.json'],
    ['removed, in another case', 'a', 'tickets/A.json'],
    ['removed from a deeper folder', 'B', 'tickets/deep/B.json'],
  ])('%s: is refused, with what to do', async (_, id, path) => {
    using repository = temporaryRepository()
    const { root } = repository
    putTicket(root, 'A', { state: 'queued' })
    await runCli(root, ['record', 'A', 'hold', '--reason', 'not yet'])
    putTicket(root, 'B', { state: 'queued' })
    mkdirSync(join(root, 'tickets/deep'))
    renameSync(join(root, 'tickets/B.json'), join(root, 'tickets/deep/B.json'))
    runGit(root, 'add', '--all')
    rmSync(join(root, path))
    const add = () => runCli(root, ['add', id, '--title', 'new', '--json'])
    expect(errorOf(await add())).toMatchObject({ code: 'not_checked_out', path })
    runGit(root, 'rm', '--quiet', '--cached', path)
    expect(await add()).toMatchObject({ status: 0 })
  })

  test('marked as unchanged: is refused too', async () => {
    using repository = temporaryRepository()
    const { root } = repository
    putTicket(root, 'A', { state: 'queued' })
    runGit(root, 'add', '--all')
    runGit(root, 'update-index', '--assume-unchanged', 'tickets/A.json')
    rmSync(join(root, 'tickets/A.json'))
    const refused = await runCli(root, ['add', 'A', '--title', 'new', '--json'])
    expect(errorOf(refused)).toMatchObject({ code: 'not_checked_out', path: 'tickets/A.json' })
  })
})
