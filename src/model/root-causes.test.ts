import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChainLink, Reason } from './reasons.ts'
import { type JudgedTicket, rootCauses } from './root-causes.ts'

const link = (ticket: string, blocks: string, depth = 1): ChainLink => ({
  ticket,
  blocks,
  depth,
  state: 'open',
  phase: 'open',
})
const blockedBy = (ticket: string, chain: ChainLink[] = [], severity: 'hold' | 'warn' = 'hold'): Reason => ({
  code: 'blocked_by',
  severity,
  message: '',
  ticket,
  decisions: [],
  chain,
  total: chain.length,
})
const held = (id: string, ...reasons: Reason[]): JudgedTicket => ({ id, verdict: 'hold', reasons })
const free = (id: string): JudgedTicket => ({ id, verdict: 'accept', reasons: [] })
const keys = (queue: JudgedTicket[]) => rootCauses(queue).causes.map(({ key, holds }) => `${key}: ${holds}`)

describe('rootCauses', () => {
  test('follows held Tickets to what is at the far end', () => {
    const queue = [free('A'), held('B', blockedBy('A')), held('C', blockedBy('B')), held('D', blockedBy('C'))]
    expect(keys(queue)).toEqual(['ticket A: 3'])
    expect(rootCauses(queue).of('D')).toEqual(['ticket A'])
    expect(rootCauses(queue).of('A')).toEqual([])
  })

  test('takes the ends of a chain through Tickets that are not queued', () => {
    const chain = [link('X', 'A'), link('Y', 'X', 2), link('Z', 'X', 2)]
    expect(keys([held('A', blockedBy('X', chain))])).toEqual(['ticket Y: 1', 'ticket Z: 1'])
  })

  test('a reason that only warns is no cause', () => {
    expect(keys([held('A', blockedBy('X', [link('X', 'A')], 'warn'), blockedBy('Y', [link('Y', 'A')]))])).toEqual([
      'ticket Y: 1',
    ])
  })

  test('names pools, claims, files, holds, worktrees, and what is abandoned or missing', () => {
    const other = { severity: 'hold' as const, message: '', decisions: [] }
    const queue = [
      held('A', { ...other, code: 'pool_full', pool: 'gpu', capacity: 1, taken: 1 }),
      held('B', { ...other, code: 'claimed', holder: 'pod', session: null, expires_at: '' }),
      held('C', { ...other, code: 'quarantined', path: 'tickets/X.json' }),
      held('D', { ...other, code: 'on_hold', not_before: '2026-12-01T00:00:00.000Z' }),
      held('E', { ...other, code: 'elsewhere', worktree: '/w', state: 'done', state_at: null }),
      held('F', { ...other, code: 'blocker_abandoned', ticket: 'X' }),
      held('G', { ...other, code: 'blocker_missing', ticket: 'X' }),
      held('H', { ...other, code: 'parent_blocked', ticket: 'P', blockers: [], total: 0 }),
      held('I', { ...other, code: 'contested', field: 'title' }),
      held('J', { ...other, code: 'cycle', cycle: ['K', 'J'], total: 2 }),
    ]
    expect(keys(queue)).toEqual([
      'abandoned X: 1',
      'claim pod: 1',
      'cycle J K: 1',
      'elsewhere /w: 1',
      'file tickets/X.json: 1',
      'hold D 2026-12-01T00:00:00.000Z: 1',
      'hold P: 1',
      'missing X: 1',
      'other contested: 1',
      'pool gpu: 1',
    ])
  })

  test('Tickets that hold each other without a cycle among their relations are one cause', () => {
    const area = (ticket: string): Reason => ({
      ...{ code: 'area', severity: 'hold', message: '', decisions: [], ticket },
      pattern: 'a',
      other_pattern: 'a',
    })
    expect(keys([held('A', area('B')), held('B', area('A')), held('C', blockedBy('A'))])).toEqual(['cycle A B: 3'])
  })

  test('a ladder of diamonds takes no longer than its length', () => {
    const queue = Array.from({ length: 2000 }, (_, n) =>
      n < 2 ? free(`T${n}`) : held(`T${n}`, blockedBy(`T${n - 1}`), blockedBy(`T${n - 2}`)),
    )
    expect(keys(queue)).toEqual(['ticket T0: 1998', 'ticket T1: 1998'])
  })

  test('agrees with walking every path, and every held Ticket has a cause', () => {
    const graph = fc.array(fc.array(fc.nat(9), { maxLength: 3 }), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(graph, edges => {
        const queue = edges.map((to, n) => {
          const reasons = to
            .filter(other => other !== n)
            .map(other => blockedBy(`T${other}`, [link(`T${other}`, `T${n}`)]))
          return reasons.length ? held(`T${n}`, ...reasons) : free(`T${n}`)
        })
        const found = rootCauses(queue)
        for (const { id, verdict } of queue) {
          const ends = [...walk(id, queue)].filter(end => end !== id).sort()
          if (verdict === 'accept') expect(found.of(id)).toEqual([])
          else if (ends.length === 0) expect(found.of(id)[0]).toMatch(/^cycle /)
          else
            expect(
              found
                .of(id)
                .filter(key => key.startsWith('ticket '))
                .map(key => key.slice(7))
                .sort(),
            ).toEqual(ends)
          if (verdict === 'hold') expect(found.of(id).length).toBeGreaterThan(0)
        }
      }),
    )
  })
})

/** The oracle: every Ticket that can be reached and is not held itself. */
function walk(id: string, queue: readonly JudgedTicket[], seen = new Set<string>()): Set<string> {
  const ends = new Set<string>()
  if (seen.has(id)) return ends
  seen.add(id)
  const row = queue.find(one => one.id === id)
  if (row?.verdict !== 'hold') return new Set([id])
  for (const reason of row.reasons)
    if ('ticket' in reason && reason.ticket) for (const end of walk(reason.ticket, queue, seen)) ends.add(end)
  return ends
}
