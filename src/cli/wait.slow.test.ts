/** wait as a process: exit statuses, signals, documents. */
import { describe, expect, test } from 'vitest'
import { openPlan } from '../index.ts'
import { jsonOf, runCli, startCli } from '../test-support/run-cli.ts'
import { putTicket, replaceTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { until } from '../test-support/until.ts'

function blockedRepository() {
  const repository = temporaryRepository()
  for (const id of ['A', 'B']) putTicket(repository.root, id, { state: 'queued' })
  using plan = openPlan({ root: repository.root, actor: 'tester' })
  plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
  return repository
}

test('ends with 0 as soon as another process makes the condition true', async () => {
  using repository = blockedRepository()
  const child = startCli(repository.root, ['wait', 'B', '--json'])
  await until('it waits', () => child.stderr().includes('waiting until B can be accepted'))
  expect((await runCli(repository.root, ['set', 'A', '--state', 'done'])).status).toBe(0)
  expect(await child.ended).toEqual({ status: 0, signal: null })
  expect(JSON.parse(child.lines[0]!)).toMatchObject({ met: true, until: 'accept', tickets: [{ ticket: { id: 'B' } }] })
})

test('sees a changed file where file events are unavailable', async () => {
  using repository = blockedRepository()
  const child = startCli(repository.root, ['wait', 'A', '--until', 'terminal'], { env: { CHOKIDAR_USEPOLLING: '1' } })
  await until('it says so', () => child.stderr().includes('file events are unavailable'))
  replaceTicket(repository.root, 'A', { state: 'done' })
  expect(await child.ended).toEqual({ status: 0, signal: null })
  expect(child.lines).toEqual(['A "Ticket A" is in a terminal state'])
})

test('ends with 7 on a time-out, with the document', async () => {
  using repository = blockedRepository()
  const run = await runCli(repository.root, ['wait', 'A', 'B', '--timeout', '0.2s', '--json'])
  expect(run.status).toBe(7)
  expect(jsonOf(run)).toMatchObject({ met: false, tickets: [{ met: true }, { met: false, total: 1 }] })
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s ends it with %i, and prints nothing', async (signal, status) => {
  using repository = blockedRepository()
  const child = startCli(repository.root, ['wait', 'B'])
  await until('it waits', () => child.stderr().includes('waiting until'))
  child.process.kill(signal)
  expect(await child.ended).toEqual({ status, signal: null })
  expect(child.lines).toEqual([])
})

describe('wrong usage', () => {
  test.each([
    [['wait'], 2, '<tickets> is required'],
    [['wait', 'B', '--until', 'acept'], 2, 'did you mean accept?'],
    [['wait', 'B', '--timeout', '-5'], 2, '--timeout'],
    [['wait', 'nobody'], 1, 'nobody'],
  ])('%j', async (args, status, message) => {
    using repository = blockedRepository()
    const run = await runCli(repository.root, args)
    expect(run).toMatchObject({ status, stdout: '' })
    expect(run.stderr).toContain(message)
  })
})

test('says at once that a settled Ticket cannot be accepted unless it is queued again', async () => {
  using repository = blockedRepository()
  replaceTicket(repository.root, 'A', { state: 'done' })
  const { status, stderr } = await runCli(repository.root, ['wait', 'A', 'B', '--timeout', '0.1s'])
  expect(status).toBe(7)
  expect(stderr).toContain(
    'A is done: it can only be accepted if somebody queues it again (ticketplan set A --state queued)',
  )
  expect(stderr).not.toContain('B is')
  const json = await runCli(repository.root, ['wait', 'A', '--timeout', '0.1s', '--json'])
  expect(
    json.stderr
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line).note)[1],
  ).toContain('A is done')
})
