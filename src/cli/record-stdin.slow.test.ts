/** record --stdin, --reason - and time spans on the command line. */
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { openPlan } from '../index.ts'
import { CLI, runCli } from '../test-support/run-cli.ts'
import { putTicket, readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'

function run(root: string, args: string[], input: string | Buffer) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, '-C', root, '--actor', 'tester', ...args], {
    input,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

function repositoryOf(ids: readonly string[]) {
  const repository = temporaryRepository()
  for (const id of ids) putTicket(repository.root, id, { state: 'queued' })
  return repository
}

describe('record --stdin', () => {
  const GOOD = '{"ticket":"B","kind":"blocked-by","other":"A","reason":"first"}'

  test('takes a byte order mark, CRLF and blank lines', () => {
    using repository = repositoryOf(['A', 'B'])
    const input = `\ufeff${GOOD}\r\n\r\n  \n{"ticket":"A","kind":"note","reason":"x"}`
    expect(run(repository.root, ['record', '--stdin'], input)).toEqual({
      status: 0,
      stdout: 'recorded 2 decisions in 2 files\n',
      stderr: '',
    })
  })

  test('names the line of each error, and writes nothing', () => {
    using repository = repositoryOf(['A', 'B'])
    const input = `${GOOD}\n\n{"ticket":"B"\n{"ticket":"B","kind":"note","kind":"hold"}\n[]\n`
    const { status, stdout, stderr } = run(repository.root, ['record', '--stdin', '--json'], input)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    const { error } = JSON.parse(stderr)
    expect(error.code).toBe('not_recorded')
    expect(error.failed.map(({ line }: { line: number }) => line)).toEqual([3, 4, 5])
    expect(readTicketJson(repository.root, 'tickets/B.json').decisions).toEqual([])
  })

  test('--keep-going writes the good lines and exits with 4', () => {
    using repository = repositoryOf(['A', 'B'])
    const { status, stdout } = run(repository.root, ['record', '--stdin', '--keep-going'], `nonsense\n${GOOD}\n`)
    expect(status).toBe(4)
    expect(stdout).toMatch(/^recorded 1 decision in 1 file\nline 1: not recorded: /)
    expect(readTicketJson(repository.root, 'tickets/B.json').decisions).toHaveLength(1)
  })

  test.each([
    [['record', '--stdin', 'B'], '', 2, 'unexpected argument "B"'],
    [['record', '--stdin', '--reason', 'x'], '', 2, '--stdin takes no --reason'],
    [['record', '--stdn'], '', 2, 'did you mean --stdin?'],
    [['record', '--stdin'], Buffer.from([0xff, 0xfe]), 2, 'not UTF-8'],
  ])('%j', (args, input, status, message) => {
    using repository = repositoryOf(['B'])
    const result = run(repository.root, args, input)
    expect(result.status).toBe(status)
    expect(result.stderr).toContain(message)
  })

  test('of nothing records nothing', () => {
    using repository = repositoryOf(['B'])
    expect(run(repository.root, ['record', '--stdin'], '')).toMatchObject({
      status: 0,
      stdout: 'recorded 0 decisions in 0 files\n',
    })
  })
})

describe('--reason -', () => {
  test('reads the reason of each command that takes one', () => {
    using repository = repositoryOf(['A'])
    const { root } = repository
    const reason = 'first line\n\nsecond line'
    const text = `${reason}\n`
    expect(run(root, ['record', 'A', 'hold', '--reason', '-'], text).status).toBe(0)
    expect(run(root, ['accept', 'A', '--holder', 'h', '--force', '--reason', '-'], text).status).toBe(0)
    expect(run(root, ['release', 'A', '--force', '--reason', '-'], text).status).toBe(0)
    using plan = openPlan({ root, actor: 'tester' })
    const [hold] = plan.show('A').decisions
    expect(run(root, ['retract', hold!.id, '--reason=-'], text).status).toBe(0)
    const { decisions } = readTicketJson(root, 'tickets/A.json')
    expect(decisions.map(({ reason }) => reason)).toEqual([reason, reason, reason])
  })

  test('an empty one is no reason, and one that is too long is refused', () => {
    using repository = repositoryOf(['A'])
    expect(run(repository.root, ['record', 'A', 'note', '--reason', '-'], '\n')).toMatchObject({ status: 2 })
    expect(run(repository.root, ['record', 'A', 'note', '--reason', '-'], 'x'.repeat(20_000)).stderr).toContain(
      '16 KiB',
    )
  })
})

test('time spans are seconds, or have units', async () => {
  using repository = repositoryOf(['A'])
  for (const [ttl, seconds] of [
    ['90', 90],
    ['2m', 120],
    ['1h30m', 5400],
    ['1d', 86_400],
  ] as const) {
    const { stdout } = await runCli(repository.root, ['claim', 'A', '--holder', 'h', '--ttl', ttl, '--json'])
    const { claim } = JSON.parse(stdout)
    expect(Date.parse(claim.expires_at) - Date.parse(claim.renewed_at), ttl).toBe(seconds * 1000)
  }
  const wrong = await runCli(repository.root, ['claim', 'A', '--holder', 'h', '--ttl', '30x'])
  expect(wrong.status).toBe(2)
  expect(wrong.stderr).toContain('--ttl takes seconds, or a time such as 90s, 30m, 2h, 1d or 1h30m, not "30x"')
})

test('a misspelt field of a line is answered with the fields, its own id among them', () => {
  using repository = repositoryOf(['T-1'])
  const { stderr } = run(repository.root, ['record', '--stdin'], '{"ticket":"T-1","kind":"note","resaon":"x"}\n')
  expect(stderr).toMatch(/did you mean reason\? \(the fields are ticket, kind.*, id\)/)
})
