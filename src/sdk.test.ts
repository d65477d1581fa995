import { expect, test } from 'vitest'
import { isPlanError } from './model/errors.ts'
import { operations } from './operations/registry.ts'
import { openPlan, type Plan } from './sdk.ts'
import { putTicket, temporaryRepository } from './test-support/temporary-repository.ts'

function messageOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (isPlanError(error, 'invalid_input')) return error.message
    throw error
  }
  return 'no error'
}

test('every method of a closed plan throws a clear error', () => {
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { state: 'queued' })
  const plan = openPlan({ root: repository.root, actor: 'tester' })
  expect(plan.queue().queue).toHaveLength(1)
  plan.close()
  plan.close()
  const methods = plan as unknown as Record<string, (input?: unknown) => unknown>
  for (const name of [...Object.keys(operations), 'watch'])
    expect(
      messageOf(() => methods[name]!('A')),
      name,
    ).toBe('the plan is closed; open another with openPlan()')
})

test('a watch without a listener is refused at once', () => {
  using repository = temporaryRepository()
  using plan = openPlan({ root: repository.root, actor: 'tester' })
  for (const listener of [undefined, null, {}, 'x'])
    expect(messageOf(() => (plan.watch as (listener: unknown) => unknown)(listener))).toBe(
      'watch: listener must be a function',
    )
})

test('messages of the SDK name fields, never options of the command line', () => {
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { state: 'queued' })
  using plan = openPlan({ root: repository.root, actor: 'tester' }) as Plan
  const loose = plan as unknown as Record<string, (input?: unknown) => unknown>
  const attempts: [string, unknown][] = [
    ['accept', { ticket: 'A', holder: 'x', force: true }],
    ['accept', { ticket: 'A' }],
    ['release', { ticket: 'A' }],
    ['release', { ticket: 'A', force: true }],
    ['set', { ticket: 'A' }],
    ['record', { ticket: 'A', kind: 'note' }],
    ['record', { ticket: 'A', kind: 'note', reason: 'x', until: ['B'] }],
    ['record', { ticket: 'A', kind: 'waiting_for_capacity', until: ['A'] }],
    ['record', { ticket: 'A', kind: 'blocked_by', other: 'A' }],
    ['record', { ticket: 'A', kind: 'blocked_by', other: 'B', advisory: true }],
    [
      'sql',
      { query: 'with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n', timeout: 0.5 },
    ],
    ['sql', 'drop table tickets'],
    ['show', 'none'],
    ['brief', { budget: 1 }],
    ['resolve', { nonsense: 1 }],
  ]
  for (const [name, input] of attempts) {
    let message = ''
    try {
      loose[name]!(input)
    } catch (error) {
      message = (error as Error).message
    }
    expect(message, `${name} ${JSON.stringify(input)}`).toMatch(/\w/)
    expect(message, name).not.toMatch(/(^|[\s"'(])--?[a-z]/)
  }
})
