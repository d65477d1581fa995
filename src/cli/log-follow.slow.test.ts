import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { CLI } from '../test-support/run-cli.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

/** Starts `log --follow`; `next` returns its next line. */
function follow(root: string, ...args: string[]) {
  const child = spawn(process.execPath, [CLI, '-C', root, 'log', '--follow', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return { child, next: async () => (await lines.next()).value as string | undefined }
}

test('log --follow prints what is decided from now on, filtered, and ends with 0 on a signal', async () => {
  using repository = temporaryRepository()
  for (const id of ['A', 'B']) putTicket(repository.root, id, { state: 'queued' })
  using plan = openPlan({ root: repository.root, actor: 'tester' })
  const earlier = plan.record({ ticket: 'A', kind: 'note', reason: 'earlier' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const { child, next } = follow(repository.root, 'A', '--kind', 'note', '--since', '1h', '--json')
    const ended = once(child, 'exit')
    // The line about the past says that the watch has begun.
    expect(JSON.parse((await next())!)).toMatchObject({ id: earlier.decision.id, ticket: 'A', status: 'active' })
    if (signal === 'SIGTERM') await next() // the note of the first round
    plan.record({ ticket: 'B', kind: 'note', reason: 'of another Ticket' })
    plan.record({ ticket: 'A', kind: 'related', other: 'B' })
    const { decision } = plan.record({ ticket: 'A', kind: 'note', reason: `while ${signal}` })
    expect(JSON.parse((await next())!)).toMatchObject({ id: decision.id, ticket: 'A', by: 'tester' })
    child.kill(signal)
    expect(await ended).toEqual([0, null])
  }
})

test('log --follow ends with 0 when its reader has gone', async () => {
  using repository = temporaryRepository()
  putTicket(repository.root, 'A')
  using plan = openPlan({ root: repository.root, actor: 'tester' })
  plan.record({ ticket: 'A', kind: 'note', reason: 'earlier' })
  const { child, next } = follow(repository.root, '--since', '1h')
  const ended = once(child, 'exit')
  expect(await next()).toContain('A  note: earlier  [tester]')
  child.stdout!.destroy()
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  for (let n = 0; !isOver; n++) {
    plan.record({ ticket: 'A', kind: 'note', reason: `note ${n}` })
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  expect(await ended).toEqual([0, null])
})
