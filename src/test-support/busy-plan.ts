/**
 * Writes the plan of a busy orchestrator into a repository: settled, running, queued and open Tickets with relations of every
 * kind, areas, holds, claims with a history, and a few things that are wrong.
 *
 * The same size, seed and time give the same files. Relations reach back a few dozen Tickets, so that chains grow with the plan.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTicket } from '../model/canonical-json.ts'
import { type AnyFields, byTime, type Decision } from '../model/decision.ts'
import { derivedId } from '../model/derived-id.ts'
import { byId } from '../model/order.ts'
import { isoTime } from '../model/text.ts'
import type { Ticket } from '../model/ticket.ts'
import { openPlan } from '../sdk.ts'
import { randomNumbers } from './random-numbers.ts'

export interface BusyPlanOptions {
  tickets: number
  nowMs: number
  seed?: number
  /** Leave out what is wrong: cycle, missing and abandoned blockers, a misspelt state, a file with conflict markers. */
  tidy?: boolean
}

const MINUTE_MS = 60_000
const PARTS = ['Menu', 'Cart', 'Checkout', 'Payment', 'Search', 'Importer', 'Scheduler', 'Mail', 'Login', 'Reports']
const WORK = [
  'show progress of long jobs',
  'keep the last ten versions',
  'retry a failed delivery',
  'split the settings page',
  'write the migration',
  'cache the price list',
  'validate uploads',
  'reduce the bundle',
  'page the list of orders',
  'name errors alike',
]
const REASONS = [
  'the schema comes first',
  'both rewrite the router',
  'it needs the new error names',
  'review asked for this order',
]
const CONFIG = {
  areas: Object.fromEntries(PARTS.slice(0, 6).map(part => [part.toLowerCase(), [`src/${part.toLowerCase()}/**`]])),
  claimTtlSeconds: 1800,
  pools: { default: 8, gpu: 1, review: 2 },
}

/** Writes files and claims; returns the ids of the Tickets. The folder is the root of a repository with a tickets folder. */
export function writeBusyPlan(root: string, options: BusyPlanOptions): string[] {
  const plan = busyTickets(options)
  mkdirSync(join(root, 'tickets'), { recursive: true })
  writeFileSync(join(root, 'ticketplan.json'), `${JSON.stringify(CONFIG, null, 2)}\n`)
  for (const ticket of plan) writeFileSync(join(root, 'tickets', `${ticket.id}.json`), encodeTicket(ticket))
  if (!options.tidy)
    writeFileSync(join(root, 'tickets', 'T-9999.json'), '{\n<<<<<<< ours\n  "format": 1\n=======\n>>>>>>> theirs\n}\n')
  claimSome(root, plan, options.nowMs)
  return plan.map(({ id }) => id)
}

function busyTickets({ tickets: size, nowMs, seed = 7, tidy = false }: BusyPlanOptions): Ticket[] {
  const random = randomNumbers(seed)
  const chance = (percent: number) => random(100) < percent
  const settled = Math.floor(size * 0.6)
  const active = settled + Math.max(3, Math.min(14, Math.floor(size * 0.05)))
  const queued = active + Math.max(8, Math.floor(size * 0.25))
  const stateOf = (number: number) => {
    if (number <= settled) return chance(4) ? 'cancelled' : 'done'
    return number <= active ? 'in_progress' : number <= queued ? 'queued' : 'open'
  }
  const tickets = Array.from({ length: size }, (_, position) => {
    const state = stateOf(position + 1)
    return newTicket(position, state, { size, settled, nowMs, random })
  })
  const decide = decider(tickets, nowMs)
  for (const position of tickets.keys()) decideSome(tickets, position, { random, decide })
  if (!tidy) addTrouble(tickets.slice(active, queued), tickets, decide, made => Date.parse(made.created_at!))
  for (const ticket of tickets) ticket.decisions.sort(byId)
  return tickets
}

type Random = (bound: number) => number

function pickFrom<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)]!
}

interface Timeline {
  size: number
  settled: number
  nowMs: number
  random: Random
}

/** Returns a Ticket without decisions. The later ones are closer together in time, up to now. */
function newTicket(position: number, state: string, { size, settled, nowMs, random }: Timeline): Ticket {
  const spanMs = Math.min(90 * size, 40 * 24 * 60) * MINUTE_MS
  const number = position + 1
  const created = nowMs - spanMs * ((size - position) / size) ** 2.2 - random(20) * MINUTE_MS
  const wasQueued = created + random(30) * MINUTE_MS
  const isRecent = number > settled - 40
  const started =
    state === 'in_progress' || isRecent
      ? nowMs - (isRecent && number <= settled ? 60 + random(1300) : 5 + random(200)) * MINUTE_MS
      : wasQueued + (20 + random(400)) * MINUTE_MS
  const changed =
    state === 'done' || state === 'cancelled'
      ? Math.min(started + (15 + random(45)) * MINUTE_MS, nowMs - MINUTE_MS)
      : started
  return {
    id: `T-${number}` as Ticket['id'],
    format: 1,
    title: `${pickFrom(random, PARTS)}: ${pickFrom(random, WORK)}`,
    state,
    created_at: isoTime(created),
    ...(state !== 'open' && { queued_at: isoTime(Math.min(wasQueued, nowMs - 2 * MINUTE_MS)), queued_by: 'ann' }),
    state_at: isoTime(state === 'queued' || state === 'open' ? Math.min(wasQueued, nowMs) : changed),
    decisions: [],
  }
}

/** Adds decisions of every kind to a Ticket, some of them about Tickets before it. */
function decideSome(
  tickets: readonly Ticket[],
  position: number,
  { random, decide }: { random: Random; decide: Decide },
): void {
  const ticket = tickets[position]!
  const chance = (percent: number) => random(100) < percent
  const pick = <T>(list: readonly T[]): T => pickFrom(random, list)
  const back = (most: number) => tickets[position - 1 - random(Math.min(most, position))]!.id
  const made = Date.parse(ticket.created_at!)
  if (position > 3 && chance(55)) decide(ticket, made, { kind: 'blocked_by', target: back(12), reason: pick(REASONS) })
  if (position > 3 && chance(14)) decide(ticket, made, { kind: 'blocked_by', target: back(40) })
  if (position > 3 && chance(12)) decide(ticket, made, { kind: 'after', target: back(10), reason: 'the same files' })
  if (position > 3 && chance(5))
    decide(ticket, made, { kind: 'conflicts_with', target: back(8), reason: 'both rewrite the router' })
  if (position > 3 && chance(5)) decide(ticket, made, { kind: 'related', target: back(20) })
  if (position > 8 && chance(12))
    decide(ticket, made, { kind: 'part_of', target: tickets[position - (position % 9)]!.id })
  if (chance(25))
    decide(ticket, made, { kind: 'touches', paths: [pick(Object.keys(CONFIG.areas))], shared: chance(70) })
  if (chance(6)) decide(ticket, made, { kind: 'note', reason: 'the reviewer wants a golden file for this' })
  if (ticket.state === 'queued' && chance(4))
    decide(ticket, made, { kind: 'hold', reason: 'the customer has to answer first' })
  if (ticket.state === 'queued' && chance(3))
    decide(ticket, made, { kind: 'waiting_for_capacity', pool: 'gpu', reason: 'wants the one GPU' })
  if (ticket.state !== 'queued' && ticket.state !== 'open' && chance(90))
    decide(ticket, Math.max(made, Date.parse(ticket.state_at!) - 30 * MINUTE_MS), {
      kind: 'accepted_plan',
      plan: { summary: `one worker, reviewed by another; touches ${pick(PARTS)} alone`, branch: `work/${ticket.id}` },
    })
  const [first] = ticket.decisions
  if (first && chance(6))
    decide(ticket, made + 20 * MINUTE_MS, {
      kind: 'retraction',
      retracts: first.id,
      reason: 'it was done differently',
    })
}

type Decide = (ticket: Ticket, timeMs: number, fields: Partial<AnyFields> & { kind: string }) => void

/** Returns a function that adds a decision to a Ticket, once for each relation, never in the future. */
function decider(tickets: readonly Ticket[], nowMs: number): Decide {
  const seen = new Set<string>()
  const known = new Set<string>(tickets.map(({ id }) => id))
  return (ticket, timeMs, fields) => {
    const { kind, target } = fields
    const key = `${ticket.id} ${kind} ${target}`
    if (target !== undefined && (seen.has(key) || target === ticket.id)) return
    seen.add(key)
    if (kind === 'conflicts_with' && target !== undefined && known.has(target) && target < ticket.id) {
      const other = tickets.find(({ id }) => id === target)!
      return decideAs(other, timeMs, { ...fields, target: ticket.id })
    }
    decideAs(ticket, timeMs, fields)
  }
  function decideAs(ticket: Ticket, timeMs: number, fields: object) {
    const at = isoTime(Math.min(timeMs, nowMs - 1000 - ((timeMs / 7) % (50 * MINUTE_MS))))
    const by = 'orchestrator'
    const id = derivedId(at, `${ticket.id} ${JSON.stringify(fields)}`)
    if (!ticket.decisions.some(decision => decision.id === id))
      ticket.decisions.push({ at, by, id, ...fields } as unknown as Decision)
    ticket.decisions.sort(byTime)
  }
}

/** Adds a cycle, an abandoned and a missing blocker, a misspelt state, a long id and titles that are hard to draw. */
function addTrouble(queued: Ticket[], all: Ticket[], decide: Decide, timeOf: (ticket: Ticket) => number): void {
  const [a, b, c, d, e] = queued.slice(2) as [Ticket, Ticket, Ticket, Ticket, Ticket]
  decide(a, timeOf(a), { kind: 'blocked_by', target: b.id, reason: 'the migration comes first' })
  decide(b, timeOf(b), { kind: 'blocked_by', target: a.id, reason: 'the tables come first' })
  const gone = all.find(({ state }) => state === 'cancelled') ?? Object.assign(all[1]!, { state: 'cancelled' })
  decide(c, timeOf(c), { kind: 'blocked_by', target: gone.id, reason: 'it was to deliver the client' })
  decide(d, timeOf(d), { kind: 'blocked_by', target: 'T-88888', reason: 'filed in another clone' })
  e.title = '検索: 長い一覧をページに分ける。利用者が待たずに済むように、先頭だけを読み込む'
  const last = all.at(-1)!
  last.title = 'A title that goes on for longer than any box of a drawing has room for, and then <b>some</b> & more ]]>'
  all.at(-2)!.state = 'in progres'
}

/** Claims the active Tickets, some of them with an earlier, ended claim; two claims have expired. */
function claimSome(root: string, tickets: readonly Ticket[], nowMs: number): void {
  let time = nowMs - 20 * 60 * MINUTE_MS
  using plan = openPlan({ root, actor: 'orchestrator', now: () => time })
  const active = tickets.filter(({ state }) => state === 'in_progress')
  const done = tickets.filter(({ state }) => state === 'done').slice(-24)
  const holderOf = (position: number) => `pod-${(position % 11) + 1}`
  const events: { at: number; run(): void }[] = []
  for (const [position, { id }] of [...done, ...active.slice(0, 5)].entries()) {
    const from = nowMs - (60 + ((position * 173) % 1080)) * MINUTE_MS
    const length = (10 + ((position * 37) % 35)) * MINUTE_MS
    let token = 0
    events.push({
      at: from,
      run: () => (token = plan.claim({ ticket: id, holder: holderOf(position), ttl: 7200 }).claim?.token ?? 0),
    })
    events.push({
      at: from + length,
      run: () => {
        if (token === 0) return
        if (position % 9 === 4) plan.release({ ticket: id, force: true, reason: 'the pod is gone' })
        else plan.release({ ticket: id, token })
      },
    })
  }
  for (const [position, { id }] of active.entries()) {
    if (position % 7 === 5) continue // runs without a claim
    const isLost = position % 5 === 3
    const from = nowMs - (isLost ? 50 + position : 4 + ((position * 7) % 22)) * MINUTE_MS
    const pool = ['review', 'default', 'gpu', 'review'][position]
    events.push({
      at: from,
      run: () =>
        plan.claim({ ticket: id, holder: holderOf(position), session: `s-${position}`, ...(pool && { pool }) }),
    })
  }
  for (const event of events.sort((x, y) => x.at - y.at)) {
    time = Math.max(time, event.at)
    event.run()
  }
}
