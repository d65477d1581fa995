import { expect, test } from 'vitest'
import { type LeaseEvent, leaseSpans } from './lease-spans.ts'

const event = (
  at: string,
  action: LeaseEvent['action'],
  holder: string,
  more: Partial<LeaseEvent> = {},
): LeaseEvent => ({
  ...{ at, action, holder, ticket: 'A', previous_holder: null, reason: null },
  ...more,
})

test('a lease lasts from its acquisition to its release', () => {
  expect(leaseSpans([event('2', 'released', 'pod'), event('1', 'acquired', 'pod')])).toEqual([
    { ticket: 'A', holder: 'pod', from: '1', to: '2', end: 'released', reason: null },
  ])
})

test('a takeover ends the lease before, and a forced release has its reason', () => {
  const log = [
    event('3', 'forced', 'b', { reason: 'gone' }),
    event('2', 'taken_over', 'b', { previous_holder: 'a' }),
    event('1', 'acquired', 'a'),
  ]
  expect(leaseSpans(log)).toEqual([
    { ticket: 'A', holder: 'a', from: '1', to: '2', end: 'taken_over', reason: null },
    { ticket: 'A', holder: 'b', from: '2', to: '3', end: 'forced', reason: 'gone' },
  ])
})

test('what begins before the log, or has not ended, has no such time', () => {
  const log = [event('2', 'acquired', 'b', { ticket: 'B' }), event('1', 'released', 'a')]
  expect(leaseSpans(log)).toEqual([
    { ticket: 'A', holder: 'a', from: null, to: '1', end: 'released', reason: null },
    { ticket: 'B', holder: 'b', from: '2', to: null, end: null, reason: null },
  ])
})
