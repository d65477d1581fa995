import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blockedBy, claim, comesAfter, consult, partOf, ticket, waiting } from '../test-support/draft-tickets.ts'
import { isKnown, type MemoryPlan } from '../test-support/memory-facts.ts'
import { memoryPlans } from '../test-support/plan-arbitraries.ts'
import type { Asking } from './asking.ts'
import { REASON_CODES, type ReasonCode } from './reasons.ts'

describe('every verdict', () => {
  const ids = ['A', 'B', 'C', 'D', 'E', 'F']
  const askings: fc.Arbitrary<Asking> = fc.record(
    {
      holder: fc.constantFrom('pod-1', 'pod-2'),
      session: fc.constantFrom('s-1', 's-2'),
      token: fc.integer({ min: 1, max: 3 }),
      pool: fc.constantFrom('default', 'gpu', 'review'),
    },
    { requiredKeys: [] },
  )

  const WARNINGS: ReasonCode[] = [
    'order_not_in_play',
    'waiting_for_capacity',
    'contested',
    'unknown_state',
    'elsewhere_unread',
  ]

  test('is "hold" if and only if some reason is a hold; every code appears', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(memoryPlans, askings, (plan, asking) => {
        for (const id of ids) {
          const { verdict, reasons } = consult(plan, id, asking)
          expect(verdict).toBe(reasons.some(({ severity }) => severity === 'hold') ? 'hold' : 'accept')
          for (const { code } of reasons) seen.add(`${verdict} ${code}`)
          if (reasons.length === 0) seen.add('accept')
        }
      }),
      { numRuns: 3000 },
    )
    // Only a configuration and a work tree have areas to name.
    const codes = REASON_CODES.filter(code => code !== 'unknown_area')
    for (const code of codes) expect(seen).toContain(`hold ${code}`)
    for (const code of WARNINGS) expect(seen).toContain(`accept ${code}`)
    expect(seen).toContain('accept')
  })

  test('lists its reasons in the order of their codes, then of the other Tickets', () => {
    fc.assert(
      fc.property(memoryPlans, plan => {
        for (const id of ids) {
          const keys = consult(plan, id).reasons.map(
            ({ code, ticket }) => `${String(REASON_CODES.indexOf(code)).padStart(2, '0')} ${ticket ?? ''}`,
          )
          expect(keys).toEqual([...keys].sort())
        }
      }),
    )
  })

  test('names in each reason decisions that the plan holds', () => {
    fc.assert(
      fc.property(memoryPlans, plan => {
        const known = plan.tickets.flatMap(({ decisions }) => decisions.map(({ id }) => id))
        for (const id of ids) {
          for (const { decisions } of consult(plan, id).reasons) {
            if (decisions === undefined) continue
            expect(known).toEqual(expect.arrayContaining(decisions))
            expect(decisions).toEqual([...new Set(decisions)].sort())
          }
        }
      }),
    )
  })

  test('does not change with a Ticket that has nothing to do with it', () => {
    const strangers = fc.record({
      state: fc.constantFrom('open', 'queued', 'in_progress', 'done'),
      waitsFor: fc.subarray(ids),
      claimed: fc.boolean(),
      lost: fc.boolean(),
    })
    fc.assert(
      fc.property(memoryPlans, strangers, (plan, { state, waitsFor, claimed, lost }) => {
        const id = 'stranger'
        const path = `tickets/${id}.json`
        // It may wait for others: that holds it back, not them. Its claim takes no slot of a pool with a limit.
        const drafts = waitsFor.flatMap(other => [
          blockedBy(other),
          comesAfter(other),
          partOf(other),
          { kind: 'related', target: other },
        ])
        const wider: MemoryPlan = {
          ...plan,
          tickets: lost ? plan.tickets : [...plan.tickets, ticket(id, state, ...drafts, waiting())],
          quarantined: lost ? [...plan.quarantined, { id, path, mentions: [] }] : plan.quarantined,
          claims: claimed ? [...plan.claims, claim(id, { pool: 'unlimited' })] : plan.claims,
        }
        for (const id of ids) expect(consult(wider, id)).toEqual(consult(plan, id))
      }),
    )
  })

  test('does not turn from hold to accept by one wrong letter in a state without a warning of that state', () => {
    const letters = fc.constantFrom(...'abcdeinoqsuwx -_')
    let warned = 0
    fc.assert(
      fc.property(memoryPlans, fc.nat(), fc.nat(), letters, (plan, which, where, letter) => {
        fc.pre(plan.tickets.length > 0)
        const victim = plan.tickets[which % plan.tickets.length]!
        const at = where % victim.state.length
        const state = victim.state.slice(0, at) + letter + victim.state.slice(at + 1)
        const tickets = plan.tickets.map(ticket => (ticket === victim ? { ...ticket, state } : ticket))
        const misspelt = { ...plan, tickets }
        for (const id of ids) {
          if (consult(plan, id).verdict !== 'hold') continue
          const { verdict, reasons } = consult(misspelt, id)
          if (verdict !== 'accept' || isKnown(state)) continue
          expect(reasons.map(({ code, ticket }) => `${code} ${ticket}`)).toContain(`unknown_state ${victim.id}`)
          warned++
        }
      }),
      { numRuns: 1000 },
    )
    expect(warned).toBeGreaterThan(0)
  })

  test('does not depend on the order of Tickets and decisions', () => {
    fc.assert(
      fc.property(memoryPlans, plan => {
        const tickets = [...plan.tickets]
          .reverse()
          .map(ticket => ({ ...ticket, decisions: [...ticket.decisions].reverse() }))
        for (const id of ids) expect(consult({ ...plan, tickets }, id)).toEqual(consult(plan, id))
      }),
    )
  })
})
