import { describe, expect, test } from 'vitest'
import { argumentNames } from '../cli/parse-arguments.ts'
import { isPlanError } from '../model/errors.ts'
import { type Operation, parseInput } from './operation.ts'
import { type OperationName, operations } from './registry.ts'

/** Returns the message about an input, and the field in its data. */
function objectionTo(name: OperationName, input: object, surface: 'sdk' | 'command line'): [string, string] {
  const operation = operations[name] as unknown as Operation
  try {
    parseInput(operation, input, surface === 'sdk' ? undefined : argumentNames(operation))
  } catch (error) {
    if (isPlanError(error, 'invalid_input')) return [error.message, error.data.field]
    throw error
  }
  throw new Error('the input was accepted')
}

describe('a message about an input names fields as the caller knows them', () => {
  test.each<[OperationName, object, field: string, sdk: string, commandLine: string]>([
    ['add', { id: 'A' }, 'title', 'add: title is required', 'add: --title is required'],
    ['add', { title: 't' }, 'id', 'add: id is required', 'add: <id> is required'],
    [
      'set',
      { ticket: 'A', queuedBy: 'a\nb' },
      'queuedBy',
      'set: queuedBy: must be one line without control characters',
      'set: --queued-by: must be one line without control characters',
    ],
    [
      'record',
      { ticket: 'A', kind: 'note', reason: 'x', supersedes: ['x'] },
      'supersedes.0',
      'record: supersedes.0: not the id of a decision (a ULID)',
      'record: --supersedes: not the id of a decision (a ULID)',
    ],
    [
      'record',
      { ticket: 'A', kind: 'blocked_by' },
      'other',
      'record: "blocked_by" needs other, the other Ticket',
      'record: "blocked_by" needs <other>, the other Ticket',
    ],
    [
      'record',
      { ticket: 'A', kind: 'note', reason: 'x', until: ['B'] },
      'until',
      'record: only waiting_for_capacity takes until',
      'record: only waiting_for_capacity takes --until',
    ],
    [
      'accept',
      { ticket: 'A', holder: 'h', force: true },
      'reason',
      'accept: force needs a reason',
      'accept: --force needs a --reason',
    ],
    [
      'release',
      { ticket: 'A' },
      'token',
      'release: token is required; without it, a person can give force and a reason',
      'release: --token is required; without it, a person can give --force and a --reason',
    ],
    [
      'verify',
      { staged: true, since: 'HEAD' },
      'since',
      'verify: staged checks the next commit, since past merges; give only one of them',
      'verify: --staged checks the next commit, --since past merges; give only one of them',
    ],
    [
      'init',
      { undo: true, preCommit: true },
      'preCommit',
      'init: undo also removes the pre-commit lines; leave out preCommit',
      'init: --undo also removes the pre-commit lines; leave out --pre-commit',
    ],
    [
      'set',
      { ticket: 'A' },
      'title',
      'set: nothing to change; give at least one of title, slug, state, queuedBy, requeue',
      'set: nothing to change; give at least one of --title, --slug, --state, --queued-by, --requeue',
    ],
  ])('%s %j', (name, input, field, sdk, commandLine) => {
    expect(objectionTo(name, input, 'sdk')).toEqual([sdk, field])
    expect(objectionTo(name, input, 'command line')).toEqual([commandLine, field])
  })
})

test.each([
  ['record', { ticket: 'A', kind: 'blockd-by', other: 'B' }, 'did you mean blocked_by?'],
  ['record', { ticket: 'A', kind: 'do not parallelise', other: 'B' }, 'did you mean do_not_parallelize?'],
  ['relations', { status: 'Activ' }, 'did you mean active?'],
  ['relations', { kind: 'relatd' }, 'did you mean related?'],
  ['export', { format: 'mermiad' }, 'did you mean mermaid?'],
  ['import', { system: 'bead', path: 'x' }, 'did you mean beads?'],
  ['add', { id: 'A', titl: 't' }, 'did you mean title?'],
  ['set', { ticket: 'A', queued_by: 't' }, 'did you mean queuedBy?'],
] as const)('a misspelt value or field of %s is answered with the nearest one: %j', (name, given, hint) => {
  const [message] = objectionTo(name, given, 'sdk')!
  expect(message).toContain(hint)
  expect(message.match(/did you mean/g)).toHaveLength(1)
})

test('an unknown field is answered with the known ones', () => {
  expect(objectionTo('consult', { tickte: 'A' }, 'sdk')).toEqual([
    'consult: unknown field "tickte"; did you mean ticket? (the fields are ticket, holder, session, token, pool)',
    'tickte',
  ])
  expect(objectionTo('doctor', { x: 1 }, 'sdk')).toEqual(['doctor: unknown field "x"; it has no fields', 'x'])
})
