import { describe, expect, test } from 'vitest'
import { PlanError } from '../model/errors.ts'
import type { Operation } from '../operations/operation.ts'
import { operations } from '../operations/registry.ts'
import { openStore } from '../store/store.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { errorResult, toolResult } from './answer.ts'
import { folders } from './folders.ts'
import { outputSchema } from './json-schema.ts'
import { toolsOf } from './tools.ts'

test('an error is short, whatever its message and data hold', () => {
  const data = { query: 'y'.repeat(100_000), similar: Array.from({ length: 1000 }, () => 'z'.repeat(1000)) }
  const error = new PlanError('sql_failed', 'x'.repeat(1_000_000), data as never)
  expect(JSON.stringify(errorResult(error)).length).toBeLessThan(100_000)
  const [block] = errorResult(error).content
  expect(JSON.parse(block?.type === 'text' ? block.text : '').error).toMatchObject({ code: 'sql_failed' })
})

test('the text and the structured content of an answer are together below 25,000 tokens', () => {
  const queue = Array.from({ length: 10_000 }, (_, n) => ({ ticket: { id: `T-${n}`, title: '"\n'.repeat(500) } }))
  const result = toolResult({ queue, problems: [] }, 500)
  expect(Buffer.byteLength(JSON.stringify(result)) / 4).toBeLessThan(25_000)
  expect((result.structuredContent as { queue: unknown[] }).queue.length).toBeGreaterThan(10)
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

  test.each([false, true])('no keyword "type" is a list, and each is a word (read-only: %s)', readOnly => {
    using repository = temporaryRepository()
    const store = openStore({ root: repository.root, actor: 'tester' })
    const types: unknown[] = []
    const visit = (value: unknown, key: string) => {
      if (key === 'type') types.push(value)
      else if (typeof value === 'object' && value !== null)
        for (const [key, entry] of Object.entries(value)) visit(entry, key)
    }
    for (const { inputSchema, outputSchema } of toolsOf(
      folders(store, () => store),
      readOnly,
    ).list())
      for (const schema of [inputSchema, outputSchema]) visit(schema, '')
    expect(types.length).toBeGreaterThan(50)
    expect(types.filter(type => typeof type !== 'string')).toEqual([])
    store.close()
  })

  test('tools check arguments as the operations do', async () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { state: 'queued' })
    const store = openStore({ root: repository.root, actor: 'tester' })
    const tools = toolsOf(
      folders(store, () => store),
      false,
    )
    const context = { signal: new AbortController().signal }
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
      const result = await tools.call(name, given, context)
      expect(result?.isError ?? false, `${name} ${JSON.stringify(given)}`).toBe(!isFine)
    }
    expect(await tools.call('nonsense', {}, context)).toBeUndefined()
    store.close()
  })
})
