import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Decision } from '../model/decision.ts'
import type { Ticket } from '../model/ticket.ts'
import { openPlan } from '../sdk.ts'
import { loose } from '../test-support/loose-decision.ts'
import { naiveStatuses, outcomeOf, phaseOf } from '../test-support/memory-facts.ts'
import { memoryPlans } from '../test-support/plan-arbitraries.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

/** The other side of each relation, as docs/sql.md names it. */
const OTHER_SIDE: Record<string, string> = {
  after: 'before',
  blocked_by: 'blocks',
  conflicts_with: 'conflicts_with',
  part_of: 'contains',
  related: 'related',
}

type Row = (string | null)[]

/** The rows of the views as docs/sql.md and docs/format.md say, one decision after the other. */
function expectedRows(tickets: readonly Ticket[], now: string): Record<'decisions' | 'relations' | 'blockers', Row[]> {
  const find = (id: string | null) => tickets.find(ticket => ticket.id === id)
  const statusOf = (own: Ticket, decision: Decision, target: string | null) => {
    const status = naiveStatuses(own.decisions).get(decision.id)!
    const other = find(target)
    if (status !== 'active') return status
    if (phaseOf(own.state) === 'terminal') return 'satisfied'
    const { not_before } = loose(decision)
    if (decision.kind === 'hold' && not_before !== undefined && not_before <= now) return 'satisfied'
    if (!other || phaseOf(other.state) !== 'terminal') return 'active'
    return decision.kind === 'blocked_by' && outcomeOf(other.state) === 'abandoned' ? 'active' : 'satisfied'
  }
  const all = tickets.flatMap(own =>
    own.decisions.map(decision => {
      const { id, kind, by, at, reason = null, target: named } = loose(decision)
      const target = Object.hasOwn(OTHER_SIDE, kind) ? named! : null
      return { own, id, kind, by, at, reason, target, status: statusOf(own, decision, target) }
    }),
  )
  const relations = all.filter(({ target }) => target !== null)
  const blocking = all.filter(({ kind, status }) => kind === 'blocked_by' && status === 'active')
  return {
    decisions: all.map(({ own, id, kind, target, status, by, at, reason }) => {
      return [id, own.id, kind, target, status, by, at, reason]
    }),
    relations: relations.flatMap(({ own, id, kind, target, status, by, at, reason }) => [
      [own.id, kind, target, status, id, by, at, reason],
      [target, OTHER_SIDE[kind]!, own.id, status, id, by, at, reason],
    ]),
    blockers: blocking.map(({ own, id, target }) => [own.id, target, find(target)?.state ?? null, id]),
  }
}

const COLUMNS = {
  decisions: 'id, ticket_id, kind, target_id, status, "by", "at", reason',
  relations: 'ticket_id, kind, other_id, status, decision_id, "by", "at", reason',
  blockers: 'ticket_id, blocker_id, blocker_state, decision_id',
}
const sorted = (rows: Row[]) => rows.map(row => JSON.stringify(row)).sort()

test('the promised views have the rows that follow from the files, for all Tickets and for one', () => {
  fc.assert(
    fc.property(memoryPlans, ({ tickets, quarantined }) => {
      using repo = temporaryRepository({ git: false })
      for (const ticket of tickets) putTicket(repo.root, ticket.id, ticket)
      for (const { path } of quarantined) writeFileSync(join(repo.root, path), '{')
      using plan = openPlan({ root: repo.root })
      plan.sync()
      const db = new Database(plan.db().path, { readonly: true })
      try {
        const expected = expectedRows(tickets, new Date().toISOString())
        for (const view of ['decisions', 'relations', 'blockers'] as const) {
          const select = `select ${COLUMNS[view]} from ${view}`
          const rowsOf = (condition: string, ...values: string[]) =>
            sorted(
              db
                .prepare(`${select} ${condition}`)
                .raw()
                .all(...values) as Row[],
            )
          expect(rowsOf('')).toEqual(sorted(expected[view]))
          // SQLite plans these in other ways: by the Ticket's key, and by the index of the other side.
          const at = view === 'decisions' ? 1 : 0
          for (const id of ['A', 'B', 'C', 'D', 'E', 'F'])
            expect(rowsOf('where ticket_id = ?', id)).toEqual(sorted(expected[view].filter(row => row[at] === id)))
        }
        for (const kind of new Set([...Object.keys(OTHER_SIDE), ...Object.values(OTHER_SIDE)])) {
          const select = `select ${COLUMNS.relations} from relations where kind = ? and ticket_id = 'A'`
          const rows = db.prepare(select).raw().all(kind) as Row[]
          expect(sorted(rows)).toEqual(sorted(expected.relations.filter(row => row[0] === 'A' && row[1] === kind)))
        }
      } finally {
        db.close()
      }
    }),
    { numRuns: 80 },
  )
})

test('the relations of a Ticket, and of a Ticket and a kind, are found by its key and by the index of targets', () => {
  using repo = temporaryRepository({ git: false })
  putTicket(repo.root, 'A')
  using plan = openPlan({ root: repo.root })
  plan.sync()
  const db = new Database(plan.db().path, { readonly: true })
  try {
    for (const condition of [
      "ticket_id = 'A'",
      "kind = 'blocks' and ticket_id = 'A'",
      "kind = 'after' and ticket_id = 'A'",
    ]) {
      const steps = db.prepare(`explain query plan select * from relations where ${condition}`).all() as {
        detail: string
      }[]
      const reads = steps
        .map(({ detail }) => detail)
        .filter(detail => /^(SEARCH|SCAN) (d|tickets|other)\b/.test(detail))
      expect(reads.filter(detail => detail.startsWith('SCAN'))).toEqual([])
      expect(reads.filter(detail => detail.startsWith('SEARCH d'))).toEqual([
        expect.stringMatching(/\(.*ticket_id=\?\)$/),
        expect.stringMatching(/\(target_id=\?\)$/),
      ])
    }
  } finally {
    db.close()
  }
})
