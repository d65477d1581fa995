import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isPlanError } from './model/errors.ts'
import type { OperationName } from './operations/registry.ts'
import { type ConnectedPlan, connectPlan, type OutputOf, openPlan } from './sdk.ts'
import { fleetClone } from './test-support/fleet-clones.ts'
import { rejectionOf } from './test-support/plan-error-of.ts'
import { putTicket, temporaryRepository } from './test-support/temporary-repository.ts'

const FLEET = { id: 'shop-01JX8ZQ4M6T2V9W3B5N7C1D8EF', url: 'postgres://nobody@127.0.0.1:1/none?sslmode=disable' }

/** An input for each operation that rests on claims, or can. */
const INPUTS: Partial<Record<OperationName, object>> = {
  queue: {},
  consult: { ticket: 'A' },
  accept: { ticket: 'A', holder: 'pod' },
  claim: { ticket: 'A', holder: 'pod' },
  renew: { ticket: 'A', token: 1 },
  release: { ticket: 'A', token: 1 },
  claims: {},
  show: { ticket: 'A' },
  list: {},
  overview: {},
  brief: {},
  sql: { query: 'select * from claims' },
  log: { claims: true },
  export: { format: 'svg' },
  undo: {},
}
/** The same without claims, and operations that need none. */
const OTHERS: Partial<Record<OperationName, object>> = {
  record: { ticket: 'A', kind: 'note', reason: 'x' },
  set: { ticket: 'A', title: 'Another' },
  add: { id: 'B', title: 'B' },
  relations: {},
  graph: {},
  log: {},
  sql: { query: 'select * from tickets' },
  export: { format: 'json' },
  sync: {},
  rebuild: {},
  verify: {},
  db: {},
}

function codeOf(action: () => unknown): string {
  try {
    action()
    return 'none'
  } catch (error) {
    if (isPlanError(error)) return error.code
    throw error
  }
}

describe('openPlan in a clone that has joined a fleet', () => {
  test.each(Object.entries(INPUTS))('refuses %s, naming connectPlan', (name, input) => {
    using clone = fleetClone(FLEET, 'm-1', ['A'])
    using plan = openPlan({ root: clone.root, actor: 'tester' })
    plan.record({ ticket: 'A', kind: 'note', reason: 'to be undone' })
    const call = () => (plan as unknown as Record<string, (input: object) => unknown>)[name]!(input)
    expect(codeOf(call)).toBe('fleet_required')
    expect(call).toThrow(/connectPlan\(\) in place of openPlan\(\)/)
  })

  test.each(Object.entries(OTHERS))('does %s', (name, input) => {
    using clone = fleetClone(FLEET, 'm-1', ['A'])
    using plan = openPlan({ root: clone.root, actor: 'tester' })
    expect(codeOf(() => (plan as unknown as Record<string, (input: object) => unknown>)[name]!(input))).toBe('none')
  })
})

test('a clone that has not joined the fleet of its configuration is refused, with the command to join', async () => {
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { state: 'queued' })
  writeFileSync(join(repository.root, 'ticketplan.json'), JSON.stringify({ fleet: FLEET.id }))
  using plan = openPlan({ root: repository.root, actor: 'tester' })
  expect(() => plan.consult('A')).toThrow(/has not joined the fleet .*fleet join/)
  await using connected = await connectPlan({ root: repository.root, actor: 'tester' })
  expect((await rejectionOf(() => connected.accept({ ticket: 'A', holder: 'pod' }))).code).toBe('fleet_not_joined')
  await connected.record({ ticket: 'A', kind: 'note', reason: 'x' })
})

test('connectPlan without a fleet has the claims of local.db, and sees those of openPlan', async () => {
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { state: 'queued' })
  await using connected = await connectPlan({ root: repository.root, actor: 'tester' })
  const { accepted, claim } = await connected.accept({ ticket: 'A', holder: 'pod' })
  expect([accepted, claim && 'machine' in claim]).toEqual([true, false])
  using plan = openPlan({ root: repository.root, actor: 'tester' })
  expect(plan.claims().claims).toMatchObject([{ ticket: 'A', token: claim!.token }])
})

test('every method of a connected plan rejects, never throws; a closed plan names connectPlan', async () => {
  using repository = temporaryRepository()
  mkdirSync(join(repository.root, 'tickets'), { recursive: true })
  const plan = await connectPlan({ root: repository.root, actor: 'tester' })
  expect((await rejectionOf(() => plan.consult('Z'))).code).toBe('unknown_ticket')
  expect((await rejectionOf(() => plan.consult({ ticket: 'Z', holdr: 'x' } as never))).code).toBe('invalid_input')
  await plan.close()
  const pending = plan.queue()
  await expect(pending).rejects.toThrow('the plan is closed; open another with connectPlan()')
  await expect(plan.watch(() => {})).rejects.toThrow('the plan is closed')
})

/** Compiles only if the methods have the types of the synchronous plan, as promises. */
async function typed(plan: ConnectedPlan): Promise<void> {
  const consulted = await plan.consult('A')
  consulted.verdict satisfies 'accept' | 'hold'
  ;(await plan.queue()) satisfies OutputOf<'queue'>
  const { claim } = await plan.accept({ ticket: 'A', holder: 'pod' })
  claim?.machine satisfies string | undefined
  // @ts-expect-error a promise has no verdict
  plan.consult('A').verdict
  // @ts-expect-error a holder is needed
  void plan.accept({ ticket: 'A' })
  // @ts-expect-error no such method
  plan.nonsense
  const watching = await plan.watch(({ ticket }) => ticket satisfies string | null)
  watching.close()
}

test('the methods of a connected plan are typed', () => {
  expect(typed).toBeInstanceOf(Function)
})
