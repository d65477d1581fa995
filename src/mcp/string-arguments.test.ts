import { expect, test } from 'vitest'
import { openStore } from '../store/store.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { folders } from './folders.ts'
import { toolsOf } from './tools.ts'

test('every tool takes every argument as a string, and answers the same', async () => {
  using repository = temporaryRepository()
  for (const id of ['A', 'B', 'C']) putTicket(repository.root, id, { state: 'queued', title: id })
  const store = openStore({ root: repository.root, actor: 'tester' })
  const plans = folders(store, () => store)
  const tools = toolsOf(plans, false)
  const call = async (name: string, given: object) => (await tools.call(name, given))!
  const note = (reason: string) => ({ ticket: 'A', kind: 'note', reason })
  const idOf = (result: unknown) =>
    (result as { structuredContent: { decision: { id: string } } }).structuredContent.decision.id
  const first = idOf(await call('record', note('1')))
  const second = idOf(await call('record', note('2')))
  const accepted = await call('accept', { ticket: 'B', holder: 'p' })
  const { claim } = accepted.structuredContent as { claim: { token: number } }

  const calls: [tool: string, given: Record<string, unknown>][] = [
    ['consult', { ticket: 'B', holder: 'p', token: claim.token }],
    ['queue', { limit: 2 }],
    ['query', { ticket: 'A', limit: 1 }],
    ['log', { tickets: ['A', 'B'], claims: true, limit: 5 }],
    ['wait', { tickets: ['A'], until: 'released', any: true, timeout: 5 }],
    ['brief', { budget: 300 }],
    ['sql', { query: 'select id from tickets', limit: 1, timeout: 5 }],
    ['claims', { action: 'list', all: true, limit: 5 }],
    ['claims', { action: 'renew', ticket: 'B', token: claim.token, ttl: 600 }],
    ['record', { ticket: 'C', kind: 'waiting_for_capacity', until: ['A', 'B'] }],
    ['record', { ticket: 'C', kind: 'conflicts_with', other: 'A', advisory: true }],
    ['record', { ticket: 'C', kind: 'touches', paths: ['src/a', 'src/b'], shared: true }],
    ['record', { ticket: 'C', kind: 'blocked_by', other: 'LATER', future: true }],
    ['record', { ...note('3'), supersedes: [first, second] }],
    ['accept', { ticket: 'A', holder: 'p', force: true, reason: 'x', ttl: 600 }],
    ['claims', { action: 'release', ticket: 'B', token: claim.token }],
  ]
  expect(new Set([...calls.map(([name]) => name), 'retract'])).toEqual(new Set(tools.names))
  for (const [name, given] of calls) {
    const asStrings = Object.fromEntries(
      Object.entries(given).map(([field, value]) => [field, typeof value === 'string' ? value : JSON.stringify(value)]),
    )
    const result = await call(name, asStrings)
    expect(result.isError, `${name} ${JSON.stringify(result.content)}`).toBeFalsy()
    const listed = Object.entries(given).find(([, value]) => Array.isArray(value))
    const decision = (result.structuredContent as { decision?: Record<string, unknown> }).decision
    if (listed && decision) expect(decision[listed[0]]).toEqual(listed[1])
  }
  store.close()
})
