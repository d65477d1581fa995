import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import type { Decision } from '../model/decision.ts'
import type { Ticket } from '../model/ticket.ts'
import { accept } from '../operations/accept.ts'
import { consult } from '../operations/consult.ts'
import { parseInput } from '../operations/operation.ts'
import { show } from '../operations/show.ts'
import { openStore, type Store } from '../store/store.ts'
import type { Watcher } from '../store/watcher-trust.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { makeNote, makeTicket, putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

/** Claims to be reliable and receives no event: a change is only found by checking the files on which an answer depends. */
const silentWatcher: Watcher = {
  isReliable: () => true,
  lastEventAt: Number.NEGATIVE_INFINITY,
  trustedMs: Number.POSITIVE_INFINITY,
}

const IDS = ['A', 'B', 'C', 'D', 'E']
const anyId = fc.constantFrom(...IDS)

/** A change of one file in place, which does not change the folder's times. */
type Change =
  | { kind: 'state'; id: string; state: string }
  | { kind: 'wait'; id: string; relation: 'after' | 'blocked_by'; target: string }
  | { kind: 'drop'; id: string }
  | { kind: 'plan'; id: string }
  | { kind: 'break'; id: string }

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant('state' as const),
    id: anyId,
    state: fc.constantFrom('queued', 'queued', 'open', 'in_progress', 'done'),
  }),
  fc.record({
    kind: fc.constant('wait' as const),
    id: anyId,
    relation: fc.constantFrom('after' as const, 'blocked_by' as const),
    target: fc.constantFrom(...IDS, 'missing'),
  }),
  fc.record({ kind: fc.constant('drop' as const), id: anyId }),
  fc.record({ kind: fc.constant('plan' as const), id: anyId }),
  fc.record({ kind: fc.constant('break' as const), id: anyId }),
)

function relation(kind: string, target: string): Decision {
  const { reason: _, ...decision } = makeNote('x')
  return asDecision({ ...decision, kind, target })
}

function changed(ticket: Ticket, change: Change): Ticket {
  const { decisions } = ticket
  if (change.kind === 'state') return { ...ticket, state: change.state }
  if (change.kind === 'drop') return { ...ticket, decisions: decisions.slice(1) }
  if (change.kind === 'plan')
    return { ...ticket, decisions: [...decisions, { ...makeNote('x'), kind: 'accepted_plan', plan: { summary: 'x' } }] }
  if (change.kind === 'wait' && change.target !== change.id)
    return { ...ticket, decisions: [...decisions, relation(change.relation, change.target)] }
  return ticket
}

/** Waits until folder and files are not racy, so that every change shows in their times. */
function waitUntilOld(): void {
  const until = performance.now() + 120
  while (performance.now() < until);
}

/** What `accept` gets for a Ticket. */
function acceptInput(ticket: string) {
  return parseInput(accept, { ticket, holder: 'w' })
}

/** The answers about a Ticket, without parts that depend on files which are not indexed yet. */
function answer(store: Store, id: string) {
  const { problems: _, ...consulted } = consult.run(store, { ticket: id, holder: undefined, pool: undefined })
  const { problems: __, ...shown } = show.run(store, { ticket: id })
  const relations = shown.relations.filter(({ kind }) => kind !== 'before' && kind !== 'blocks')
  return { consulted, shown: { ...shown, relations } }
}

describe('an answer that depends on few Tickets, while no file event arrives', () => {
  it('equals that of a full scan, whatever changes were made to their files in place', () => {
    using repo = temporaryRepository()
    const tickets = new Map<string, Ticket>()
    const conflict = relation('conflicts_with', 'B')
    for (const id of IDS) tickets.set(id, makeTicket(id, { state: 'queued', decisions: id === 'A' ? [conflict] : [] }))
    const write = (id: string) => writeFileSync(join(repo.ticketsDir, `${id}.json`), encodeTicket(tickets.get(id)!))
    for (const id of IDS) write(id)
    waitUntilOld()
    const store = openStore({ root: repo.root })
    store.trust(silentWatcher)
    store.reconcile()
    fc.assert(
      fc.property(fc.array(fc.tuple(change, anyId), { minLength: 1, maxLength: 6 }), steps => {
        for (const [change, asked] of steps) {
          if (change.kind === 'break') {
            // Breaks the Ticket of the question: any other broken file needs a file event.
            writeFileSync(join(repo.ticketsDir, `${asked}.json`), '{"broken":')
          } else {
            tickets.set(change.id, changed(tickets.get(change.id)!, change))
            write(change.id)
          }
          const fresh = openStore({ root: repo.root })
          const now = answer(store, asked)
          expect(now).toEqual(answer(fresh, asked))
          fresh.close()
          if (change.kind === 'break') write(asked)
        }
      }),
      { numRuns: 30 },
    )
    store.close()
  }, 60_000)

  it('equals that of a full scan for an accept, which is decided under the lock', () => {
    using repo = temporaryRepository()
    using mirror = temporaryRepository() // the same files under another index, for the full scan
    const tickets = new Map<string, Ticket>()
    const write = (id: string) => {
      for (const { ticketsDir } of [repo, mirror])
        writeFileSync(join(ticketsDir, `${id}.json`), encodeTicket(tickets.get(id)!))
    }
    const conflict = relation('conflicts_with', 'B')
    for (const id of IDS) tickets.set(id, makeTicket(id, { state: 'queued', decisions: id === 'A' ? [conflict] : [] }))
    for (const id of IDS) write(id)
    const store = openStore({ root: repo.root, actor: 'tester' })
    store.trust(silentWatcher)
    const trustAgain = () => {
      waitUntilOld()
      store.reconcile()
    }
    trustAgain()
    let accepts = 0
    fc.assert(
      fc.property(fc.array(fc.tuple(change, anyId), { minLength: 1, maxLength: 4 }), steps => {
        for (const [change, asked] of steps) {
          if (change.kind === 'break') continue
          tickets.set(change.id, changed(tickets.get(change.id)!, change))
          write(change.id)
          const fresh = openStore({ root: mirror.root })
          const { verdict, reasons } = consult.run(fresh, { ticket: asked, holder: 'w', pool: undefined })
          fresh.close()
          const { accepted, claim, reasons: found } = accept.run(store, acceptInput(asked))
          expect({ accepted, reasons: found }).toEqual({ accepted: verdict === 'accept', reasons })
          if (!accepted) continue
          accepts++
          store.claims.release(asked, { token: (claim as { token: number }).token })
          write(asked) // without the plan again
          trustAgain()
        }
      }),
      { numRuns: 20 },
    )
    expect(accepts).toBeGreaterThan(0)
    store.close()
  }, 120_000)

  it('does not check other files: one that is not indexed and names the Ticket needs a file event', () => {
    using repo = temporaryRepository()
    for (const id of ['A', 'B', 'C']) putTicket(repo.root, id, { state: 'queued' })
    waitUntilOld()
    const store = openStore({ root: repo.root })
    const watcher: Watcher = { ...silentWatcher }
    store.trust(watcher)
    store.reconcile()
    expect(answer(store, 'B').consulted.reasons).toEqual([])
    putTicket(repo.root, 'A', { state: 'in_progress', decisions: [relation('conflicts_with', 'B')] })
    expect(answer(store, 'B').consulted.reasons).toEqual([])
    // An event causes a full scan, and so does a last scan that is too old.
    watcher.lastEventAt = performance.now()
    expect(answer(store, 'B').consulted.reasons).toMatchObject([{ code: 'conflicts_with' }])
    watcher.lastEventAt = Number.NEGATIVE_INFINITY
    putTicket(repo.root, 'A', { state: 'done' })
    putTicket(repo.root, 'C', { state: 'in_progress', decisions: [relation('conflicts_with', 'B')] })
    expect(answer(store, 'B').consulted.reasons).toEqual([])
    watcher.trustedMs = 0
    expect(answer(store, 'B').consulted.reasons).toMatchObject([{ code: 'conflicts_with', ticket: 'C' }])
    store.close()
  })

  it.each([
    '',
    'team',
    'team/deep',
  ])('sees every file that is added to folder %j, replaced in it or removed from it', below => {
    using repo = temporaryRepository()
    for (const id of ['A', 'B']) putTicket(repo.root, id, { state: 'queued' }, below)
    waitUntilOld()
    const store = openStore({ root: repo.root })
    store.trust(silentWatcher)
    store.reconcile()
    expect(answer(store, 'B').consulted.reasons).toEqual([])
    mkdirSync(join(repo.root, 'aside'))
    const aside = join(repo.root, 'aside', 'A.json')
    const rival = makeTicket('A', { state: 'in_progress', decisions: [relation('conflicts_with', 'B')] })
    writeFileSync(aside, encodeTicket(rival))
    renameSync(aside, join(repo.ticketsDir, below, 'A.json'))
    expect(answer(store, 'B').consulted.reasons).toMatchObject([{ code: 'conflicts_with' }])
    waitUntilOld()
    store.reconcile()
    rmSync(join(repo.ticketsDir, below, 'A.json'))
    expect(answer(store, 'B').consulted.reasons).toEqual([])
    waitUntilOld()
    store.reconcile()
    // In a new folder.
    mkdirSync(join(repo.ticketsDir, below, 'new'))
    writeFileSync(join(repo.ticketsDir, below, 'new', 'A.json'), encodeTicket(rival))
    expect(answer(store, 'B').consulted.reasons).toMatchObject([{ code: 'conflicts_with' }])
    store.close()
  })

  it('is never taken from a different index than the scanned one', () => {
    using repo = temporaryRepository()
    for (const id of ['A', 'B']) putTicket(repo.root, id, { state: 'queued' })
    waitUntilOld()
    const store = openStore({ root: repo.root })
    store.trust(silentWatcher)
    store.reconcile()
    const before = answer(store, 'A')
    for (const suffix of ['', '-wal', '-shm']) rmSync(repo.indexPath + suffix, { force: true })
    expect(answer(store, 'A')).toEqual(before)
    writeFileSync(join(repo.root, 'ticketplan.json'), '{"states":{"queued":["waiting"]}}')
    expect(answer(store, 'A').consulted.ticket.phase).toBe('open')
    store.close()
  })
})
