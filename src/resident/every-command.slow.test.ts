/** Every reading command, asked of a resident and run by itself: the same bytes and the same exit status. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { READING_COMMANDS } from '../cli/reading-commands.ts'
import { openPlan } from '../sdk.ts'
import { startResidentProcess } from '../test-support/resident-process.ts'
import { CLI, cleanEnvironment, runProgram } from '../test-support/run-cli.ts'
import { programObstacle } from '../test-support/system-abilities.ts'
import { putTicket, runGit, temporaryRepository } from '../test-support/temporary-repository.ts'
import { CAN_RESIDE } from './place.ts'

/** By command, what follows it. Errors and refused arguments are among them. */
const LINES: Record<string, string[]> = {
  brief: ['', '--budget 300', '--budget 1', '--budget x'],
  queue: ['', 'extra'],
  consult: [
    'T-1',
    't-low',
    'T-2',
    'T-3',
    'T-4',
    'T-5 --holder pod-1',
    'T-5 --holder pod-2 --session s',
    'T-5 --token 1',
    'T-1 --pool gpu',
    'T-1 --pool none',
    'T-9',
    'BAD',
    '',
    'T-1 --nonsense',
    '-- T-1',
  ],
  claims: ['', '--all'],
  list: [
    '',
    '--phase queued',
    '--state nonsense',
    '--verdict accept',
    '--search Ünï',
    '--area src/a.ts',
    '--sort wrong',
  ],
  show: ['T-1', 'T-2', 'T-3', 'T-5', 'T-9', 'BAD'],
  relations: ['', '--ticket T-1', '--kind blocked_by --status all', '--kind wrong'],
  graph: ['', 'T-2', 'T-2 --depth 1', 'T-9'],
  log: ['', 'T-1', '--limit 2', '--limit 0', '--claims', '--since 2h', '--since yesterday'],
  scope: ['T-4', 'T-9'],
  overview: [''],
  db: [''],
}

/** A checkout with a Ticket of each sort, a claim, and files that cannot be read. */
function makeCheckout(root: string): void {
  writeFileSync(
    join(root, 'ticketplan.json'),
    '{"areas":{"menu":["src/menu/**"]},"pools":{"gpu":1},"claimTtlSeconds":86400}\n',
  )
  const queued = { state: 'queued', queued_at: '2026-06-08T11:21:13.000Z' }
  putTicket(root, 'T-1', {
    ...queued,
    title: 'Ünïcode \u001b[31mred\u001b[0m, and a title that no narrow terminal has room for',
  })
  putTicket(root, 'T-2', { ...queued, slug: 't-low' })
  putTicket(root, 'T-3', { state: 'done' })
  putTicket(root, 'T-4', queued)
  putTicket(root, 'T-5', queued)
  putTicket(root, 'T-6', { state: 'Strange' })
  writeFileSync(join(root, 'tickets', 'BAD.json'), '{"id":"BAD"')
  mkdirSync(join(root, 'tickets', 'deeper'))
  putTicket(root, 'T-7', queued, 'deeper')
  using plan = openPlan({ root, actor: 'orchestrator' })
  plan.record({ ticket: 'T-2', kind: 'blocked_by', other: 'T-1', reason: 'first "things" first' })
  plan.record({ ticket: 'T-4', kind: 'conflicts_with', other: 'T-5', reason: 'the same files' })
  plan.record({ ticket: 'T-4', kind: 'touches', paths: ['menu', 'docs/**'] })
  plan.record({ ticket: 'T-7', kind: 'hold', reason: 'wait' })
  plan.record({ ticket: 'T-1', kind: 'note', reason: 'two\nlines' })
  plan.record({ ticket: 'T-1', kind: 'part_of', other: 'T-9', future: true })
  plan.accept({
    ticket: 'T-5',
    holder: 'pod-1',
    session: 's',
    pool: 'gpu',
    plan: { summary: 'do it', branch: 'impl/5' },
  })
}

/** Some documents contain the time at which they were made. */
function withoutNow(text: string): string {
  const isOfNow = text.startsWith('{"format":1,"at"') || text.includes('<svg') || text.includes('<html')
  return isOfNow ? text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '#') : text
}

/**
 * Both answers. Ages change by the clock alone ("9 s ago", then "10 s ago"):
 * where the answers differ, the command runs alone again, and if that answer changed too, everything is repeated.
 */
async function withBoth<T>(run: (noResident: '' | '1') => T | Promise<T>): Promise<{ asked: T; alone: T }> {
  for (;;) {
    const alone = await run('1')
    const asked = await run('')
    if (isDeepStrictEqual(asked, alone) || isDeepStrictEqual(await run('1'), alone)) return { asked, alone }
  }
}

function runBoth(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string) {
  return withBoth(async noResident => {
    const all = { ...env, TICKETPLAN_NO_RESIDENT: noResident }
    const [program, ...rest] = cwd
      ? ['sh', '-c', 'cd "$0" && exec "$@"', cwd, process.execPath, CLI, ...args]
      : [process.execPath, CLI, ...args]
    const { status, stdout, stderr } = await runProgram(program!, rest, { env: all })
    return { status, stdout: withoutNow(stdout), stderr: withoutNow(stderr) }
  })
}

describe.skipIf(!CAN_RESIDE)('with a resident', () => {
  test('this test runs every reading command', () => {
    expect(Object.keys(LINES)).toEqual(Object.keys(READING_COMMANDS))
  })

  test.each(Object.keys(LINES))('%s: the same bytes and exit status as without', async command => {
    using repository = temporaryRepository()
    const { root } = repository
    makeCheckout(root)
    using resident = await startResidentProcess(root)
    let asked = 0
    for (const line of LINES[command]!) {
      for (const json of [[], ['--json']]) {
        const args = ['-C', root, command, ...line.split(' ').filter(Boolean), ...json]
        const before = resident.answered()
        const both = await runBoth(args)
        expect(both.asked, args.join(' ')).toEqual(both.alone)
        expect(both.alone.status, args.join(' ')).not.toBeNull()
        asked += resident.answered() - before
      }
    }
    expect(asked).toBeGreaterThan(0)
  })

  test('the environment and the folder of the asker count', async () => {
    using repository = temporaryRepository()
    const { root } = repository
    makeCheckout(root)
    using resident = await startResidentProcess(root)
    const deeper = join(root, 'tickets', 'deeper')
    for (const [args, env, cwd] of [
      [['consult', 'T-5', '--holder', 'pod-1'], { TICKETPLAN_SESSION: 's' }, root],
      [['consult', 'T-5', '--holder', 'pod-1'], { TICKETPLAN_SESSION: 'another' }, root],
      [['consult', 'T-5'], { TICKETPLAN_SESSION: 'two\nlines' }, root],
      [['consult', 'T-5'], { TICKETPLAN_SESSION: 'x'.repeat(2000) }, root],
      [['queue'], { TICKETPLAN_ACTOR: 'someone', NO_COLOR: '1', COLUMNS: '20', TERM: 'dumb', TZ: 'Asia/Tokyo' }, root],
      [['list'], {}, deeper],
      [['-C', '..', 'show', 'T-1'], {}, deeper],
      [['-C', 'nowhere', 'show', 'T-1'], {}, root],
      [['--actor', 'x', 'log'], {}, root],
      [['--actor'], {}, root],
      [['consult', '-C'], {}, root],
    ] as [string[], NodeJS.ProcessEnv, string][]) {
      const both = await runBoth(args, env, cwd)
      expect(both.asked, `${args.join(' ')} ${JSON.stringify(env)}`).toEqual(both.alone)
    }
    expect(resident.answered()).toBeGreaterThan(0)
  })

  const noScript = programObstacle('script')
  test.skipIf(noScript !== null)(
    'the terminal of the asker counts: its width, and whether it has colours',
    async () => {
      using repository = temporaryRepository()
      const { root } = repository
      makeCheckout(root)
      using resident = await startResidentProcess(root)
      const onTerminal = (columns: number, command: string, env: NodeJS.ProcessEnv) => {
        const line = `stty cols ${columns}; '${process.execPath}' '${CLI}' -C '${root}' ${command}`
        const all = { ...cleanEnvironment(), TERM: 'xterm', ...env }
        return withoutNow(spawnSync('script', ['-qec', line, '/dev/null'], { encoding: 'utf8', env: all }).stdout)
      }
      for (const command of ['queue', 'list', 'show T-1', 'graph T-2', 'consult T-1', 'consult T-9', 'overview']) {
        for (const columns of [30, 80, 200]) {
          for (const env of columns === 80 ? [{}, { NO_COLOR: '1' }, { TERM: 'dumb' }] : [{}]) {
            const { asked, alone } = await withBoth(noResident =>
              onTerminal(columns, command, { ...env, TICKETPLAN_NO_RESIDENT: noResident }),
            )
            expect(asked, `${command}, ${columns} columns`).toBe(alone)
          }
        }
      }
      expect(onTerminal(80, 'queue', {})).toContain('\u001b[')
      expect(resident.answered()).toBeGreaterThan(0)
    },
  )

  test('a linked worktree has a resident of its own', async () => {
    using repository = temporaryRepository()
    const { root } = repository
    makeCheckout(root)
    runGit(root, 'add', '-A')
    runGit(root, 'commit', '-qm', 'plan')
    const linked = join(root, '.worktrees', 'other')
    runGit(root, 'worktree', 'add', '-q', linked)
    putTicket(linked, 'T-1', { state: 'done', state_at: '2026-06-09T11:21:13.000Z' })
    using inMain = await startResidentProcess(root)
    using inLinked = await startResidentProcess(linked)
    for (const [folder, resident] of [
      [root, inMain],
      [linked, inLinked],
    ] as const) {
      const before = resident.answered()
      for (const args of [['consult', 'T-1'], ['show', 'T-1'], ['queue', '--json'], ['db']]) {
        const both = await runBoth(args, {}, folder)
        expect(both.asked, args.join(' ')).toEqual(both.alone)
      }
      expect(resident.answered()).toBeGreaterThan(before)
    }
  })
})
