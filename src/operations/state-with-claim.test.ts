/** accept --state and release --state: state and claim as one step. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isPlanError, openPlan, type Plan } from '../index.ts'
import { openStore } from '../store/store.ts'
import { putTicket, readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'
import { fileAndClaim, inState, withStateOf } from './file-and-claim.ts'

const fileOf = (root: string, id: string) => readFileSync(join(root, 'tickets', `${id}.json`), 'utf8')

function planOf(root: string): Plan {
  putTicket(root, 'A', { state: 'queued', queued_at: '2026-06-08T11:00:00.000Z' })
  return openPlan({ root, actor: 'tester' })
}

describe('accept with a state', () => {
  test('writes plan and state in one file, and takes the claim', () => {
    using repository = temporaryRepository()
    using plan = planOf(repository.root)
    const { accepted, claim } = plan.accept({ ticket: 'A', holder: 'pod-1', state: 'in_progress' })
    expect({ accepted, ticket: claim?.ticket }).toEqual({ accepted: true, ticket: 'A' })
    const ticket = readTicketJson(repository.root, 'tickets/A.json')
    expect(ticket).toMatchObject({ state: 'in_progress', queued_at: '2026-06-08T11:00:00.000Z' })
    expect(ticket.state_at! >= claim!.acquired_at).toBe(true)
    expect(ticket.decisions.map(({ kind }) => kind)).toEqual(['accepted_plan'])
  })

  test('again by the same holder changes nothing in the file', () => {
    using repository = temporaryRepository()
    using plan = planOf(repository.root)
    const request = { ticket: 'A', holder: 'pod-1', state: 'in_progress' }
    const { claim } = plan.accept(request)
    const before = fileOf(repository.root, 'A')
    expect(plan.accept(request)).toMatchObject({ accepted: true, claim: { token: claim!.token } })
    expect(fileOf(repository.root, 'A')).toBe(before)
  })

  test.each([
    'queued',
    'done',
    'open',
    'in_progres',
  ])('"%s" is no active state: refused, and nothing is written', state => {
    using repository = temporaryRepository()
    using plan = planOf(repository.root)
    const before = fileOf(repository.root, 'A')
    try {
      plan.accept({ ticket: 'A', holder: 'pod-1', state })
      expect.unreachable()
    } catch (error) {
      expect(isPlanError(error, 'invalid_input') && error.data.field).toBe('state')
      expect((error as Error).message).toContain('in_progress')
    }
    expect(fileOf(repository.root, 'A')).toBe(before)
    expect(plan.claims().claims).toEqual([])
  })

  test('a refused accept leaves the state', () => {
    using repository = temporaryRepository()
    using plan = planOf(repository.root)
    plan.record({ ticket: 'A', kind: 'hold', reason: 'ask first' })
    const before = fileOf(repository.root, 'A')
    expect(plan.accept({ ticket: 'A', holder: 'pod-1', state: 'in_progress' }).accepted).toBe(false)
    expect(fileOf(repository.root, 'A')).toBe(before)
  })
})

describe('a state without its claim', () => {
  test('is named by brief and by the reasons of others, with the command that queues it again', () => {
    using repository = temporaryRepository()
    using plan = planOf(repository.root)
    for (const id of ['B', 'C'])
      putTicket(repository.root, id, { state: 'queued', queued_at: '2026-06-08T12:00:00.000Z' })
    plan.record({ ticket: 'B', kind: 'conflicts_with', other: 'A' })
    plan.record({ ticket: 'C', kind: 'after', other: 'A' })
    const { claim } = plan.accept({ ticket: 'A', holder: 'pod-1', state: 'in_progress' })
    expect(plan.consult('B').reasons[0]!.message).toBe('must not run beside A (claimed by pod-1)')
    plan.release({ ticket: 'A', token: claim!.token! })
    const { state_at } = plan.show('A').ticket
    const hint = `A (in_progress, active without a live claim since ${state_at}; "ticketplan set A --state queued" queues it again)`
    expect(plan.consult('B').reasons[0]!.message).toBe(`must not run beside ${hint}`)
    expect(plan.consult('C').reasons[0]!.message).toBe(`comes after ${hint}`)
    expect(plan.brief().text).toContain('ACTIVE WITHOUT A LIVE CLAIM: 1; ticketplan set <ticket> --state queued gives')
    plan.set({ ticket: 'A', state: 'queued' })
    expect(plan.accept({ next: true, holder: 'pod-2' }).claim).toMatchObject({ ticket: 'A' })
  })
})

describe('release with a state', () => {
  test('sets the state, ends the claim, and notes the state for checkouts that are behind', () => {
    using repository = temporaryRepository()
    using plan = planOf(repository.root)
    const { claim } = plan.accept({ ticket: 'A', holder: 'pod-1', state: 'in_progress' })
    const before = fileOf(repository.root, 'A')
    expect(plan.release({ ticket: 'A', token: claim!.token!, state: 'done' })).toMatchObject({
      state: 'done',
      warnings: [],
    })
    expect(readTicketJson(repository.root, 'tickets/A.json').state).toBe('done')
    expect(plan.claims().claims).toEqual([])
    // The file as another branch has it.
    writeFileSync(join(repository.root, 'tickets/A.json'), before.replace('"in_progress"', '"queued"'))
    expect(plan.consult('A').reasons).toMatchObject([{ code: 'behind', state: 'done' }])
  })

  test('with a stale token changes neither', () => {
    using repository = temporaryRepository()
    using plan = planOf(repository.root)
    const { claim } = plan.accept({ ticket: 'A', holder: 'pod-1', state: 'in_progress' })
    const before = fileOf(repository.root, 'A')
    const answer = plan.release({ ticket: 'A', token: claim!.token! - 1, state: 'done' })
    expect(answer).toMatchObject({ refused: 'stale_token', claim: { holder: 'pod-1' } })
    expect(answer.claim).not.toHaveProperty('token')
    expect(fileOf(repository.root, 'A')).toBe(before)
    expect(plan.claims().claims).toMatchObject([{ live: true }])
  })

  test('by force gives the work of a dead worker back, and shows no token', () => {
    using repository = temporaryRepository()
    using plan = planOf(repository.root)
    plan.accept({ ticket: 'A', holder: 'pod-1', state: 'in_progress' })
    const answer = plan.release({ ticket: 'A', force: true, reason: 'the pod is gone', state: 'queued' })
    expect(answer.claim).not.toHaveProperty('token')
    expect(plan.accept({ next: true, holder: 'pod-2' }).claim).toMatchObject({ ticket: 'A', holder: 'pod-2' })
  })

  test('warns of a state that no list has', () => {
    using repository = temporaryRepository()
    using plan = planOf(repository.root)
    const { claim } = plan.accept({ ticket: 'A', holder: 'pod-1' })
    expect(plan.release({ ticket: 'A', token: claim!.token!, state: 'dnoe' }).warnings).toEqual([
      expect.stringContaining('did you mean done?'),
    ])
  })
})

describe('a claim that cannot be committed', () => {
  test('takes the state back, unless somebody has changed it since', () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { state: 'queued' })
    const before = fileOf(repository.root, 'A')
    const store = openStore({ root: repository.root, actor: 'tester' })
    const failing = (afterwards: () => void) => () =>
      fileAndClaim(store, written => {
        const { path } = store.getFile('A')
        const edited = store.edit(path, ticket => ({
          before: ticket,
          ticket: inState(ticket, 'in_progress', store.stamp(), store.phaseOf),
        }))
        written(path, now => withStateOf(edited.before, edited.ticket, now))
        afterwards()
        throw new Error('the commit failed')
      })
    expect(failing(() => {})).toThrow('the commit failed')
    expect(fileOf(repository.root, 'A')).toBe(before)
    expect(failing(() => putTicket(repository.root, 'A', { state: 'in_review' }))).toThrow('the commit failed')
    expect(readTicketJson(repository.root, 'tickets/A.json').state).toBe('in_review')
    store.close()
  })
})
