import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { putTicket, readTicketJson } from '../test-support/temporary-repository.ts'
import { addTickets, withPlan } from '../test-support/with-plan.ts'

describe('names', () => {
  test('an id wins over a slug, and a slug of two Tickets is an error that lists both', () => {
    withPlan((plan, root) => {
      putTicket(root, 'one', { title: 'by id' })
      putTicket(root, 'B', { slug: 'one' })
      putTicket(root, 'C', { slug: 'both' })
      putTicket(root, 'D', { slug: 'both' })
      expect(plan.show('one').ticket.title).toBe('by id')
      const error = planErrorOf(() => plan.show('both'))
      expect(error.code).toBe('ambiguous_slug')
      expect(error.message).toContain('C, D')
      expect(planErrorOf(() => plan.record({ ticket: 'both', kind: 'note', reason: 'x' })).code).toBe('ambiguous_slug')
    })
  })

  test('an unknown name is an error with similar names', () => {
    withPlan(plan => {
      addTickets(plan, 'TP-17')
      const error = planErrorOf(() => plan.consult('TP-1'))
      expect(error.data).toEqual({ ticket: 'TP-1', similar: ['TP-17'] })
      expect(planErrorOf(() => plan.consult("100%_'x")).code).toBe('unknown_ticket')
    })
  })

  test('a name belongs to one Ticket: no id is the slug of another, in any case', () => {
    withPlan(plan => {
      plan.add({ id: 'A', title: 't', slug: 'plan-tool' })
      plan.add({ id: 'Record-Schema', title: 't' })
      for (const id of ['plan-tool', 'Plan-Tool', 'PLAN-TOOL']) {
        const error = planErrorOf(() => plan.add({ id, title: 't' }))
        expect(error).toMatchObject({ code: 'slug_taken', data: { slug: 'plan-tool', ticket: 'A' } })
        expect(error.message).toContain(`the id ${id} is the slug of A`)
      }
      for (const given of [
        () => plan.add({ id: 'B', title: 't', slug: 'record-schema' }),
        () => plan.set({ ticket: 'A', slug: 'record-schema' }),
      ]) {
        const error = planErrorOf(given)
        expect(error).toMatchObject({ code: 'slug_taken', data: { slug: 'record-schema', ticket: 'Record-Schema' } })
        expect(error.message).toBe('the slug "record-schema" is the id of Record-Schema; choose another')
      }
      expect(plan.show('plan-tool').ticket.id).toBe('A')
      // Its own id is no other name.
      expect(plan.set({ ticket: 'Record-Schema', slug: 'record-schema' }).changed).toBe(true)
      expect(plan.add({ id: 'own', title: 't', slug: 'own' }).created).toBe(true)
      plan.set({ ticket: 'A', slug: '' })
      expect(plan.add({ id: 'plan-tool', title: 't' }).created).toBe(true)
    })
  })

  test('a decision id with a typing error is answered with the nearest id', () => {
    withPlan(plan => {
      addTickets(plan, 'A', 'B')
      const { decision } = plan.record({ ticket: 'A', kind: 'note', reason: 'x' })
      plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
      const last = decision.id.endsWith('0') ? '1' : '0'
      const { code, message } = planErrorOf(() => plan.retract(decision.id.slice(0, -1) + last))
      expect(code).toBe('unknown_decision')
      expect(message).toMatch(new RegExp(`did you mean [^?]*${decision.id}`))
    })
  })

  test.each([
    ['tp_17', ['TP-17 (plan-tool)']],
    ['tp17', ['TP-17 (plan-tool)']],
    ['TP-18', ['TP-17 (plan-tool)']],
    ['plan_tool', ['TP-17 (plan-tool)']],
    ['Plan-Tol', ['TP-17 (plan-tool)']],
    ['schema', ['record-schema']],
    ['recordschemas', ['record-schema']],
    ['BROKEM', ['BROKEN']],
    ['nothing-like-it', []],
  ])('the Tickets most like "%s" are %j', (name, similar) => {
    withPlan((plan, root) => {
      plan.add({ id: 'TP-17', title: 't', slug: 'plan-tool' })
      plan.add({ id: 'record-schema', title: 't' })
      writeFileSync(join(root, 'tickets', 'BROKEN.json'), '{')
      const error = planErrorOf(() => plan.consult(name))
      expect(error.data).toEqual({ ticket: name, similar })
      expect(error.message).toContain(similar.length ? `; did you mean ${similar[0]}?` : 'list all with')
    })
  })

  test('a Ticket in a deeper folder is read, and written where it is', () => {
    withPlan((plan, root) => {
      putTicket(root, 'A', {}, '2026/06')
      plan.record({ ticket: 'A', kind: 'note', reason: 'here' })
      expect(readTicketJson(root, 'tickets/2026/06/A.json').decisions).toHaveLength(1)
      mkdirSync(join(root, 'tickets', 'moved'))
      renameSync(join(root, 'tickets/2026/06/A.json'), join(root, 'tickets/moved/A.json'))
      plan.record({ ticket: 'A', kind: 'note', reason: 'there' })
      expect(plan.show('A').ticket.path).toBe('tickets/moved/A.json')
      expect(plan.show('A').decisions).toHaveLength(2)
    })
  })
})
