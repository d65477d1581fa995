/** Imports of a source that was imported before: what changes, and what was decided here and stays. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileStatuses } from '../model/decision-status.ts'
import { checkedPlan, testClock } from '../test-support/checked-plan.ts'
import { asDecision, loose } from '../test-support/loose-decision.ts'
import { readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'
import { importTickets } from './import.ts'

const T1 = '2026-06-01T00:00:00.000Z'
const T2 = '2026-06-02T00:00:00.000Z'
const T3 = '2026-06-03T00:00:00.000Z'

type Line = Record<string, unknown>
const line = (id: string, more: Line = {}): Line => ({
  id,
  title: `Ticket ${id}`,
  status: 'open',
  created_at: T1,
  updated_at: T1,
  ...more,
})
const edge = (from: string, to: string, more: Line = {}): Line => ({
  issue_id: from,
  depends_on_id: to,
  type: 'blocks',
  created_at: T1,
  created_by: 'ann',
  ...more,
})

/** A repository, and imports of beads records into it. */
function source(config: object = { states: { queued: ['open'] } }) {
  const repository = temporaryRepository()
  writeFileSync(join(repository.root, 'ticketplan.json'), JSON.stringify(config))
  const plan = checkedPlan(repository.root, testClock('2026-06-10T00:00:00.000Z'))
  const path = join(repository.root, 'source.jsonl')
  return {
    plan,
    root: repository.root,
    import(lines: Line[], options: { name?: string; prune?: boolean; older?: boolean; dryRun?: boolean } = {}) {
      writeFileSync(path, lines.map(record => `${JSON.stringify(record)}\n`).join(''))
      return plan.import({ system: 'beads', path, ...options })
    },
    ticket: (id: string) => readTicketJson(repository.root, `tickets/${id}.json`),
    /** The active relations and holds of a Ticket's file, as "kind target". */
    active(id: string) {
      const { decisions } = readTicketJson(repository.root, `tickets/${id}.json`)
      const statuses = fileStatuses(decisions)
      return decisions
        .filter(({ id, kind }) => statuses.get(id) === 'active' && kind !== 'retraction')
        .map(decision => `${decision.kind} ${loose(decision).target ?? loose(decision).reason}`)
    },
    files: () =>
      Object.fromEntries(
        readdirSync(join(repository.root, 'tickets')).map(name => [
          name,
          readFileSync(join(repository.root, 'tickets', name), 'utf8'),
        ]),
      ),
    [Symbol.dispose]() {
      plan[Symbol.dispose]()
      repository[Symbol.dispose]()
    },
  }
}

describe('edges', () => {
  test('one edge is one decision, however the versions of an exporter write it', () => {
    using s = source()
    const forms = [
      { dependencies: [edge('B', 'A')] },
      { dependencies: [edge('B', 'A', { metadata: '', thread_id: '' })] },
      { dependencies: [{ ...edge('B', 'A'), type: 'blocked_by', created_at: '2026-06-01T02:00:00+02:00' }] },
      { dependencies: [{ depends_on_id: 'A', type: 'blocks' }] },
      { deps: [{ id: 'A', dependency_type: 'blocks' }] },
      { depends_on: ['A'] },
      { blocked_by: ['A'] },
      { blocked_by: 'A' },
      { dependencies: ['blocks:A'], blocked_by: ['A'] },
    ]
    for (const form of forms) {
      using fresh = source()
      fresh.import([line('A'), line('B', form)])
      s.import([line('A'), line('B', form)])
      expect(s.ticket('B').decisions).toHaveLength(1)
      expect(fresh.ticket('B').decisions.map(({ id }) => id)).toEqual(s.ticket('B').decisions.map(({ id }) => id))
    }
  })

  test('an edge that the record no longer states is retracted, comes back, and goes again, alike in every clone', () => {
    using one = source()
    using two = source()
    const withEdge = [line('A'), line('B', { dependencies: [edge('B', 'A')] })]
    const without = [line('A'), line('B')]
    for (const s of [one, two]) {
      s.import(withEdge)
      expect(s.import(without)).toMatchObject({ retracted: 1, written: 1 })
      expect(s.active('B')).toEqual([])
      expect(s.import(without)).toMatchObject({ retracted: 0, written: 0 })
      expect(s.import(withEdge)).toMatchObject({ retracted: 0, written: 1 })
      expect(s.active('B')).toEqual(['blocked_by A'])
      expect(s.import(without)).toMatchObject({ retracted: 1, written: 1 })
      expect(s.active('B')).toEqual([])
    }
    expect(one.files()).toEqual(two.files())
    const [stated, retraction] = one.ticket('B').decisions
    expect(Date.parse(retraction!.at) - Date.parse(stated!.at)).toBe(1)
    expect(one.plan.verify().ok).toBe(true)
  })

  test('an edge is kept where its record is absent, unusable, or does not list all of its edges', () => {
    using s = source()
    s.import([line('A'), line('B', { dependencies: [edge('B', 'A')] })])
    expect(s.import([line('A')])).toMatchObject({ retracted: 0 })
    expect(s.import([line('A'), line('B', { dependency_count: 1 })])).toMatchObject({ retracted: 0 })
    expect(s.import([line('A'), line('B', { dependencies: [{ type: 'blocks' }] })])).toMatchObject({ retracted: 0 })
    expect(s.import([line('A'), { id: 'B' }])).toMatchObject({ retracted: 0 })
    expect(s.active('B')).toEqual(['blocked_by A', 'hold what it waits for could not be read: dependencies'])
  })

  test('a retraction made by hand stays and is reported, until the source states the edge again later', () => {
    using s = source()
    const records = [line('A'), line('B', { dependencies: [edge('B', 'A')] })]
    s.import(records)
    s.plan.retract({ decision: s.ticket('B').decisions[0]!.id })
    const again = s.import(records)
    expect(again).toMatchObject({ written: 0, warnings: [expect.stringMatching(/B: blocked_by A was retracted here/)] })
    expect(s.active('B')).toEqual([])
    const later = [line('A'), line('B', { dependencies: [edge('B', 'A', { created_at: '2026-06-20T00:00:00Z' })] })]
    expect(s.import(later)).toMatchObject({ written: 1, warnings: [] })
    expect(s.active('B')).toEqual(['blocked_by A'])
  })

  test('a relation recorded by hand is enough, and is not retracted with the edge of the source', () => {
    using s = source()
    s.import([line('A'), line('B')])
    s.plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
    expect(s.import([line('A'), line('B', { dependencies: [edge('B', 'A')] })])).toMatchObject({
      decisions: 1,
      written: 0,
    })
    expect(s.import([line('A'), line('B')])).toMatchObject({ retracted: 0, written: 0 })
    expect(s.active('B')).toEqual(['blocked_by A'])
  })

  test('an edge whose retraction was retracted by hand stays, although the source does not state it', () => {
    using s = source()
    s.import([line('A'), line('B', { dependencies: [edge('B', 'A')] })])
    s.import([line('A'), line('B')])
    const retraction = s.ticket('B').decisions.find(({ kind }) => kind === 'retraction')!
    s.plan.retract({ decision: retraction.id })
    expect(s.import([line('A'), line('B')])).toMatchObject({ retracted: 0, written: 0 })
    expect(s.active('B')).toEqual(['blocked_by A'])
  })
})

describe('fields', () => {
  test('a Ticket that is done here stays done while its record does not change, and follows it where it does', () => {
    using s = source()
    s.import([line('A')])
    s.plan.set({ ticket: 'A', state: 'done' })
    expect(s.import([line('A')])).toMatchObject({ written: 0, warnings: [] })
    s.import([line('A', { title: 'New title', updated_at: T2 })])
    expect(s.ticket('A')).toMatchObject({ state: 'done', title: 'New title' })
    s.import([line('A', { title: 'Later title', updated_at: '2026-06-19T00:00:00Z' })])
    expect(s.ticket('A')).toMatchObject({ state: 'done', title: 'Later title' })
    const reopened = s.import([line('A', { status: 'in_progress', updated_at: '2026-06-20T00:00:00Z' })])
    expect(s.ticket('A')).toMatchObject({ state: 'in_progress' })
    expect(reopened.warnings).toEqual([expect.stringMatching(/Ticket A: .*"in_progress" replaced "done"/)])
  })

  test('where both sides changed the state the later one wins, and the report says so once', () => {
    using s = source()
    s.import([line('A')])
    s.plan.set({ ticket: 'A', state: 'done' })
    const records = [line('A', { status: 'in_progress', updated_at: T2 })]
    expect(s.import(records).warnings).toEqual([expect.stringMatching(/"done" replaced "in_progress"/)])
    expect(s.ticket('A')).toMatchObject({ state: 'done', source: { state: 'in_progress' } })
    expect(s.import(records)).toMatchObject({ written: 0, warnings: [] })
  })

  test('a title edited here stays until the source changes its own', () => {
    using s = source()
    s.import([line('A')])
    s.plan.set({ ticket: 'A', title: 'Ours' })
    s.import([line('A', { status: 'in_progress', updated_at: T2 })])
    expect(s.ticket('A')).toMatchObject({ title: 'Ours', state: 'in_progress' })
    const changed = s.import([line('A', { title: 'Theirs', status: 'in_progress', updated_at: T3 })])
    expect(changed.warnings).toEqual([expect.stringMatching(/title replaced "Ours"/)])
    expect(s.ticket('A')).toMatchObject({ title: 'Theirs' })
  })

  test("the place in the queue is the source's, and is kept once it is set", () => {
    using s = source()
    const records = [line('z'), line('a', { created_at: T3 }), line('m', { created_at: T2 })]
    s.import(records)
    const order = () => s.plan.queue().queue.map(({ ticket }) => ticket.id)
    expect(order()).toEqual(['z', 'm', 'a'])
    s.plan.set({ ticket: 'z', requeue: true })
    s.import(records.map(record => ({ ...record, updated_at: T3 })))
    expect(order()).toEqual(['m', 'a', 'z'])
  })

  test('a Ticket that was imported before its state counted as queued gets its place then', () => {
    using s = source({})
    s.import([line('A')])
    expect('queued_at' in s.ticket('A')).toBe(false)
    writeFileSync(join(s.root, 'ticketplan.json'), JSON.stringify({ states: { queued: ['open'] } }))
    s.import([line('A')])
    expect(s.ticket('A')).toMatchObject({ queued_at: T1 })
  })

  test('an import of the first format is followed without doubling anything', () => {
    using s = source()
    const old = { at: T1, by: 'ann', id: '01JWMB6P00ABCDEFGHJKMNPQRS', kind: 'blocked_by', target: 'A' }
    const ticket = { created_at: T1, decisions: [old], format: 1, id: 'B', source: { system: 'beads' }, state: 'open' }
    writeFileSync(join(s.root, 'tickets/B.json'), JSON.stringify({ ...ticket, state_at: T1, title: 'Ticket B' }))
    s.import([line('A'), line('B', { status: 'closed', updated_at: T2, dependencies: [edge('B', 'A')] })])
    expect(s.ticket('B')).toMatchObject({ state: 'closed', decisions: [asDecision(old)] })
  })
})

describe('snapshots and sources', () => {
  test('an older record changes nothing of a newer one, and --older only accepts that', () => {
    using s = source()
    s.import([line('A', { status: 'closed', updated_at: T3, dependencies: [edge('A', 'B')] }), line('B')])
    const before = s.files()
    const records = [line('A', { title: 'Old', updated_at: T2 }), line('B', { title: 'New', updated_at: T2 })]
    const refused = s.import(records)
    expect(refused.dropped).toEqual([{ source: 'Ticket A', message: expect.stringMatching(/later record/) }])
    expect(importTickets.exitStatus!(refused)).toBe(4)
    expect(s.files()['A.json']).toBe(before['A.json'])
    expect(s.ticket('B')).toMatchObject({ title: 'New' })
    const accepted = s.import(records, { older: true })
    expect(accepted).toMatchObject({ dropped: [], skipped: { 'older than the last import': 1 } })
    expect(importTickets.exitStatus!(accepted)).toBe(0)
    expect(s.files()['A.json']).toBe(before['A.json'])
  })

  test('an older snapshot retracts no edge and takes no Ticket for gone', () => {
    using s = source()
    s.import([
      line('A', { updated_at: T3 }),
      line('B', { dependencies: [edge('B', 'A')] }),
      line('C', { updated_at: T3 }),
      line('D'),
    ])
    const older = s.import([line('A', { updated_at: T2 }), line('B')], { prune: true, older: true })
    expect(older).toMatchObject({ retracted: 0, gone: [] })
    expect(s.active('B')).toEqual(['blocked_by A'])
    for (const id of ['C', 'D']) expect(s.ticket(id)).toMatchObject({ state: 'open' })
  })

  test('a Ticket whose record is gone is named, cancelled with --prune, and follows the record if it comes back', () => {
    using s = source()
    const all = [line('A'), line('B'), line('C', { status: 'closed' })]
    s.import(all)
    const rest = [line('A', { updated_at: T2 })]
    expect(s.import(rest)).toMatchObject({ gone: ['B'] })
    expect(s.ticket('B')).toMatchObject({ state: 'open' })
    expect(s.import(rest, { prune: true, dryRun: true })).toMatchObject({ gone: ['B'], written: 1 })
    expect(s.import(rest, { prune: true })).toMatchObject({ gone: ['B'], written: 1 })
    expect(s.ticket('B')).toMatchObject({ state: 'cancelled' })
    expect(s.ticket('C')).toMatchObject({ state: 'closed' })
    expect(s.import(rest, { prune: true })).toMatchObject({ gone: [], written: 0 })
    s.import([line('A', { updated_at: T2 }), line('B', { updated_at: '2026-06-20T00:00:00Z' })])
    expect(s.ticket('B')).toMatchObject({ state: 'open' })
  })

  test('a second source changes nothing of the first', () => {
    using s = source()
    s.import([line('A'), line('B', { dependencies: [edge('B', 'A')] })], { name: 'shop' })
    const before = s.files()
    const other = s.import([line('B', { title: 'Other', updated_at: T3 }), line('X')], { name: 'till', prune: true })
    expect(other).toMatchObject({ gone: [], retracted: 0, dropped: [{ source: 'Ticket B' }], written: 1 })
    expect(s.ticket('X')).toMatchObject({ source: { name: 'till', system: 'beads', id: 'X', state: 'open' } })
    const { 'X.json': _, ...first } = s.files()
    expect(first).toEqual(before)
  })

  test('a source without a name that shares no Ticket with the last one takes none for gone', () => {
    using s = source()
    s.import([line('A')])
    expect(s.import([line('X', { updated_at: T3 })], { prune: true })).toMatchObject({
      gone: [],
      warnings: [expect.stringMatching(/another source\? Give each a name \(--name\)/)],
    })
    expect(s.ticket('A')).toMatchObject({ state: 'open' })
  })

  test('of several records with one id the newest counts, whatever the order of lines', () => {
    const records = [
      line('A', { title: 'Old' }),
      line('A', { title: 'New', status: 'closed', updated_at: T2 }),
      line('B'),
      line('B'),
    ]
    using one = source()
    using two = source()
    expect(one.import(records)).toMatchObject({
      tickets: 2,
      dropped: [],
      skipped: { 'older record of the same id': 1 },
    })
    two.import(records.toReversed())
    expect(one.ticket('A')).toMatchObject({ title: 'New', state: 'closed' })
    expect(two.files()).toEqual(one.files())
    const same = [line('A', { title: 'One' }), line('A', { title: 'Two' })]
    using three = source()
    using four = source()
    expect(three.import(same).dropped).toEqual([
      { source: 'line 1', message: expect.stringMatching(/same update time/) },
    ])
    four.import(same.toReversed())
    expect(three.files()).toEqual(four.files())
  })
})
