import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import type { Decision } from '../model/decision.ts'
import type { Ticket } from '../model/ticket.ts'
import { consult } from '../operations/consult.ts'
import { show } from '../operations/show.ts'
import { openStore, type Store } from '../store/store.ts'
import type { Watcher } from '../store/watcher-trust.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { makeNote, makeTicket, putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

/** Says that it hears everything, and hears nothing: what is found is found by looking at the files that an answer rests on. */
const deaf: Watcher = { isHearing: () => true, heardAt: Number.NEGATIVE_INFINITY, trustedMs: Number.POSITIVE_INFINITY }

const IDS = ['A', 'B', 'C', 'D', 'E']
const anyId = fc.constantFrom(...IDS)

/** A change of one file in place, which leaves the folder's times as they are. */
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

/** Waits until folder and files are so old that their times tell of every change. */
function waitUntilOld(): void {
  const until = performance.now() + 120
  while (performance.now() < until);
}

/** What is said of a Ticket, without what only files of others tell that nobody has read. */
function answer(store: Store, id: string) {
  const { problems: _, ...consulted } = consult.run(store, { ticket: id, holder: undefined, pool: undefined })
  const { problems: __, ...shown } = show.run(store, { ticket: id })
  const relations = shown.relations.filter(({ kind }) => kind !== 'before' && kind !== 'blocks')
  return { consulted, shown: { ...shown, relations } }
}

describe('an answer that rests on few Tickets, while a watcher hears nothing', () => {
  it('is the one that a look at all files gives, however their files were changed in place', () => {
    using repo = temporaryRepository()
    const tickets = new Map<string, Ticket>()
    const conflict = relation('conflicts_with', 'B')
    for (const id of IDS) tickets.set(id, makeTicket(id, { state: 'queued', decisions: id === 'A' ? [conflict] : [] }))
    const write = (id: string) => writeFileSync(join(repo.ticketsDir, `${id}.json`), encodeTicket(tickets.get(id)!))
    for (const id of IDS) write(id)
    waitUntilOld()
    const store = openStore({ root: repo.root })
    store.trust(deaf)
    store.reconcile()
    fc.assert(
      fc.property(fc.array(fc.tuple(change, anyId), { minLength: 1, maxLength: 6 }), steps => {
        for (const [change, asked] of steps) {
          if (change.kind === 'break') {
            // Whichever Ticket is asked about: a broken file that nobody has read would be the watcher's to hear of.
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

  it('does not look at other files: what nobody has read and names the Ticket waits for the watcher', () => {
    using repo = temporaryRepository()
    for (const id of ['A', 'B', 'C']) putTicket(repo.root, id, { state: 'queued' })
    waitUntilOld()
    const store = openStore({ root: repo.root })
    const hearing: Watcher = { ...deaf }
    store.trust(hearing)
    store.reconcile()
    expect(answer(store, 'B').consulted.reasons).toEqual([])
    putTicket(repo.root, 'A', { state: 'in_progress', decisions: [relation('conflicts_with', 'B')] })
    expect(answer(store, 'B').consulted.reasons).toEqual([])
    // A hint is enough, and so is a word that is too old.
    hearing.heardAt = performance.now()
    expect(answer(store, 'B').consulted.reasons).toMatchObject([{ code: 'conflicts_with' }])
    hearing.heardAt = Number.NEGATIVE_INFINITY
    putTicket(repo.root, 'A', { state: 'done' })
    putTicket(repo.root, 'C', { state: 'in_progress', decisions: [relation('conflicts_with', 'B')] })
    expect(answer(store, 'B').consulted.reasons).toEqual([])
    hearing.trustedMs = 0
    expect(answer(store, 'B').consulted.reasons).toMatchObject([{ code: 'conflicts_with', ticket: 'C' }])
    store.close()
  })

  it.each([
    '',
    'team',
    'team/deep',
  ])('sees what is put into folder %j, replaced or taken out of it, whatever it says', below => {
    using repo = temporaryRepository()
    for (const id of ['A', 'B']) putTicket(repo.root, id, { state: 'queued' }, below)
    waitUntilOld()
    const store = openStore({ root: repo.root })
    store.trust(deaf)
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
    // In a folder that was not there.
    mkdirSync(join(repo.ticketsDir, below, 'new'))
    writeFileSync(join(repo.ticketsDir, below, 'new', 'A.json'), encodeTicket(rival))
    expect(answer(store, 'B').consulted.reasons).toMatchObject([{ code: 'conflicts_with' }])
    store.close()
  })

  it('is not taken from another index than the one that was checked', () => {
    using repo = temporaryRepository()
    for (const id of ['A', 'B']) putTicket(repo.root, id, { state: 'queued' })
    waitUntilOld()
    const store = openStore({ root: repo.root })
    store.trust(deaf)
    store.reconcile()
    const before = answer(store, 'A')
    for (const suffix of ['', '-wal', '-shm']) rmSync(repo.indexPath + suffix, { force: true })
    expect(answer(store, 'A')).toEqual(before)
    writeFileSync(join(repo.root, 'ticketplan.json'), '{"states":{"queued":["waiting"]}}')
    expect(answer(store, 'A').consulted.ticket.phase).toBe('open')
    store.close()
  })
})
