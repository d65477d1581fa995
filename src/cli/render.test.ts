import { describe, expect, test } from 'vitest'
import type { OutputOf } from '../sdk.ts'
import { render } from './render.ts'

const NOW = Date.parse('2026-06-08T12:00:00.000Z')
const off = { isTerminal: false, width: undefined, hasColours: false }
const narrow = { isTerminal: true, width: 40, hasColours: true }

function claim(fields: object): OutputOf<'claims'>['claims'][number] {
  return {
    ticket: '01JX8Z3V7Q4T9K2M5N6P7R8S9T',
    holder: 'a-worker-with-a-long-name',
    token: 1781234567,
    pool: 'default',
    session: null,
    worktree: null,
    pid: null,
    acquired_at: '2026-06-08T11:00:00.000Z',
    renewed_at: '2026-06-08T11:00:00.000Z',
    expires_at: '2026-06-08T12:28:10.000Z',
    live: true,
    released_at: null,
    ...fields,
  }
}

describe('claims', () => {
  test.each([
    [{}, 'in 28 min'],
    [{ expires_at: '2026-06-08T12:00:44.000Z' }, 'in 44 s'],
    [{ expires_at: '2026-06-08T17:10:00.000Z' }, 'in 5 h'],
    [{ expires_at: '2026-06-11T12:00:00.000Z' }, 'in 3 days'],
    [{ live: false, expires_at: '2026-06-08T11:55:00.000Z' }, 'expired 5 min ago'],
    [{ live: false, released_at: '2026-06-08T10:00:00.000Z' }, 'released 2 h ago'],
  ])('%j: the expiry is seen in 40 columns', (fields, expected) => {
    const [, line = ''] = render('claims', { claims: [claim(fields)] }, {}, narrow, NOW).split('\n')
    expect(line.replace(/\u001b\[\d+m/g, '').slice(0, 40)).toContain(expected)
  })
})

describe('a text of several lines', () => {
  const decision = { id: '01JX8Z3V7Q4T9K2M5N6P7R8S9T', kind: 'note', by: 'me', at: '2026-06-08T11:30:00.000Z' }
  const recorded = {
    created: true,
    decision: { ...decision, reason: 'one\ntwo\n\nthree\u0007' },
    ticket: 'A',
    warnings: [],
  }

  test('is printed as indented lines by record', () => {
    expect(render('record', recorded as never, {}, off)).toBe(
      'recorded in A: note: one\n    two\n\n    three\\x07\n  01JX8Z3V7Q4T9K2M5N6P7R8S9T\n',
    )
  })

  test('is printed as indented lines among reasons', () => {
    const ticket = { id: 'A', slug: null, title: 't', state: 'queued', phase: 'queued' }
    const reasons = [{ code: 'waiting_for_capacity', severity: 'warn', decisions: [], message: 'first\r\nsecond' }]
    const output = { ticket, verdict: 'hold', reasons, plan: null, claim: null, problems: [] }
    expect(render('consult', output as never, {}, off)).toBe(
      `hold    A  t\n  ! waiting_for_capacity  first\n${' '.repeat(26)}second\n`,
    )
  })

  test('is one line in a table', () => {
    const relation = {
      ...decision,
      decision: decision.id,
      decisions: [decision.id],
      kind: 'after',
      ticket: 'A',
      other: 'B',
    }
    const relations = [{ ...relation, status: 'active', reason: 'one\n  two' }]
    const lines = render('relations', { relations, problems: [] } as never, { status: 'active' }, off).split('\n')
    expect(lines).toEqual([expect.stringContaining('one two'), ''])
  })
})

test('show prints times with their zone, and none for what a merge derived', () => {
  const common = { by: 'ticketplan', status: 'active' }
  const decisions = [
    { ...common, id: '1', kind: 'contested', at: '1970-01-01T00:00:00.000Z', field: 'title', lost: 'x' },
    { ...common, id: '2', kind: 'note', at: '2026-06-08T11:30:00.000Z', reason: 'r' },
  ]
  const ticket = { id: 'A', slug: null, title: 't', state: 'open', phase: 'open', path: 'tickets/A.json' }
  const output = { ticket, decisions, relations: [], claim: null, verdict: 'hold', reasons: [], problems: [] }
  const text = render('show', output as never, {}, off)
  expect(text).toContain('  2026-06-08 11:30Z  active')
  expect(text).toContain('  from a merge       active')
  expect(text).not.toContain('1970')
})

test('a terminal of 0 columns has an unknown width: nothing is cut', () => {
  const title = 'x'.repeat(300)
  const queue = [
    { ticket: { id: 'A', slug: null, title, state: 'queued', phase: 'queued' }, verdict: 'accept', reasons: [] },
  ]
  expect(
    render('queue', { queue, problems: [] } as never, {}, { isTerminal: true, width: 0, hasColours: true }),
  ).toContain(title)
})

test('an answer lists ten problems, and says how many more there are', () => {
  const problems = Array.from({ length: 2000 }, (_, n) => {
    return { code: 'not_fetched', path: `tickets/T-${n}.json`, message: 'x', severity: 'error' }
  })
  const lines = render('queue', { queue: [], problems } as never, {}, off)
    .trimEnd()
    .split('\n')
  expect(lines).toHaveLength(12)
  expect(lines.at(-1)).toBe('and 1990 more problems; "ticketplan verify" lists all')
})
