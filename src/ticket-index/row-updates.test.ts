import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import type { Ticket } from '../model/ticket.ts'
import { ticketProblem } from '../model/ticket.ts'
import { openPlan } from '../sdk.ts'
import { openStore, type Store } from '../store/store.ts'
import { decisionLists } from '../test-support/arbitraries.ts'
import { expectCurrentIndex } from '../test-support/index-oracle.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { makeNote, makeTicket, putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

const PATH = 'tickets/A.json'
const touches = (paths: string[]) => asDecision({ ...makeNote('x'), kind: 'touches', paths })

/** Versions of one Ticket, each with some of the same decisions, and how each is written. */
const versions = fc
  .tuple(
    decisionLists,
    fc.array(
      fc.record({
        mask: fc.nat(),
        title: fc.constantFrom('one', 'two'),
        state: fc.constantFrom('open', 'queued', 'in_progress', 'done'),
        slug: fc.constantFrom(undefined, 'a-slug'),
        by: fc.constantFrom('store' as const, 'other program' as const),
      }),
      { minLength: 2, maxLength: 6 },
    ),
  )
  .map(([pool, steps]) => {
    const all = [...pool, touches(['src/**', 'menu']), touches(['docs/**'])].sort((a, b) => (a.id < b.id ? -1 : 1))
    return steps.map(({ mask, by, ...fields }) => {
      const decisions = all.filter((_, at) => ((mask >>> (at % 31)) & 1) === 1)
      return { by, ticket: makeTicket('A', { ...fields, decisions }) }
    })
  })
  .filter(all => all.every(({ ticket }) => ticketProblem(ticket) === null))

function write(store: Store, root: string, ticket: Ticket, by: 'store' | 'other program'): void {
  if (by === 'other program') return writeFileSync(join(root, PATH), encodeTicket(ticket))
  store.locked(() => {
    const file = store.findFileAt(PATH)
    expect(store.overwrite(file?.readable ? file : null, PATH, ticket)).toBe(true)
    store.indexWritten([PATH])
  })
}

test('the rows of a Ticket equal a rebuild after every change of its decisions and fields', {
  timeout: 600_000,
}, () => {
  using repo = temporaryRepository()
  writeFileSync(join(repo.root, 'ticketplan.json'), '{"areas":{"menu":["app/menu/**"]}}')
  const store = openStore({ root: repo.root, actor: 'tester' })
  fc.assert(
    fc.property(versions, steps => {
      for (const { ticket, by } of steps) {
        write(store, repo.root, ticket, by)
        expectCurrentIndex(repo, store)
      }
    }),
    { numRuns: process.env.TICKETPLAN_LONG ? 1000 : 40 },
  )
  store.close()
})

test('a decision more leaves the rows of the others as they are', () => {
  using repo = temporaryRepository()
  putTicket(repo.root, 'A', { decisions: [makeNote('one'), makeNote('two')] })
  using plan = openPlan({ root: repo.root, actor: 'tester' })
  const db = new Database(plan.db().path, { readonly: true })
  const rows = () => db.prepare('select rowid, id from file_decisions').raw().all()
  plan.sync()
  const before = rows()
  plan.record({ ticket: 'A', kind: 'note', reason: 'three' })
  expect(rows().slice(0, 2)).toEqual(before)
  expect(rows()).toHaveLength(3)
  db.close()
})

test('what another program writes between a write and its rows is in the index, even with the old time and size', () => {
  using repo = temporaryRepository()
  putTicket(repo.root, 'A', { title: 'old' })
  const store = openStore({ root: repo.root, actor: 'tester' })
  store.reconcile()
  for (const title of ['six', 'longer title']) {
    for (const isTimeRestored of [true, false]) {
      store.locked(() => {
        const file = store.findFileAt(PATH)
        if (!file?.readable) throw new Error('not readable')
        expect(store.overwrite(file, PATH, { ...file.ticket, title: 'our' })).toBe(true)
        const path = join(repo.root, PATH)
        const like = (from: string, to: string) => execFileSync('touch', ['--reference', from, to]) // to the nanosecond
        like(path, join(repo.root, 'reference'))
        writeFileSync(path, readFileSync(path, 'utf8').replace('our', title))
        if (isTimeRestored) like(join(repo.root, 'reference'), path)
        store.indexWritten([PATH])
      })
      expect(store.read(({ queries }) => queries.ticket('A')?.title)).toBe(title)
      expectCurrentIndex(repo, store)
    }
  }
  store.close()
})
