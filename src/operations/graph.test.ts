import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { render } from '../cli/render.ts'
import type { Plan } from '../sdk.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

/** Queued Tickets A to F: B and C wait for A, D for B and C; E is a part of D; F is related to A. */
function withPlan(use: (plan: Plan, root: string) => void): void {
  using repository = temporaryRepository()
  for (const id of 'ABCDEF') putTicket(repository.root, id, { state: 'queued' })
  using plan = checkedPlan(repository.root)
  plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
  plan.record({ ticket: 'C', kind: 'after', other: 'A' })
  plan.record({ ticket: 'B', kind: 'blocks', other: 'D' })
  plan.record({ ticket: 'D', kind: 'blocked_by', other: 'C' })
  plan.record({ ticket: 'E', kind: 'part_of', other: 'D' })
  plan.record({ ticket: 'F', kind: 'related', other: 'A' })
  plan.record({ ticket: 'F', kind: 'conflicts_with', other: 'B' })
  use(plan, repository.root)
}

const text = (plan: Plan, input: Record<string, unknown> = {}, width = 0) =>
  render('graph', plan.graph(input), input, { isTerminal: false, width } as never)
const said = (relations: { ticket: string; kind: string; other: string }[]) =>
  relations.map(({ ticket, kind, other }) => `${ticket} ${kind} ${other}`)

describe('graph', () => {
  test('of a Ticket has what it waits for and what waits for it', () =>
    withPlan(plan => {
      const output = plan.graph({ ticket: 'D' })
      expect(said(output.blockers)).toEqual(['D blocked_by B', 'D blocked_by C', 'B blocked_by A', 'C after A'])
      expect(said(output.dependents)).toEqual(['E part_of D'])
      expect(output).toMatchObject({ ticket: 'D', roots: ['D'], cycles: [], more: false, problems: [] })
      expect(output.tickets.map(({ id }) => id).join('')).toBe('ABCDE')
      expect(text(plan, { ticket: 'D' })).toBe(`D (queued) Ticket D
waits for:
├─ blocked_by B (queued) Ticket B
│  └─ blocked_by A (queued) Ticket A
└─ blocked_by C (queued) Ticket C
   └─ after A [again]
is waited for by:
└─ contains E (queued) Ticket E
`)
    }))

  test('of the whole plan begins with what waits for nothing', () =>
    withPlan(plan => {
      expect(text(plan)).toBe(`A (queued) Ticket A
├─ blocks B (queued) Ticket B
│  └─ blocks D (queued) Ticket D
│     └─ contains E (queued) Ticket E
└─ before C (queued) Ticket C
   └─ blocks D [again]
`)
      expect(plan.graph()).toMatchObject({ ticket: null, roots: ['A'], blockers: [] })
    }))

  test('goes as far as --depth, and has no more relations than --limit', () =>
    withPlan(plan => {
      expect(said(plan.graph({ ticket: 'A', depth: 1 }).dependents)).toEqual(['B blocked_by A', 'C after A'])
      expect(said(plan.graph({ depth: 1 }).dependents)).toEqual(['B blocked_by A', 'C after A'])
      expect(plan.graph({ ticket: 'A', depth: 1 }).more).toBe(false)
      const limited = plan.graph({ ticket: 'A', limit: 3 })
      expect(said(limited.dependents)).toEqual(['B blocked_by A', 'C after A', 'D blocked_by B'])
      expect(limited.more).toBe(true)
      expect(text(plan, { ticket: 'A', limit: 3 })).toContain('raise --limit')
    }))

  test('leaves out what no longer holds: retracted, or of a terminal Ticket', () =>
    withPlan((plan, root) => {
      putTicket(root, 'A', { state: 'done' })
      plan.retract({ decision: 'D', kind: 'blocked_by', other: 'B' })
      expect(said(plan.graph().dependents)).toEqual(['D blocked_by C', 'E part_of D'])
      expect(text(plan, { ticket: 'A' })).toBe('A (done) Ticket A\nwaits for nothing\nnothing waits for it\n')
    }))

  test('shows cycles, from any Ticket and in the whole plan', () =>
    withPlan(plan => {
      plan.record({ ticket: 'A', kind: 'blocked_by', other: 'D' })
      expect(plan.graph({ ticket: 'D' }).cycles).toHaveLength(2) // by way of B and of C
      expect(plan.graph({ ticket: 'D' }).cycles).toContainEqual({ cycle: ['A', 'D', 'B'], total: 3 })
      expect(plan.graph().roots).toEqual(['A'])
      expect(text(plan)).toBe(`A [cycle] (queued) Ticket A
├─ blocks B [cycle] (queued) Ticket B
│  └─ blocks D [cycle] (queued) Ticket D
│     ├─ blocks A [cycle] [again]
│     └─ contains E (queued) Ticket E
└─ before C [cycle] (queued) Ticket C
   └─ blocks D [cycle] [again]
cycle: A waits for D waits for B waits for A
cycle: C waits for A waits for D waits for C
`)
    }))

  test('an epic that waits for its own part is no cycle, as in the verdict', () =>
    withPlan(plan => {
      plan.record({ ticket: 'D', kind: 'blocked_by', other: 'E' })
      expect(plan.graph({ ticket: 'E' }).cycles).toEqual([])
      expect(plan.consult('E').reasons.map(({ code }) => code)).not.toContain('cycle')
    }))

  test('names Tickets without a readable file', () =>
    withPlan((plan, root) => {
      plan.record({ ticket: 'F', kind: 'after', other: 'E' })
      rmSync(join(root, 'tickets', 'A.json'))
      writeFileSync(join(root, 'tickets', 'E.json'), '{')
      const output = plan.graph()
      expect(output.tickets.filter(({ title }) => title === null).map(({ id }) => id)).toEqual(['A', 'E'])
      expect(output.problems.map(({ code }) => code)).toContain('dangling')
      expect(text(plan)).toContain('A (has no readable file)\n├─ blocks B')
    }))

  test('text from files stays in its line, is escaped, and is cut by columns', () =>
    withPlan((plan, root) => {
      putTicket(root, 'A', { state: 'queued', title: '"q" \n└─ blocks X --> \u001b[31m\u202e' })
      putTicket(root, 'E', { state: 'queued', title: '漢字'.repeat(40) })
      plan.record({ ticket: 'E', kind: 'after', other: 'A' })
      const [first, second, ...rest] = text(plan, { ticket: 'A' }, 40).split('\n')
      expect(first).toBe('A (queued) "q" \\x0a└─ blocks X --> \\x1b…')
      expect([second, ...rest].join('\n')).not.toMatch(/[\u001b\u202e]/)
      expect(rest.find(line => line.includes('漢'))).toMatch(/^.{11,30}…$/)
    }))

  test('refuses an unknown Ticket with the nearest names', () =>
    withPlan(plan => {
      expect(planErrorOf(() => plan.graph({ ticket: 'AA' }))).toMatchObject({
        code: 'unknown_ticket',
        data: { similar: ['A'] },
      })
      expect(planErrorOf(() => plan.graph({ depth: 0 })).code).toBe('invalid_input')
    }))
})
