/** What the system may lack: /proc, the kind of a file system, file locks. Each is taken away from real processes. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Run, runCli } from './test-support/run-cli.ts'
import { traceCli } from './test-support/strace.ts'
import { type Obstacle, straceObstacle } from './test-support/system-abilities.ts'
import { putTicket, temporaryRepository } from './test-support/temporary-repository.ts'

/** Starts a program with an empty folder in place of /proc. */
const WITHOUT_PROC = [
  'unshare',
  '--user',
  '--map-root-user',
  '--mount',
  'sh',
  '-c',
  'mount -t tmpfs tmpfs /proc && exec "$@"',
  'sh',
]

function procObstacle(): Obstacle {
  const [program, ...args] = WITHOUT_PROC
  const run = spawnSync(program!, [...args, 'ls', '/proc'], { encoding: 'utf8' })
  return run.status === 0 && run.stdout === '' ? null : '/proc cannot be hidden from one process here'
}

const noProc = procObstacle()
const noStrace = straceObstacle()

describe.skipIf(noProc !== null)(`without /proc${noProc ? ` (${noProc})` : ''}`, () => {
  const run = (root: string, ...args: string[]) => runCli(root, args, { through: WITHOUT_PROC })

  test('a Ticket is set up, recorded, accepted, kept, queried and released', async () => {
    using repository = temporaryRepository()
    const { root } = repository
    const done = async (...args: string[]): Promise<Run> => {
      const result = await run(root, ...args)
      expect(result, args.join(' ')).toMatchObject({ status: 0, signal: null })
      return result
    }
    await done('init')
    for (const id of ['A', 'B']) await done('add', id, '--title', id, '--state', 'queued')
    await done('record', 'B', 'after', 'A')
    const { stdout } = await done('accept', 'A', '--holder', 'pod', '--json')
    const { token } = JSON.parse(stdout).claim
    await done('keep', 'A', '--token', String(token), '--', 'true')
    expect((await done('sql', 'select count(*) as n from tickets', '--json')).stdout).toContain('"rows":[[2]]')
    expect((await done('claims')).stdout).toContain('pod')
    expect((await run(root, 'consult', 'B')).status).toBe(3)
    await done('release', 'A', '--token', String(token))
    await done('doctor')
    await done('verify')
  })

  test('a query that needs too much memory is still stopped', async () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A')
    const huge =
      "select length(group_concat(hex(zeroblob(1000000)))) from json_each('[1' || replace(hex(zeroblob(1000)), '00', ',1') || ']')"
    const result = await run(repository.root, 'sql', huge, '--json')
    expect(result.status).toBe(1)
    expect(JSON.parse(result.stderr).error.code).toBe('sql_failed')
  })
})

/** Makes each call of this name fail, from one on. */
const failing = (name: string, error: string, from = 1) =>
  [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `trace=${name}`,
    '-e',
    `inject=${name}:error=${error}:when=${from}+`,
  ] as const
const STEADY = { NODE_DISABLE_COMPILE_CACHE: '1' }

describe.skipIf(noStrace !== null)(`a system without a call${noStrace ? ` (${noStrace})` : ''}`, () => {
  test('an unknown kind of file system is treated as a shared one', async () => {
    using repository = temporaryRepository()
    const { root, indexPath } = repository
    putTicket(root, 'A', { state: 'queued' })
    for (const error of ['ENOSYS', 'EPERM']) {
      const result = await runCli(root, ['queue', '--json'], { through: failing('statfs', error), env: STEADY })
      expect(result, error).toMatchObject({ status: 0, stderr: '' })
      expect(JSON.parse(result.stdout).queue).toHaveLength(1)
      // Byte 18 of a database is 1 for a rollback journal and 2 for WAL, which shared memory would have to serve.
      expect(readFileSync(indexPath)[18]).toBe(1)
    }
  })

  test.each([
    'EINVAL',
    'ENOLCK',
  ])('where locking fails with %s a write is refused with the cause, and nothing is written', async error => {
    using repository = temporaryRepository()
    const { root, ticketsDir } = repository
    putTicket(root, 'A', { state: 'queued' })
    await runCli(root, ['queue'])
    const before = readFileSync(join(ticketsDir, 'A.json'))
    const args = ['record', 'A', 'note', '--reason', 'x', '--actor', 'tester', '--json']
    const { calls } = await traceCli(root, args, ['fcntl'])
    const first = calls.find(({ line }) => line.includes('F_SETLK'))!.nth
    await runCli(root, ['undo', '--actor', 'tester'])
    expect(readFileSync(join(ticketsDir, 'A.json'))).toEqual(before)
    const result = await runCli(root, args, { through: failing('fcntl', error, first), env: STEADY })
    const [line] = result.stderr.split('\n')
    expect(result.stdout).toBe('')
    expect(line).toMatch(
      error === 'EINVAL' ? /write-lock: the disk reported an error/ : /or the file system has no locks/,
    )
    expect(readFileSync(join(ticketsDir, 'A.json'))).toEqual(before)
    expect(readdirSync(ticketsDir)).toEqual(['A.json'])
  })
})
