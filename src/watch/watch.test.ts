import { cpSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import { openPlan, type Plan } from '../sdk.ts'
import { openStore } from '../store/store.ts'
import {
  makeNote,
  makeTicket,
  putTicket,
  replaceTicket,
  runGit,
  type TemporaryRepository,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { decisionsOnDisk, type ToldPlan, toldPlan } from '../test-support/told-plan.ts'
import { until } from '../test-support/until.ts'
import type { TicketEvent, Watching } from './watch.ts'

/** No look without a hint while a test lasts. */
const NEVER_MS = 3_600_000

interface World {
  repository: TemporaryRepository
  root: string
  /** The plan that watches. */
  plan: Plan
  /** What another program would have: the same files and databases through connections of its own. */
  other: Plan
  watching: Watching
  told: ToldPlan
  notices: string[]
}

/** A plan with the queued Tickets A, B and C, and a watch on it. */
async function whileWatching(use: (world: World) => Promise<void>, checkEveryMs = NEVER_MS): Promise<void> {
  using repository = temporaryRepository()
  const { root } = repository
  for (const id of ['A', 'B', 'C']) putTicket(root, id, { state: 'queued' })
  const notices: string[] = []
  using plan = openPlan({ root, actor: 'tester', onNotice: notice => notices.push(notice) })
  using other = openPlan({ root, actor: 'other' })
  const told = toldPlan(plan)
  using watching = plan.watch(event => told.listen(event), { checkEveryMs })
  await use({ repository, root, plan, other, watching, told, notices })
}

/** Until a listener who believed each event knows what the files hold, and that the index is what a rebuild would make. */
async function untilTold({ root, plan, told }: World): Promise<void> {
  const wanted = JSON.stringify(inOrder(decisionsOnDisk(root)))
  await until('all is told', () => JSON.stringify(inOrder(told.decisions())) === wanted)
  const { queue } = plan.queue()
  expect(told.verdicts()).toEqual(Object.fromEntries(queue.map(({ ticket, verdict }) => [ticket.id, verdict])))
  expectRightIndex(root)
}

function expectRightIndex(root: string): void {
  const store = openStore({ root })
  expect(store.index.findMismatch()).toBeNull()
  store.close()
}

function inOrder<T>(object: Record<string, T>): [string, T][] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))
}

const shortly = ({ ticket, change, decisions, removed, verdicts }: TicketEvent) => ({
  ticket,
  change,
  decisions: decisions.map(({ kind }) => kind),
  removed: removed.length,
  verdicts: verdicts.map(({ ticket, from, to }) => `${ticket}: ${from} to ${to}`),
})

describe('what is told', () => {
  test('each change once, with its decisions and the verdicts that it changed', () =>
    whileWatching(async world => {
      const { root, other, told } = world
      const next = async (action: () => unknown, count = 1): Promise<unknown> => {
        const before = told.events.length
        action()
        await until('the change is told', () => told.events.length >= before + count)
        await untilTold(world)
        const events = told.events.slice(before)
        expect(events).toHaveLength(count)
        return count === 1 ? shortly(events[0]!) : events.map(shortly)
      }
      expect(await next(() => other.record({ ticket: 'B', kind: 'blocked_by', other: 'A' }))).toEqual({
        ticket: 'B',
        change: 'changed',
        decisions: ['blocked_by'],
        removed: 0,
        verdicts: ['B: accept to hold'],
      })
      // The blocker's change makes the verdict on the blocked one another: told with the blocker.
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
      // A Ticket that moves is one and the same.
      const moved = () => {
        const bytes = readFileSync(join(root, 'tickets/C.json'))
        rmSync(join(root, 'tickets/C.json'))
        putTicket(root, 'C', {}, 'sub')
        writeFileSync(join(root, 'tickets/sub/C.json'), bytes)
      }
      expect(await next(moved)).toMatchObject({ ticket: 'C', change: 'changed', removed: 0, verdicts: [] })
      expect(told.events.at(-1)).toMatchObject({ path: 'tickets/sub/C.json' })
      expect(await next(() => writeFileSync(join(root, 'tickets/README'), 'no Ticket'), 0)).toEqual([])
    }))

  test('claims, with the verdicts that they change; nothing local but that', () =>
    whileWatching(async ({ other, told }) => {
      const { claim } = other.claim({ ticket: 'A', holder: 'pod-1', session: 'secret-session', pid: 4711, ttl: 1 })
      await until('the claim is told', () => told.events.length === 1)
      expect(told.events[0]).toMatchObject({ ticket: 'A', path: 'tickets/A.json', change: 'claimed' })
      expect(told.events[0]!.verdicts).toMatchObject([{ ticket: 'A', from: 'accept', to: 'hold' }])
      const text = JSON.stringify(told.events)
      for (const local of [String(claim!.token), 'secret-session', '4711']) expect(text).not.toContain(local)
      await until('its expiry is told', () => told.events.length === 2)
      expect(told.events[1]).toMatchObject({ ticket: 'A', change: 'unclaimed', decisions: [], removed: [] })
      expect(told.events[1]!.verdicts).toEqual([{ ticket: 'A', from: 'hold', to: 'accept', reasons: [] }])
    }))

  test('what somebody else had in the index before the watcher looked', () =>
    whileWatching(async world => {
      const { root, plan, other, told } = world
      for (const [number, reader] of [plan, other, plan].entries()) {
        putTicket(root, 'A', { state: 'queued', decisions: [makeNote('x')] })
        reader.sync() // in the same turn: no hint can have come
        await until('it is told', () => told.events.length > number)
        await untilTold(world)
      }
      expect(told.events).toHaveLength(3)
    }))

  test('another configuration, as the verdicts that it changes', () =>
    whileWatching(async ({ root, told }) => {
      writeFileSync(join(root, 'ticketplan.json'), '{"pools":{"default":0}}')
      await until('it is told', () => told.events.length === 3)
      expect(told.events.map(shortly)[0]).toEqual({
        ticket: 'A',
        change: 'changed',
        decisions: [],
        removed: 0,
        verdicts: ['A: accept to hold'],
      })
    }, 300))

  test('nothing of the time before the watch, and nothing after its end', () =>
    whileWatching(async ({ root, plan, watching, told }) => {
      const second: TicketEvent[] = []
      const end = plan.watch(event => second.push(event), { checkEveryMs: 50 })
      watching.close()
      putTicket(root, 'A', { title: 'other' })
      await until('the second watch tells', () => second.length === 1)
      expect(told.events).toEqual([])
      plan.close()
      putTicket(root, 'A', { title: 'yet another' })
      await sleep(300)
      expect(second).toHaveLength(1)
      end.close()
    }))
})

describe('what a watcher must survive', () => {
  test('twenty replacements in 100 ms', () =>
    whileWatching(async world => {
      for (let round = 0; round < 3; round++) {
        for (let number = 0; number < 20; number++) {
          replaceTicket(world.root, 'A', { state: 'queued', decisions: [makeNote(`${number}`)] })
          await sleep(5)
        }
        await untilTold(world)
      }
    }))

  test('the folder removed and made again', () =>
    whileWatching(async world => {
      const { root, repository, told, notices } = world
      for (let round = 0; round < 3; round++) {
        rmSync(repository.ticketsDir, { recursive: true })
        await until('it is said', () => notices.length > round)
        expect(notices[round]).toContain('no tickets folder')
        putTicket(root, 'A', { decisions: [makeNote('x')] })
        putTicket(root, 'D', { state: 'queued' }, 'sub')
        await untilTold(world)
        // The new folder is heard of too.
        const before = told.events.length
        await sleep(600) // the looks after the burst
        putTicket(root, 'A', { decisions: [makeNote('y')] })
        await until('it is told', () => told.events.length > before)
        await untilTold(world)
      }
      expect(notices).toHaveLength(3)
    }, 1000))

  test('the folder removed and made again before anybody could look', () =>
    whileWatching(async world => {
      for (let round = 0; round < 5; round++) {
        rmSync(world.repository.ticketsDir, { recursive: true })
        putTicket(world.root, 'A', { state: 'queued', decisions: [makeNote('x')] })
        await untilTold(world)
        const before = world.told.events.length
        putTicket(world.root, 'A', { state: 'queued', decisions: [makeNote('y')] })
        await until('it is told', () => world.told.events.length > before)
      }
    }, 1000))

  test('folders that come later', () =>
    whileWatching(async world => {
      for (const folder of ['one', 'one/two', 'three']) {
        putTicket(world.root, folder.replace('/', '-'), {}, folder)
        await untilTold(world)
        await sleep(600) // the looks after the burst
        putTicket(world.root, folder.replace('/', '-'), { decisions: [makeNote('x')] }, folder)
        await untilTold(world)
      }
    }))

  test('another tickets folder by configuration', () =>
    whileWatching(async world => {
      const { root, repository } = world
      await untilTold(world)
      cpSync(repository.ticketsDir, join(root, 'plans'), { recursive: true })
      writeFileSync(join(root, 'plans/A.json'), encodeTicket(makeTicket('A', { decisions: [makeNote('x')] })))
      writeFileSync(join(root, 'ticketplan.json'), '{"ticketsDir":"plans"}')
      await untilTold(world)
      writeFileSync(join(root, 'plans/B.json'), encodeTicket(makeTicket('B', { decisions: [makeNote('x')] })))
      await untilTold(world)
      expect(world.notices).toEqual([])
    }, 300))

  test('branch switches', () =>
    whileWatching(async world => {
      const { root } = world
      const commit = (...branch: string[]) => {
        if (branch.length) runGit(root, 'checkout', '--quiet', ...branch)
        runGit(root, 'add', '--all')
        runGit(root, 'commit', '--quiet', '--allow-empty', '--message=x')
      }
      for (let number = 0; number < 100; number++) putTicket(root, `T-${number}`, { decisions: [makeNote('main')] })
      commit()
      runGit(root, 'checkout', '--quiet', '-b', 'side')
      for (let number = 50; number < 150; number++) putTicket(root, `T-${number}`, { decisions: [makeNote('side')] })
      rmSync(join(root, 'tickets/B.json'))
      commit()
      await untilTold(world)
      for (const branch of ['main', 'side', 'main', 'side', 'main']) {
        runGit(root, 'checkout', '--quiet', branch)
        await untilTold(world)
      }
    }))

  test('same size and restored mtime', () =>
    whileWatching(async world => {
      const path = join(world.root, 'tickets/A.json')
      for (const state of ['parked', 'queued', 'parked', 'queued']) {
        await sleep(120) // older than what is looked at again anyway
        const { size, atime, mtime } = statSync(path)
        putTicket(world.root, 'A', { state })
        utimesSync(path, atime, mtime)
        expect(statSync(path)).toMatchObject({ size, mtime })
        expect(world.plan.consult('A').ticket.state).toBe(state)
        await until('it is told', () => world.told.verdicts().A === (state === 'queued' ? 'accept' : undefined))
      }
    }))

  test('a listener that ends the watch while it is told', () =>
    whileWatching(async ({ root, plan }) => {
      const seen: string[] = []
      const watching = plan.watch(({ ticket }) => {
        seen.push(ticket!)
        watching.close()
      })
      for (const id of ['X', 'Y', 'Z']) putTicket(root, id)
      await until('one is told', () => seen.length > 0)
      await sleep(200)
      expect(seen).toEqual(['X'])
    }))

  test('what keeps it from looking: said once, tried again', () =>
    whileWatching(async world => {
      const { root, repository, notices } = world
      renameSync(repository.ticketsDir, `${repository.ticketsDir}.away`)
      writeFileSync(repository.ticketsDir, 'a file in its place')
      await until('it is said', () => notices.length > 0)
      await sleep(500)
      expect(notices).toEqual([
        expect.stringMatching(/^the watch goes on, but cannot look now: .*not a folder of its own/),
      ])
      rmSync(repository.ticketsDir)
      renameSync(`${repository.ticketsDir}.away`, repository.ticketsDir)
      putTicket(root, 'A', { decisions: [makeNote('x')] })
      await untilTold(world)
    }, 50))
})

describe('watcher dead while files change: the next answer is still right', () => {
  test('in the turn in which they change, before anything can be heard', () =>
    whileWatching(async ({ root, plan, other }) => {
      other.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      const states = ['done', 'queued', 'cancelled', 'parked']
      for (const state of [...states, ...states]) {
        await sleep(150) // so that neither files nor folder are looked at because they are young
        plan.consult('A')
        putTicket(root, 'B', { state })
        expect(plan.consult('A').verdict, state).toBe(['done', 'cancelled'].includes(state) ? 'accept' : 'hold')
        writeFileSync(join(root, 'tickets/C.json'), '{') // one that the answer does not rest on
        putTicket(root, 'N', { state: 'queued' }) // a new one: the folder tells
        expect(plan.consult('N').verdict).toBe('accept')
        rmSync(join(root, 'tickets/N.json'))
        expect(() => plan.consult('N')).toThrow(expect.objectContaining({ code: 'unknown_ticket' }))
      }
    }))
})
