import { expect, test } from 'vitest'
import { isPlanError } from './model/errors.ts'
import { operations } from './operations/registry.ts'
import { openPlan, type Plan } from './sdk.ts'
import { git } from './test-support/git-clones.ts'
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

test('a value of any type as any option, or as any field of any method, is answered or refused, never an error of the system', () => {
  const odd = [
    'a\0b',
    '',
    'x'.repeat(3000),
    '\ud800',
    '..',
    null,
    1,
    -1,
    NaN,
    Infinity,
    true,
    [],
    ['A', 'a\0'],
    {},
    10n,
    Symbol(),
  ]
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { state: 'queued' })
  git(repository.root, ['add', '--all'])
  git(repository.root, ['commit', '--quiet', '--message', 'base'])
  const failure = (action: () => unknown) => {
    try {
      action()
      return undefined
    } catch (error) {
      return isPlanError(error) ? undefined : `${error}`
    }
  }
  const options = ['root', 'actor', 'now', 'newId', 'onNotice', 'onProgress', 'busyTimeoutMs']
  for (const [option, value] of [
    ...options.flatMap(option => odd.map(value => [option, value] as const)),
    ['', null],
  ]) {
    const given = option === '' ? value : { root: repository.root, [option as string]: value }
    const open = () => openPlan(given as never).close()
    expect(failure(open), `${option as string} ${String(value)}`).toBeUndefined()
  }
  using plan = openPlan({ root: repository.root, actor: 'tester' })
  const methods = plan as unknown as Record<string, (input: unknown) => unknown>
  const valid = {
    ticket: 'A',
    holder: 'h',
    kind: 'note',
    reason: 'r',
    query: 'select 1',
    system: 'beads',
    path: 'x',
    format: 'json',
  }
  for (const [name, { fields }] of Object.entries(operations)) {
    if (name === 'init') continue // its valid inputs write outside of the tickets folder
    for (const field of Object.keys(fields))
      for (const value of odd) {
        const known = Object.entries(valid).filter(([name]) => Object.hasOwn(fields, name))
        const call = () => methods[name]!({ ...Object.fromEntries(known), [field]: value })
        expect(failure(call), `${name} ${field} ${String(value)}`).toBeUndefined()
      }
  }
})
