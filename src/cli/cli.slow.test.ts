import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { asDecision } from '../test-support/loose-decision.ts'
import { CLI, errorOf, jsonOf, PACKAGE_ROOT, type Run, runCli, runProgram } from '../test-support/run-cli.ts'
import { putTicket, runGit, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'
import { commandNames } from './commands.ts'

const run = (args: string[], env: NodeJS.ProcessEnv = {}) => runProgram(process.execPath, [CLI, ...args], { env })

/** Returns the output of a run without what differs from run to run. */
function shown({ stdout }: Run): string {
  return stdout
    .replace(/01[0-9A-HJKMNP-TV-Z]{24}/g, '<ulid>')
    .replace(/\d{4}-\d\d-\d\d(T[\d:.]+Z| \d\d:\d\dZ)?/g, '<time>')
}

describe('help', () => {
  test('of the program and of every command equals the golden file', async () => {
    const texts = await Promise.all([['--help'], ...commandNames.map(name => [name, '--help'])].map(args => run(args)))
    expect(texts.every(({ status, stderr }) => status === 0 && stderr === '')).toBe(true)
    await expect(
      texts.map(({ stdout }) => stdout.replace(/^ticketplan \d+\.\d+\.\d+/, 'ticketplan <version>')).join('\n-----\n'),
    ).toMatchFileSnapshot('golden/help.txt')
  })

  test('every command shows an example, and every example names its command', async () => {
    for (const name of commandNames) {
      const { stdout } = await run([name, '-h'])
      expect(stdout.split('Examples:')[1], name).toMatch(new RegExp(`ticketplan (-C \\S+ )?${name}`))
    }
  })

  test('without a command goes to standard error, and the exit status is 2', async () => {
    expect(await run([])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('Usage: ticketplan <command>'),
    })
  })
})

describe('wrong usage exits with 2 and says what is allowed', () => {
  test.each([
    [['frobnicate'], 'the commands are init, import'],
    [['--frobnicate'], 'unknown option --frobnicate'],
    [['consult'], '<ticket> is required'],
    [['consult', 'A', 'B'], 'unexpected argument "B"'],
    [['set', 'A', '--colour', 'red'], '--title, --slug, --state'],
    [['set', 'A', '--title'], '--title needs a value'],
    [['list', '--limit', '-1'], '--limit needs a value; write --limit=-1 for "-1"'],
    [['list', '--limit=-1'], 'list: --limit: must be more than 0'],
    [['log', '--follow', '--claims'], 'log: --follow takes no --claims'],
    [['import', 'beads', 'x', '--watch', '--dry-run'], '--watch takes no --dry-run'],
    [['claims', '--all=yes'], '--all takes no value'],
    [['sql', 'select 1', '--limit', 'many'], '--limit takes a number'],
    [['sql', 'select 1', '--limit', '0'], 'sql: --limit: must be'],
    [['sql', 'select 1', '--limit', '1', '--limit', '2'], '--limit was given twice'],
    [['brief', '--budget', '1'], 'at least 150 tokens'],
    [['brief', '--budget', 'small'], '--budget takes a number'],
    [['mcp', 'A'], 'unexpected argument "A"'],
    [['record', 'A', 'hates', 'B'], 'the kinds are after, before'],
    [['retract', 'nonsense'], 'not the id of a decision'],
    [['relations', '--status', 'maybe'], 'relations: --status: must be one of'],
    [['queue', '-C'], '-C needs a value'],
    [['export', 'png'], 'export: <format>: must be one of'],
    [['add', 'A'], 'add: --title is required'],
    [['help', 'kidns'], 'did you mean kinds?'],
    [['completion', 'bahs'], 'did you mean bash?'],
    [['completion'], '<shell> is required'],
  ])('%j', async (args, hint) => {
    using repository = temporaryRepository()
    const plain = await runCli(repository.root, args)
    expect(plain).toMatchObject({ status: 2, stdout: '' })
    expect(plain.stderr).toContain(hint)
    expect(plain.stderr).not.toMatch(/\n\s+at |ticketplan: ticketplan/)
    expect(['usage', 'invalid_input']).toContain(errorOf(await runCli(repository.root, [...args, '--json'])).code)
  })
})

describe('exit statuses and documents', () => {
  test('a day of an orchestrator', async () => {
    using repository = temporaryRepository()
    const { root } = repository
    const json = async <T = never>(status: number, ...args: string[]) => {
      const result = await runCli(root, [...args, '--json'])
      expect(result, args.join(' ')).toMatchObject({ status, stderr: '' })
      expect(result.stdout.trim().split('\n')).toHaveLength(1)
      return jsonOf<T>(result)
    }
    expect(await json(0, 'add', 'A', '--title', 'Schema', '--state', 'queued')).toMatchObject({
      created: true,
      ticket: { id: 'A', phase: 'queued' },
    })
    await json(0, 'add', 'B', '--title', 'Tool', '--slug', 'tool', '--state', 'queued')
    const recorded = await json(0, 'record', 'tool', 'blocked-by', 'A', '--reason', 'first the schema')
    expect(recorded).toMatchObject({ created: true, decision: { kind: 'blocked_by', target: 'A', by: 'tester' } })
    expect(await json(3, 'consult', 'B')).toMatchObject({
      ticket: { id: 'B' },
      verdict: 'hold',
      reasons: [{ code: 'blocked_by', ticket: 'A' }],
      plan: null,
      claim: null,
    })
    expect(await json(0, 'consult', 'A')).toMatchObject({ verdict: 'accept', reasons: [] })
    expect(await json(0, 'queue')).toMatchObject({
      queue: [
        { ticket: { id: 'A' }, verdict: 'accept' },
        { ticket: { id: 'B' }, verdict: 'hold' },
      ],
      problems: [],
    })
    expect(await json(0, 'set', 'A', '--state', 'done')).toMatchObject({ changed: true })
    expect(await json(0, 'consult', 'tool')).toMatchObject({ verdict: 'accept' })
    expect(await json(0, 'sync')).toMatchObject({
      tickets: 2,
      decisions: 1,
      changed: 0,
      quarantined: 0,
      ms: expect.any(Number),
    })
    expect(await json(0, 'rebuild')).toMatchObject({ tickets: 2, changed: 2 })
    expect(await json(0, 'sql', 'select id from tickets order by id')).toEqual({
      columns: ['id'],
      rows: [['A'], ['B']],
      truncated: false,
    })
    expect(await json(0, 'verify')).toMatchObject({ ok: true, problems: [] })
    const { checks } = await json<{ checks: { name: string; ok: boolean }[] }>(4, 'doctor')
    expect(checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['merge driver', 'attributes', 'hooks'])
    expect(await json(0, 'db')).toEqual({
      path: join(root, '.git/ticketplan/index.db'),
      local: join(root, '.git/ticketplan/local.db'),
    })
    writeFileSync(join(root, 'tickets/C.json'), '{"id": "C"\n')
    expect(await json(4, 'verify')).toMatchObject({
      ok: false,
      problems: [
        {
          code: 'syntax',
          path: 'tickets/C.json',
          message: 'line 2, column 1: expected "," or "}", found the end of the file',
        },
      ],
    })
    expect(await json(4, 'doctor')).toMatchObject({ ok: false })
  })

  test('a failure exits with 1, with its code on standard error, and nothing on standard output', async () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A')
    for (const [code, ...args] of [
      ['unknown_ticket', 'show', 'nope'],
      ['unknown_decision', 'retract', '01JX8Z3V7Q4T9K2M5N6P7R8S9T'],
      ['self_relation', 'record', 'A', 'blocks', 'A'],
      ['ticket_exists', 'add', 'A', '--title', 'again'],
      ['sql_refused', 'sql', 'drop table tickets'],
      ['import_source', 'import', 'yoi', join(repository.root, 'none')],
      ['io', '-C', join(repository.root, 'none'), 'queue'],
    ] as const) {
      const result = await runCli(repository.root, [...args, '--json'])
      expect(result, args.join(' ')).toMatchObject({ status: 1, stdout: '' })
      expect(errorOf(result).code, args.join(' ')).toBe(code)
    }
  })

  test('a folder without git, and decisions without an actor', async () => {
    using folder = temporaryFolder()
    const home = { HOME: folder.path, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', TICKETPLAN_ACTOR: '' }
    mkdirSync(join(folder.path, 'work'))
    const here = (...args: string[]) => run(['-C', join(folder.path, 'work'), ...args], home)
    expect(await here('queue')).toMatchObject({ status: 1, stderr: expect.stringContaining('ticketplan init') })
    expect(await here('init')).toMatchObject({ status: 0, stdout: expect.stringContaining('not a git repository') })
    expect(await here('init')).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing to do') })
    expect(await here('add', 'A', '--title', 'a')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('TICKETPLAN_ACTOR'),
    })
    expect(await here('add', 'A', '--title', 'a', '--actor', 'ann')).toMatchObject({ status: 0 })
    expect(await here('queue')).toMatchObject({ status: 0, stdout: 'the queue is empty\n' })
  })

  test('commands work from a subfolder, and in a linked worktree', async () => {
    using repository = temporaryRepository()
    using elsewhere = temporaryFolder()
    putTicket(repository.root, 'A', { state: 'queued' })
    mkdirSync(join(repository.root, 'src/deep'), { recursive: true })
    expect((await run(['-C', join(repository.root, 'src/deep'), 'queue'])).stdout).toContain('A')
    runGit(repository.root, 'add', '.')
    runGit(repository.root, 'commit', '-qm', 'one')
    runGit(repository.root, 'worktree', 'add', '-q', join(elsewhere.path, 'wt'))
    const { path, local } = jsonOf(
      await run(['-C', join(elsewhere.path, 'wt'), 'db', '--json'], { GIT_DIR: '/nowhere' }),
    )
    expect(path).toBe(join(repository.root, '.git/worktrees/wt/ticketplan/index.db'))
    expect(local).toBe(join(repository.root, '.git/ticketplan/local.db'))
  })
})

describe('readable output', () => {
  test('shows verdicts with their reasons, the chain of blockers as a tree, and whole ids', async () => {
    using repository = temporaryRepository()
    const blocked = (...targets: string[]) =>
      targets.map((target, n) => ({
        at: '2026-06-08T11:30:00.000Z',
        by: 'tester',
        id: `01JX${String(n).padStart(22, '0')}`,
        kind: 'blocked_by',
        target,
      }))
    const long = 'L'.repeat(64)
    putTicket(repository.root, 'A', {
      state: 'queued',
      title: '日本語の題',
      decisions: blocked('B', 'gone').map(asDecision),
    })
    putTicket(repository.root, 'B', { state: 'planning', decisions: blocked('C', 'D').map(asDecision) })
    putTicket(repository.root, 'C', { decisions: blocked(long).map(asDecision) })
    putTicket(repository.root, 'D', { decisions: blocked(long).map(asDecision) })
    putTicket(repository.root, long)
    putTicket(repository.root, 'Z', { state: 'queued', title: 'free' })
    expect(shown(await runCli(repository.root, ['queue']))).toBe(
      `hold    A  日本語の題
  x blocked_by       blocked by B (planning), which itself waits for 3 more
                     └─ B (planning)
                        ├─ C (open)
                        │  └─ ${long} (open)
                        └─ D (open)
                           └─ ${long} (open), as above
  x blocker_missing  blocked by gone, which has no file here
accept  Z  free
warning: tickets/A.json: A blocked_by gone, which has no file (decision <ulid>) [dangling]
`.replace('<ulid>', '<ulid>'),
    )
  })

  test('shows a Ticket with its decisions and relations', async () => {
    using repository = temporaryRepository()
    const { root } = repository
    await runCli(root, [
      'add',
      'A',
      '--title',
      'Schema',
      '--slug',
      'schema',
      '--state',
      'queued',
      '--queued-by',
      'panel',
    ])
    await runCli(root, ['add', 'B', '--title', 'Tool'])
    await runCli(root, ['record', 'A', 'before', 'B', '--reason', 'routing'])
    await runCli(root, ['record', 'A', 'note', '--reason', 'ask first'])
    expect(shown(await runCli(root, ['show', 'schema']))).toBe(`A  Schema
  state   queued (queued) since <time>
  slug    schema
  queued  <time> by panel
  created <time>
  changed <time>
  file    tickets/A.json
  verdict accept
decisions, oldest first:
  <time>  active      note: ask first  [tester]
    <ulid>
recorded with other Tickets, as seen from this one:
  before  B  active  <time>  tester  routing
`)
  })

  test('show of several Tickets prints each, and fails with a name that means none', async () => {
    using repository = temporaryRepository()
    for (const id of ['T-1', 'T-2']) putTicket(repository.root, id)
    const { status, stdout, stderr } = await runCli(repository.root, ['show', 'T-2', 'T-9', 'T-1'])
    expect({ status, heads: stdout.split('\n').filter(line => /^\S.*Ticket T/.test(line)) }).toEqual({
      status: 1,
      heads: ['T-2  Ticket T-2', 'T-1  Ticket T-1'],
    })
    expect(stderr).toMatch(/^ticketplan: no Ticket has the id or slug "T-9"; did you mean .*\? Shown: T-2, T-1\.\n$/)
    const asJson = await runCli(repository.root, ['show', 'T-2', 'T-9', 'T-1', '--json'])
    expect(errorOf(asJson)).toMatchObject({ code: 'unknown_ticket', ticket: 'T-9', similar: ['T-1', 'T-2'] })
    expect(jsonOf(asJson)).toMatchObject({
      ticket: { id: 'T-2' },
      others: [{ ticket: { id: 'T-1' } }],
      unknown: [{ name: 'T-9' }],
    })
  })

  test('text from files cannot steer the terminal, in tables, in errors, in documents', async () => {
    using repository = temporaryRepository()
    const evil = 'a\u001b[2J\u009b31m\u202egpj\nnew\u0007\u2028'
    putTicket(repository.root, 'A', { title: evil, state: 'queued', source: { evil } })
    putTicket(repository.root, 'B', { state: evil })
    writeFileSync(join(repository.root, 'tickets', `C.json`), `{"format":1,"id":"C","\u001b[2J${'"'}:1}`)
    const commands = [
      ['queue'],
      ['list'],
      ['show', 'A'],
      ['show', 'B', 'A'],
      ['verify'],
      ['show', evil],
      ['sql', 'select title from tickets'],
      ['export', 'mermaid'],
      ['export', 'dot'],
    ]
    for (const args of commands) {
      for (const json of [[], ['--json']]) {
        const { stdout, stderr } = await runCli(repository.root, [...args, ...json])
        expect(stdout + stderr, args.join(' ')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]/)
      }
    }
    expect((await runCli(repository.root, ['queue'])).stdout).toContain(
      'a\\x1b[2J\\x9b31m\\u{202e}gpj\\x0anew\\x07\\u{2028}',
    )
  })

  test('no colour off a terminal', async () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { state: 'queued' })
    expect((await runCli(repository.root, ['queue'], { env: { FORCE_COLOR: '1' } })).stdout).toBe(
      'accept  A  Ticket A\n',
    )
  })

  test('CSV quotes what needs it, and no cell is a formula', async () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { title: '=1+1, "two"\nlines' })
    const { stdout } = await runCli(repository.root, ['sql', '--csv', 'select id, title, null as empty from tickets'])
    expect(stdout).toBe('id,title,empty\nA,"\'=1+1, ""two""\nlines",\n')
  })

  test('a reader that closes the pipe is no failure, and changes no exit status', async () => {
    using repository = temporaryRepository()
    for (let n = 0; n < 300; n++) putTicket(repository.root, `T-${n}`, { state: 'queued', title: 'x'.repeat(900) })
    putTicket(repository.root, 'open')
    const statusOf = (command: string) =>
      runProgram('bash', [
        '-c',
        `"${process.execPath}" "${CLI}" -C "${repository.root}" ${command} | head -c 1 >/dev/null; exit \${PIPESTATUS[0]}`,
      ])
    expect(await statusOf('queue')).toMatchObject({ status: 0, stderr: '' })
    const closed = (command: string) =>
      runProgram('bash', [
        '-c',
        `"${process.execPath}" "${CLI}" -C "${repository.root}" ${command} | exit 0; exit \${PIPESTATUS[0]}`,
      ])
    expect((await closed('consult open')).status).toBe(3)
  })

  test('a full disk under the output is an error that names the cause', async () => {
    using repository = temporaryRepository()
    const full = await runProgram('bash', [
      '-c',
      `"${process.execPath}" "${CLI}" -C "${repository.root}" queue > /dev/full`,
    ])
    expect(full).toMatchObject({ status: 1, stderr: expect.stringContaining('standard output: no space left') })
  })

  test('a full disk under the output of a command that writes: the error says that it is done, and has the answer', async () => {
    using repository = temporaryRepository()
    const addTo = (disk: string, ...args: string[]) =>
      runProgram('bash', [
        '-c',
        `"${process.execPath}" "${CLI}" -C "${repository.root}" add ${args.join(' ')} > ${disk}`,
      ])
    const text = await addTo('/dev/full', 'A', '--title', 'a')
    expect(text).toMatchObject({
      status: 1,
      stderr:
        'ticketplan: the answer cannot be printed (ENOSPC on standard output), but the command was carried out: do not run it again\n' +
        'added A "a" in tickets/A.json\n',
    })
    const json = await addTo('/dev/full', 'B', '--title', 'b', '--json')
    expect(errorOf(json)).toMatchObject({ code: 'io', answer: { ticket: { id: 'B' } } })
    expect(await addTo('/dev/null', 'A', '--title', 'a')).toMatchObject({ status: 1 })
  })

  test('notes and errors are escaped, and with --json each is a document', async () => {
    using folder = temporaryFolder()
    const root = join(folder.path, 'e\u001b[31mred\nticketplan: fine')
    mkdirSync(join(root, 'tickets'), { recursive: true })
    writeFileSync(join(root, '.ticketplan'), 'a file where the folder of the databases should be')
    for (const args of [['queue'], ['show', 'nope']]) {
      const plain = await run(['-C', root, ...args])
      expect(plain.stderr).not.toContain('\u001b')
      expect(plain.stderr).not.toMatch(/^ticketplan: fine/m)
      const json = await run(['-C', root, ...args, '--json'])
      for (const line of json.stderr.trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow()
    }
  })
})

describe('the program', () => {
  test('refuses a Node that is too old in one line, before anything native is loaded', async () => {
    const pretend =
      "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}});process.dlopen=()=>{throw new Error('native code was loaded')}"
    const result = await runProgram(process.execPath, ['--import', pretend, CLI, 'queue'])
    expect(result).toMatchObject({ status: 1, stdout: '' })
    expect(result.stderr).toBe('ticketplan needs Node 22.22 or later; this is Node 20.20.2. Install a current one.\n')
  })

  test('the version is that of package.json', async () => {
    const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'))
    expect((await run(['--version'])).stdout).toBe(`${version}\n`)
  })

  test('the demo runs', async () => {
    const result = await runProgram(process.execPath, [join(PACKAGE_ROOT, 'scripts', 'demo.ts')])
    expect(result, result.stdout + result.stderr).toMatchObject({ status: 0 })
  })
})
