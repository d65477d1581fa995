import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { makeNote, putTicket } from '../test-support/temporary-repository.ts'
import { until } from '../test-support/until.ts'
import { untilEmitted, whileWatching } from '../test-support/watched-plan.ts'
import type { TicketEvent } from './watch.ts'

const summary = ({ ticket, change, decisions, removed, verdicts }: TicketEvent) => ({
  ticket,
  change,
  decisions: decisions.map(({ kind }) => kind),
  removed: removed.length,
  verdicts: verdicts.map(({ ticket, from, to }) => `${ticket}: ${from} to ${to}`),
})

describe('watch', () => {
  test('emits each change once, with its decisions and new verdicts', () =>
    whileWatching(async world => {
      const { root, other, replay } = world
      const next = async (action: () => unknown, count = 1): Promise<unknown> => {
        const before = replay.events.length
        action()
        await until('the change is emitted', () => replay.events.length >= before + count)
        await untilEmitted(world)
        const events = replay.events.slice(before)
        expect(events).toHaveLength(count)
        return count === 1 ? summary(events[0]!) : events.map(summary)
      }
      expect(await next(() => other.record({ ticket: 'B', kind: 'blocked_by', other: 'A' }))).toEqual({
        ticket: 'B',
        change: 'changed',
        decisions: ['blocked_by'],
        removed: 0,
        verdicts: ['B: accept to hold'],
      })
      // The blocker's change gives the blocked Ticket a new verdict: part of the blocker's event.
      expect(await next(() => other.set({ ticket: 'A', state: 'done' }))).toEqual({
        ticket: 'A',
        change: 'changed',
        decisions: [],
        removed: 0,
        verdicts: ['B: hold to accept', 'A: accept to null'],
      })
      expect(await next(() => other.add({ id: 'D', title: 'd', state: 'queued' }))).toMatchObject({
        change: 'added',
        verdicts: ['D: null to accept'],
      })
      const path = join(root, 'tickets/B.json')
      const bytes = readFileSync(path)
      expect(await next(() => writeFileSync(path, '{'))).toMatchObject({
        ticket: 'B',
        change: 'quarantined',
        removed: 0,
        verdicts: ['B: accept to null'],
      })
      expect(await next(() => writeFileSync(path, bytes))).toMatchObject({
        change: 'changed',
        decisions: [],
        verdicts: ['B: null to accept'],
      })
      expect(await next(() => rmSync(path))).toMatchObject({
        change: 'removed',
        removed: 1,
        verdicts: ['B: accept to null'],
      })
      // A Ticket that moves stays the same Ticket.
      const moved = () => {
        const bytes = readFileSync(join(root, 'tickets/C.json'))
        rmSync(join(root, 'tickets/C.json'))
        putTicket(root, 'C', {}, 'sub')
        writeFileSync(join(root, 'tickets/sub/C.json'), bytes)
      }
      expect(await next(moved)).toMatchObject({ ticket: 'C', change: 'changed', removed: 0, verdicts: [] })
      expect(replay.events.at(-1)).toMatchObject({ path: 'tickets/sub/C.json' })
      expect(await next(() => writeFileSync(join(root, 'tickets/README'), 'no Ticket'), 0)).toEqual([])
    }))

  test('emits claims with the verdicts that they change, without token and process', () =>
    whileWatching(async ({ other, replay }) => {
      const { claim } = other.claim({ ticket: 'A', holder: 'pod-1', session: 's-1', pid: 4711, ttl: 1 })
      await until('the claim is emitted', () => replay.events.length === 1)
      expect(replay.events[0]).toMatchObject({ ticket: 'A', path: 'tickets/A.json', change: 'claimed' })
      expect(replay.events[0]!.verdicts).toMatchObject([{ ticket: 'A', from: 'accept', to: 'hold' }])
      const text = JSON.stringify(replay.events)
      for (const local of [String(claim!.token), '4711']) expect(text).not.toContain(local)
      await until('its expiry is emitted', () => replay.events.length === 2)
      expect(replay.events[1]).toMatchObject({ ticket: 'A', change: 'unclaimed', decisions: [], removed: [] })
      expect(replay.events[1]!.verdicts).toEqual([{ ticket: 'A', from: 'hold', to: 'accept', reasons: [] }])
    }))

  test('emits changes that another process indexed before the scan', () =>
    whileWatching(async world => {
      const { root, plan, other, replay } = world
      for (const [number, reader] of [plan, other, plan].entries()) {
        putTicket(root, 'A', { state: 'queued', decisions: [makeNote('x')] })
        reader.sync() // in the same turn: no file event can have arrived
        await until('it is emitted', () => replay.events.length > number)
        await untilEmitted(world)
      }
      expect(replay.events).toHaveLength(3)
    }))

  test('emits a change of the configuration as the verdicts that it changes', () =>
    whileWatching(async ({ root, replay }) => {
      writeFileSync(join(root, 'ticketplan.json'), '{"pools":{"default":0}}')
      await until('it is emitted', () => replay.events.length === 3)
      expect(replay.events.map(summary)[0]).toEqual({
        ticket: 'A',
        change: 'changed',
        decisions: [],
        removed: 0,
        verdicts: ['A: accept to hold'],
      })
    }, 300))

  test('emits nothing from before it starts or after it is closed', () =>
    whileWatching(async ({ root, plan, watching, replay }) => {
      const second: TicketEvent[] = []
      const other = plan.watch(event => second.push(event), { checkEveryMs: 50 })
      watching.close()
      putTicket(root, 'A', { title: 'other' })
      await until('the second watch emits', () => second.length === 1)
      expect(replay.events).toEqual([])
      plan.close()
      putTicket(root, 'A', { title: 'yet another' })
      await sleep(300)
      expect(second).toHaveLength(1)
      other.close()
    }))
})

describe('an answer while files change and no file event arrives', () => {
  test('is right in the same turn of the event loop', () =>
    whileWatching(async ({ root, plan, other }) => {
      other.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      const states = ['done', 'queued', 'cancelled', 'closed', 'parked']
      for (const state of [...states, ...states]) {
        await sleep(150) // else files and folder are racy, and checked anyway
        plan.consult('A')
        putTicket(root, 'B', { state })
        expect(plan.consult('A').verdict, state).toBe(['done', 'closed'].includes(state) ? 'accept' : 'hold')
        writeFileSync(join(root, 'tickets/C.json'), '{') // the answer does not depend on it
        putTicket(root, 'N', { state: 'queued' }) // a new one changes the folder's times
        expect(plan.consult('N').verdict).toBe('accept')
        rmSync(join(root, 'tickets/N.json'))
        expect(() => plan.consult('N')).toThrow(expect.objectContaining({ code: 'unknown_ticket' }))
      }
    }))
})
