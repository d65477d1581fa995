/** The completion scripts in the shells themselves, typed into a terminal; also with names that want to be run. */
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CLI, runCli, runProgram } from '../test-support/run-cli.ts'
import { programObstacle } from '../test-support/system-abilities.ts'
import {
  makeNote,
  putTicket,
  type TemporaryRepository,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { completionScript, SHELLS, type Shell } from './completion-script.ts'

const NASTY = 'it\'s "q" $(touch pwned) `touch pwned` ; touch pwned \u001b]0;pwned\u0007 %s \\n'
const STATES = ['In $(touch pwned)', 'ab`touch pwned`c', 'it\'s "q"', 'x\ny', 'c:d\\e', 'zz;touch pwned', '%d%s']

let repository: TemporaryRepository

beforeAll(async () => {
  repository = temporaryRepository()
  const { root } = repository
  writeFileSync(join(root, 'ticketplan.json'), JSON.stringify({ states: { queued: ['queued', ...STATES] } }))
  putTicket(root, 'A-1', { title: NASTY, slug: 'alpha-one', decisions: [makeNote(NASTY)] })
  putTicket(root, 'B-9', { title: 'two\nlines', slug: 'beta' })
  await runCli(root, ['sync'])
  for (const shell of SHELLS)
    writeFileSync(join(repository.databaseDir, shell), completionScript(shell, [process.execPath, CLI]))
})

afterAll(() => repository[Symbol.dispose]())

/** How a shell starts without anybody's configuration, and what defines a program that prints its arguments. */
const START: Record<Shell, { command: string; setup: string[] }> = {
  bash: {
    command: 'bash --norc --noprofile -i',
    setup: ['source .git/ticketplan/bash', 'ticketplan() { printf "<%s>" "$@"; echo; }'],
  },
  zsh: {
    command: 'zsh -f -i',
    setup: [
      'autoload -Uz compinit && compinit -u -D',
      'source .git/ticketplan/zsh',
      'ticketplan() { printf "<%s>" "$@"; echo; }',
    ],
  },
  fish: {
    command: 'fish --no-config -i',
    setup: ['source .git/ticketplan/fish', 'function ticketplan; printf "<%s>" $argv; echo; end'],
  },
}

/** Types lines into the shell on a terminal; "\t" is the key. Returns what the shell printed, escape sequences included. */
function typed(shell: Shell, lines: string[]): string {
  const { command, setup } = START[shell]
  const run = spawnSync('script', ['-qec', command, '/dev/null'], {
    cwd: repository.root,
    env: { ...process.env, TERM: 'dumb', LC_ALL: 'C.UTF-8' },
    input: [...setup, ...lines, 'exit', ''].join('\n'),
    encoding: 'utf8',
    timeout: 60_000,
  })
  return run.stdout
}

/** The arguments that the program got, a list for each line. */
function argumentsOf(output: string): string[] {
  return [...output.matchAll(/(?<=^|[\r\n])(<.*>)\r?$/gm)].map(([, text]) => text!)
}

const missing = (shell: string) => programObstacle(shell) ?? programObstacle('script')

describe.each(SHELLS)('%s', shell => {
  test('completes what is typed, and a name is one argument that nothing runs', ({ skip }) => {
    skip(missing(shell) !== null, missing(shell) ?? '')
    const output = typed(shell, [
      'ticketplan sho\talp\t',
      'ticketplan record A-1 blocked_b\tbet\t',
      'ticketplan relations --kind=blocked_\t',
      'ticketplan set A-1 --state In\t',
      'ticketplan set A-1 --state ab`\t'.replace('`', '\\`'),
      'ticketplan set A-1 --state it\t',
      'ticketplan set A-1 --state zz\t',
      'ticketplan -C tick\t',
      'ticketplan import beads ticketp\t',
      'ticketplan retract 01\t',
    ])
    expect(argumentsOf(output).map(text => text.replace('tickets/', 'tickets'))).toEqual([
      '<show><alpha-one>',
      '<record><A-1><blocked_by><beta>',
      '<relations><--kind=blocked_by>',
      '<set><A-1><--state><In $(touch pwned)>',
      '<set><A-1><--state><ab`touch pwned`c>',
      '<set><A-1><--state><it\'s "q">',
      '<set><A-1><--state><zz;touch pwned>',
      '<-C><tickets>',
      '<import><beads><ticketplan.json>',
      expect.stringMatching(/^<retract><01JX\d{22}>$/),
    ])
    expect(readdirSync(repository.root).sort()).toEqual(['.git', 'ticketplan.json', 'tickets'])
  })
})

describe.each(['bash', 'zsh'] as const)('%s', shell => {
  test('lists candidates without any escape sequence of a title', ({ skip }) => {
    skip(missing(shell) !== null, missing(shell) ?? '')
    const output = typed(shell, ['ticketplan show \t\t', 'ticketplan set A-1 --state \t\t'])
    for (const name of ['A-1', 'alpha-one', 'B-9', 'queued', 'abandoned']) expect(output).toContain(name)
    if (shell === 'zsh') expect(output).toContain('it\'s "q" $(touch pwned)')
    expect(output).not.toContain('\u001b]0;pwned')
    expect(readdirSync(repository.root)).not.toContain('pwned')
  })
})

test('fish gets titles, kinds and states as descriptions', ({ skip }) => {
  const obstacle = programObstacle('fish')
  skip(obstacle !== null, obstacle ?? '')
  const candidates = (line: string) => {
    const script = 'source .git/ticketplan/fish; complete -C $argv[1]'
    const { stdout } = spawnSync('fish', ['--no-config', '-c', script, line], {
      cwd: repository.root,
      encoding: 'utf8',
    })
    return stdout.split('\n').slice(0, -1)
  }
  expect(candidates('ticketplan show b')).toEqual(['beta\tB-9: two\\x0alines'])
  expect(candidates('ticketplan record A-1 ho')).toEqual([expect.stringMatching(/^hold\tthe Ticket is on hold/)])
  expect(candidates('ticketplan set A-1 --state z')).toEqual(['zz;touch pwned\tqueued'])
  expect(candidates('ticketplan set A-1 --state x')).toEqual([]) // a line break cannot be inserted
  expect(candidates('ticketplan import beads --map-root=tick')).toEqual(['--map-root=tickets/'])
  expect(candidates('ticketplan brie')).toEqual([expect.stringMatching(/^brief\t.+/)])
})

test('with --json, the script and a topic are one document', async () => {
  for (const args of [['completion', 'fish'], ['help', 'kinds'], ['help', 'accept'], ['help']]) {
    const plain = await runProgram(process.execPath, [CLI, ...args])
    const json = await runProgram(process.execPath, [CLI, ...args, '--json'])
    expect(plain).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(json.stdout), args.join(' ')).toEqual({ text: plain.stdout })
  }
})

test('an alias of a clone completes too', ({ skip }) => {
  skip(missing('zsh') !== null, missing('zsh') ?? '')
  const alias = 'alias ticketplan="printf \'<%s>\\n\' ran"'
  for (const [shell, more] of [
    ['bash', ''],
    ['zsh', 'setopt complete_aliases'],
  ] as const) {
    const [setup] = START[shell].setup.slice(-1)
    START[shell].setup = [...START[shell].setup.slice(0, -1), alias, more]
    expect(argumentsOf(typed(shell, ['ticketplan show alp\t'])), shell).toContain('<alpha-one>')
    START[shell].setup = [...START[shell].setup.slice(0, -2), setup!]
  }
})

describe('ticketplan __complete', () => {
  const ask = (root: string, ...words: string[]) =>
    runProgram('env', ['-C', root, process.execPath, CLI, '__complete', 'fish', ...words])

  test('reads the index as it is, and the files only where there is none', async () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'OLD')
    expect((await ask(repository.root, 'show', '')).stdout).toBe('words\nOLD\tTicket OLD\n')
    putTicket(repository.root, 'NEW')
    expect((await ask(repository.root, 'show', '')).stdout).toBe('words\nOLD\tTicket OLD\n')
    rmSync(repository.indexPath)
    expect((await ask(repository.root, 'show', 'N')).stdout).toBe('words\nNEW\tTicket NEW\n')
  })

  test('is silent about every error, and creates nothing', async () => {
    using empty = temporaryRepository()
    rmSync(empty.ticketsDir, { recursive: true })
    const nothing = { status: 0, stdout: '', stderr: '' }
    expect(await ask(empty.root, 'show', '')).toMatchObject(nothing)
    expect(readdirSync(empty.root)).toEqual(['.git'])
    expect(readdirSync(join(empty.root, '.git'))).not.toContain('ticketplan')
    writeFileSync(join(empty.root, 'ticketplan.json'), '{"ticketsDirr":1}')
    expect(await ask(empty.root, 'show', '')).toMatchObject(nothing)
    for (const args of [[], ['tcsh', 'x'], ['bash'], ['fish'], ['zsh', '-C', '/nowhere', 'show', '']]) {
      const run = await runProgram(process.execPath, [CLI, '__complete', ...args])
      expect(run, args.join(' ')).toMatchObject({ status: 0, stderr: '' })
    }
    using damaged = temporaryRepository()
    putTicket(damaged.root, 'A')
    await runCli(damaged.root, ['sync'])
    writeFileSync(damaged.indexPath, 'no database')
    expect(await ask(damaged.root, 'show', '')).toMatchObject({ status: 0, stderr: '' })
  })

  test('of many Tickets gives a bounded answer, with the two at the ends', async () => {
    using repository = temporaryRepository()
    for (let n = 1; n <= 400; n++) putTicket(repository.root, `T-${n}`, { state: n === 1 ? 'done' : 'open' })
    putTicket(repository.root, 'A-last', { state: 'done' })
    const { stdout } = await ask(repository.root, 'show', '')
    const names = stdout.split('\n').map(line => line.split('\t')[0])
    expect(names.length).toBeLessThan(210)
    expect(names).toContain('A-last')
    expect(names).toContain('T-99')
  })
})

test('a script names no program but the one that wrote it, and that of the PATH', async () => {
  for (const shell of SHELLS) {
    const { stdout } = await runProgram(process.execPath, [CLI, 'completion', shell])
    expect(stdout).toBe(completionScript(shell, [process.execPath, CLI]))
    expect(stdout).toContain('command ticketplan')
    expect(stdout).not.toMatch(/\beval\b/)
  }
  const quoted = completionScript('bash', ["/a'b/node", '/c d/cli.js'])
  const { stdout } = spawnSync('bash', ['-n'], { input: quoted, encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(quoted).toContain(`local node='/a'\\''b/node' entry='/c d/cli.js'`)
})
