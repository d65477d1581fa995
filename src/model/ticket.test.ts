import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decisionIds, slugs, ticketIds, tickets, timestamps } from '../test-support/arbitraries.ts'
import { idKey, isDecisionId, isRelativePath, isSlug, isTicketId, type TicketId } from './names.ts'
import { isTimestamp } from './text.ts'
import { changedAt, type Ticket, ticketProblem } from './ticket.ts'

const plain: Ticket = { format: 1, id: 'T' as TicketId, title: 't', state: 'open', decisions: [] }

describe('a Ticket id', () => {
  test.each([
    'A',
    '7',
    '00001KTG3MDFG',
    'a.b_c-d',
    'con-1',
    'console',
    'nul_',
    'com',
    'com10',
    'lpt',
    'xcon',
    'a.con',
    'prn-',
    'x'.repeat(64),
  ])('may be "%s"', id => {
    expect(isTicketId(id)).toBe(true)
  })

  test.each([
    '',
    '.a',
    '-a',
    '_a',
    'a.',
    'a..',
    'a b',
    'a/b',
    'a\\b',
    'a:b',
    'a*',
    'ż',
    'a\n',
    '\na',
    'a\u0000',
    '..',
    'x'.repeat(65),
  ])('may not be %j', id => {
    expect(isTicketId(id)).toBe(false)
  })

  test.each([
    'CON',
    'con',
    'Con.txt',
    'nul.txt',
    'NUL',
    'nul.a.b',
    'prn',
    'AUX.1',
    'com1',
    'COM9.json',
    'com0',
    'lpt1',
    'LPT9',
    'lpt0.x',
  ])('may not be the Windows device name "%s"', id => {
    expect(isTicketId(id)).toBe(false)
  })

  test('is the same file as another that differs in case alone', () => {
    expect(idKey('aB.c')).toBe(idKey('Ab.C'))
    expect(idKey('a-b')).not.toBe(idKey('a_b'))
  })

  test('of every generated kind is accepted in a Ticket, unless it ends in a dot', () => {
    fc.assert(
      fc.property(ticketIds, id => {
        expect(ticketProblem({ ...plain, id })).toBeNull()
        expect(ticketProblem({ ...plain, id: `${id}.` })).toMatchObject({ path: ['id'] })
      }),
    )
  })
})

describe('a slug', () => {
  test.each(['a', '0', 'a-b-', '1-2', 'x'.repeat(128)])('may be "%s"', slug => {
    expect(isSlug(slug)).toBe(true)
    expect(ticketProblem({ ...plain, slug })).toBeNull()
  })

  test.each(['', '-a', 'A', 'a_b', 'a.b', 'a b', 'ż', 'a\n', 'x'.repeat(129)])('may not be %j', slug => {
    expect(isSlug(slug)).toBe(false)
    expect(ticketProblem({ ...plain, slug })).toMatchObject({ path: ['slug'] })
  })

  test('of every generated kind is accepted', () => {
    fc.assert(
      fc.property(slugs, slug => {
        expect(isSlug(slug)).toBe(true)
      }),
    )
  })
})

describe('a time', () => {
  test.each([
    '2026-06-07T03:57:10.000Z',
    '2024-02-29T00:00:00.000Z',
    '1969-12-31T23:59:59.999Z',
    '9999-12-31T23:59:59.999Z',
    '0000-01-01T00:00:00.000Z',
  ])('may be %s', time => {
    expect(isTimestamp(time)).toBe(true)
  })

  test.each([
    '2026-06-07T03:57:10Z',
    '2026-06-07T03:57:10.0Z',
    '2026-06-07T03:57:10.000+00:00',
    '2026-06-07T03:57:10.000',
    '2026-02-30T03:57:10.000Z',
    '2025-02-29T03:57:10.000Z',
    '2026-02-31T03:57:10.000Z',
    '2026-04-31T03:57:10.000Z',
    '2026-06-32T03:57:10.000Z',
    '2026-06-00T03:57:10.000Z',
    '2026-00-07T03:57:10.000Z',
    '2026-06-07T24:00:00.000Z',
    '2026-06-07T03:60:10.000Z',
    '2026-06-07T03:57:60.000Z',
    '10000-01-01T00:00:00.000Z',
    '-000001-01-01T00:00:00.000Z',
    '2026-06-07T03:57:10.000Z\n',
    'yesterday',
  ])('may not be %j', time => {
    expect(isTimestamp(time)).toBe(false)
  })

  test('that Date writes is accepted, and its text sorts as the time does', () => {
    fc.assert(
      fc.property(timestamps, timestamps, (a, b) => {
        expect(isTimestamp(a)).toBe(true)
        expect(a < b).toBe(Date.parse(a) < Date.parse(b))
      }),
    )
  })
})

describe('a decision id', () => {
  test('is a ULID in capitals', () => {
    fc.assert(
      fc.property(decisionIds, id => {
        expect(isDecisionId(id)).toBe(true)
      }),
    )
    expect(isDecisionId('7ZZZZZZZZZZZZZZZZZZZZZZZZZ')).toBe(true)
  })

  test.each([
    '8ZZZZZZZZZZZZZZZZZZZZZZZZZ',
    '01jx8z3v7q4t9k2m5n6p7r8s01',
    '01JX8Z3V7Q4T9K2M5N6P7R8S0U',
    '01JX',
    '',
  ])('may not be "%s"', id => {
    expect(isDecisionId(id)).toBe(false)
  })
})

describe('a path in a plan', () => {
  test('is relative', () => {
    expect(['.', '..', 'a', '.worktree/x', 'a/~', 'a/c:'].map(isRelativePath)).not.toContain(false)
    expect(
      ['', '/', '/a', '\\a', '\\\\host\\a', '~', '~/a', 'c:', 'C:\\a', 'C:/a', 'file:a'].map(isRelativePath),
    ).not.toContain(true)
  })
})

describe('what is wrong with a Ticket', () => {
  test('is a relation of a Ticket to itself', () => {
    const decision = {
      at: '2026-06-08T11:30:00.000Z',
      by: 'tester',
      id: '01JX8Z3V7Q4T9K2M5N6P7R8S9T',
      kind: 'blocked_by',
      target: 'A',
    }
    const ticket = { format: 1, id: 'A', title: 't', state: 'open', decisions: [decision] }
    expect(ticketProblem(ticket)).toEqual({
      path: ['decisions', 0, 'target'],
      message: 'a relation of a Ticket to itself',
    })
    expect(ticketProblem({ ...ticket, id: 'B' })).toBeNull()
  })

  test('is nothing, for every generated Ticket', () => {
    fc.assert(
      fc.property(tickets, ticket => {
        expect(ticketProblem(ticket)).toBeNull()
      }),
    )
  })

  test.each([undefined, null, 1, 'T', [], [plain]])('is said of a value that is none: %j', value => {
    expect(ticketProblem(value)).toMatchObject({ path: [] })
  })

  test('is the path and the reason of the first thing that is', () => {
    const note = { id: '01JX8Z3V7Q4T9K2M5N6P7R8S01', kind: 'note', by: 'x', at: '2026-06-08T11:30:00.000Z' }
    const plan = { ...note, kind: 'accepted_plan', plan: { summary: '', worktree: '/a' } }
    expect(ticketProblem({ ...plain, decisions: [note, note] })).toMatchObject({
      path: ['decisions', 1, 'id'],
      message: expect.stringContaining('twice'),
    })
    expect(ticketProblem({ ...plain, decisions: [note, { ...plan, id: '01JX8Z3V7Q4T9K2M5N6P7R8S02' }] })).toMatchObject(
      {
        path: ['decisions', 1, 'plan', 'worktree'],
        message: expect.stringContaining('relative'),
      },
    )
    expect(ticketProblem({ ...plain, title: undefined })).toMatchObject({ path: ['title'] })
    expect(ticketProblem({ ...plain, title: 'ż'.repeat(513) })).toMatchObject({
      path: ['title'],
      message: expect.stringContaining('1 KiB'),
    })
  })
})

describe('the time of the last change', () => {
  const at = (time: string) => ({ id: '', kind: 'note', by: 'x', at: time })

  test('is the latest that the file names, wherever that stands', () => {
    const times = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05'].map(
      day => `${day}T00:00:00.000Z`,
    )
    for (let turn = 0; turn < times.length; turn++) {
      const [created_at, queued_at, state_at, first, second] = [...times.slice(turn), ...times.slice(0, turn)]
      const ticket = { ...plain, created_at, queued_at, state_at, decisions: [at(first!), at(second!)] } as Ticket
      expect(changedAt(ticket)).toBe(times.at(-1))
    }
  })

  test('is null where the file names none', () => {
    expect(changedAt(plain)).toBeNull()
  })
})
