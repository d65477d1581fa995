/** Every way in which a client could lift a hold that others recorded, through the tools of a guarded server. */
import type { CallToolResult } from '@modelcontextprotocol/server'
import { describe, expect, test } from 'vitest'
import { openPlan, type Plan } from '../sdk.ts'
import { holdGuard } from '../store/hold-guard.ts'
import { openStore } from '../store/store.ts'
import { readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'
import { folders } from './folders.ts'
import { toolsOf } from './tools.ts'

// biome-ignore lint/suspicious/noExplicitAny: documents are looked into by assertions alone
type Loose = Record<string, any>

interface Served {
  root: string
  /** The plan of a person, beside the server. */
  person: Plan
  clock: { nowMs: number }
  /** Calls a tool and returns its document, or its error. */
  call(tool: string, given: object): Loose
}

/** Runs a test with a server beside a person; `T` is queued, `EPIC` is open. */
function withServer(work: (served: Served) => void): void {
  using repository = temporaryRepository()
  const { root } = repository
  const clock = { nowMs: Date.parse('2026-11-20T10:00:00.000Z') }
  const now = () => clock.nowMs++
  using person = openPlan({ root, actor: 'anna', now })
  person.add({ id: 'T', title: 't', state: 'queued' })
  person.add({ id: 'EPIC', title: 'e' })
  const store = openStore({ root, actor: 'anna', now }, { session: 'mcp-1', holdGuard: holdGuard() })
  const tools = toolsOf(
    folders(store, () => store),
    false,
  )
  const call = (tool: string, given: object) => {
    const [block] = (tools.call(tool, given) as CallToolResult).content
    const document = JSON.parse(block?.type === 'text' ? block.text : '') as Loose
    return document.error ?? document
  }
  work({ root, person, clock, call })
  store.close()
}

/** Fails unless the action is refused and the file of T is the same after it, and T is still held. */
function expectRefused({ root, person }: Served, action: () => Loose, decision: string): void {
  const before = readTicketJson(root, 'tickets/T.json')
  expect(action()).toMatchObject({
    code: 'hold_protected',
    ticket: 'T',
    decisions: [decision],
    message: expect.stringMatching(/nothing was written\. A person can lift it with "ticketplan retract 01/),
  })
  expect(readTicketJson(root, 'tickets/T.json')).toEqual(before)
  expect(person.consult('T').verdict).toBe('hold')
  expect(person.claims().claims).toEqual([])
}

describe('a hold of a person', () => {
  const held = (served: Served) =>
    served.person.record({ ticket: 'T', kind: 'hold', reason: 'ask the author first' }).decision.id

  test('is not retracted, even by the same actor', () => {
    withServer(served => {
      const id = held(served)
      expectRefused(served, () => served.call('retract', { decision: id }), id)
      expectRefused(served, () => served.call('retract', { decision: id, reason: 'done' }), id)
    })
  })

  test('is not superseded, by whatever kind', () => {
    withServer(served => {
      const id = held(served)
      for (const more of [
        { kind: 'note', reason: 'x' },
        { kind: 'hold', reason: 'ask the author first' },
        { kind: 'hold', notBefore: '2020-01-01' },
        { kind: 'blocked_by', other: 'EPIC' },
        { kind: 'waiting_for_capacity', pool: 'p' },
      ])
        expectRefused(served, () => served.call('record', { ticket: 'T', supersedes: [id], ...more }), id)
      // One of several.
      const own = served.call('record', { ticket: 'T', kind: 'note', reason: 'mine' }).decision.id
      expectRefused(
        served,
        () => served.call('record', { ticket: 'T', kind: 'note', reason: 'x', supersedes: [own, id] }),
        id,
      )
    })
  })

  test('is not forced past', () => {
    withServer(served => {
      const id = held(served)
      const force = { ticket: 'T', holder: 'pod-1', force: true, reason: 'urgent' }
      expectRefused(served, () => served.call('accept', force), id)
      expect(served.call('accept', { ticket: 'T', holder: 'pod-1' })).toMatchObject({
        accepted: false,
        reasons: [{ code: 'on_hold' }],
      })
    })
  })

  test('is not lifted by a retraction that takes effect again, nor by one of what restored it', () => {
    withServer(served => {
      const { person, call } = served
      const id = held(served)
      const lift = person.retract(id).decision.id
      const again = person.retract(lift).decision.id
      expectRefused(served, () => call('retract', { decision: again }), id)
      expectRefused(served, () => call('record', { ticket: 'T', kind: 'note', reason: 'x', supersedes: [id] }), id)
      // A `supersedes` that a person has withdrawn.
      const note = person.record({ ticket: 'T', kind: 'note', reason: 'over', supersedes: [id] }).decision.id
      const withdrawn = person.retract(note).decision.id
      expectRefused(served, () => call('retract', { decision: withdrawn }), id)
    })
  })

  test('of a time holds until then, and may be tidied up afterwards', () => {
    withServer(served => {
      const id = served.person.record({ ticket: 'T', kind: 'hold', notBefore: '2026-12-01' }).decision.id
      expectRefused(served, () => served.call('retract', { decision: id }), id)
      served.clock.nowMs = Date.parse('2026-12-01T00:00:00.000Z')
      expect(served.person.consult('T').verdict).toBe('accept')
      expect(served.call('retract', { decision: id })).toMatchObject({ created: true })
    })
  })

  test('on a parent is not left: not by retracting the relation, nor by replacing it, nor by force', () => {
    withServer(served => {
      const { person, call } = served
      person.add({ id: 'MIDDLE', title: 'm' })
      const up = person.record({ ticket: 'T', kind: 'part_of', other: 'MIDDLE' }).decision.id
      const upper = person.record({ ticket: 'MIDDLE', kind: 'part_of', other: 'EPIC' }).decision.id
      const id = person.record({ ticket: 'EPIC', kind: 'hold', reason: 'not this year' }).decision.id
      expectRefused(served, () => call('retract', { decision: up }), id)
      expectRefused(served, () => call('record', { ticket: 'T', kind: 'note', reason: 'x', supersedes: [up] }), id)
      expectRefused(served, () => call('accept', { ticket: 'T', holder: 'p', force: true, reason: 'x' }), id)
      expect(call('retract', { decision: upper })).toMatchObject({ code: 'hold_protected', ticket: 'MIDDLE' })
      person.retract(id)
      expect(call('retract', { decision: up })).toMatchObject({ created: true })
    })
  })
})

describe('what stays possible', () => {
  test('a hold that the server recorded itself is lifted, superseded and forced past', () => {
    withServer(({ call, person }) => {
      const record = (reason: string) => call('record', { ticket: 'T', kind: 'hold', reason }).decision.id
      expect(call('retract', { decision: record('a') })).toMatchObject({ created: true })
      const id = record('b')
      expect(call('record', { ticket: 'T', kind: 'note', reason: 'x', supersedes: [id] })).toMatchObject({
        created: true,
      })
      record('c')
      const force = { ticket: 'T', holder: 'p', force: true, reason: 'x' }
      expect(call('accept', force)).toMatchObject({ accepted: true, decision: { overrides: ['on_hold'] } })
      expect(person.claims().claims).toHaveLength(1)
    })
  })

  test('a hold that was there already does not become the server’s by recording it again', () => {
    withServer(served => {
      const id = served.person.record({ ticket: 'T', kind: 'hold', reason: 'wait' }).decision.id
      expect(served.call('record', { ticket: 'T', kind: 'hold', reason: 'wait' })).toMatchObject({
        created: false,
        decision: { id },
      })
      expectRefused(served, () => served.call('retract', { decision: id }), id)
    })
  })

  test('other holds are forced past, and other decisions retracted', () => {
    withServer(({ call, person }) => {
      const { decision } = person.record({ ticket: 'T', kind: 'blocked_by', other: 'EPIC' })
      expect(call('accept', { ticket: 'T', holder: 'p', force: true, reason: 'x' })).toMatchObject({ accepted: true })
      expect(call('retract', { decision: decision.id })).toMatchObject({ created: true })
    })
  })

  test('the holder of a claim that is older than the hold renews it', () => {
    withServer(({ call, person }) => {
      const { claim } = call('accept', { ticket: 'T', holder: 'p' })
      person.record({ ticket: 'T', kind: 'hold', reason: 'stop here' })
      for (const more of [{}, { force: true, reason: 'x' }])
        expect(call('accept', { ticket: 'T', holder: 'p', ...more })).toMatchObject({ claim: { token: claim.token } })
    })
  })
})
