import { describe, expect, test } from 'vitest'
import type { Operation } from '../operations/operation.ts'
import { operations } from '../operations/registry.ts'
import { openStore } from '../store/store.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { bounded, errorResult } from './answer.ts'
import { outputSchema } from './json-schema.ts'
import { toolsOf } from './tools.ts'

describe('a bounded answer', () => {
  test('is the answer itself if nothing is long', () => {
    const answer = { a: [1, 2], b: { c: ['x'] }, d: null }
    expect(bounded(answer, 2)).toEqual(answer)
  })

  test('reports how much is missing of each list and text', () => {
    const entries = Array.from({ length: 4 }, () => ({
      chain: Array.from({ length: 12 }, () => ({})),
      text: 'é'.repeat(2001),
    }))
    const { queue, left_out } = bounded({ queue: entries, problems: Array.from({ length: 11 }, () => ({})) }, 3)
    expect(queue).toHaveLength(3)
    expect(left_out).toEqual([
      '1 queue: a larger limit returns more',
      '6 chain: the resource ticketplan://ticket/{id} has all',
      '3 characters of text: the resource ticketplan://ticket/{id} has all',
      '1 problems: the command "ticketplan verify" lists all',
    ])
  })

  test('never cuts a character in half', () => {
    const { text } = bounded({ text: `${'x'.repeat(1999)}🐢🐢` }, 1)
    expect(text).toBe(`${'x'.repeat(1999)}…`)
  })

  test('keeps every cell of a row', () => {
    const rows = [Array.from({ length: 30 }, (_, n) => n)]
    const columns = rows[0]!.map(String)
    expect(bounded({ columns, rows, truncated: false }, 1)).toEqual({ columns, rows, truncated: false })
  })
})

test('an internal error is a result too, and says whom to tell', () => {
  const [block] = errorResult(new TypeError('x is not a function')).content
  expect(JSON.parse(block?.type === 'text' ? block.text : '').error).toMatchObject({
    code: 'internal',
    next: expect.stringContaining('person'),
  })
})

describe('schemas', () => {
  test('every operation has an output schema, whose required fields are described', () => {
    for (const operation of Object.values(operations) as unknown as Operation[]) {
      const { properties, required } = outputSchema(operation.output())
      for (const name of required ?? []) expect(Object.keys(properties), operation.name).toContain(name)
    }
  })

  test('tools check arguments as the operations do', () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { state: 'queued' })
    const store = openStore({ root: repository.root, actor: 'tester' })
    const tools = toolsOf(store, false)
    for (const [name, given] of [
      ['consult', {}],
      ['consult', { ticket: 'A', session: 'x' }],
      ['accept', { ticket: 'A', holder: 'a\nb' }],
      ['accept', { ticket: 'A', holder: 'pod-1', worktree: '/abs' }],
      ['accept', { ticket: 'A', holder: 'pod-1', force: true }],
      ['claims', { action: 'renew', ticket: 'A' }],
      ['claims', { action: 'steal' }],
      ['queue', { limit: 0 }],
      ['queue', null],
      ['queue', 'A'],
      ['query', { kind: 'nonsense' }],
      ['brief', { budget: 1 }],
    ] as const) {
      const isFine = name === 'queue' && given === null
      expect(tools.call(name, given)?.isError ?? false, `${name} ${JSON.stringify(given)}`).toBe(!isFine)
    }
    expect(tools.call('nonsense', {})).toBeUndefined()
    store.close()
  })
})
