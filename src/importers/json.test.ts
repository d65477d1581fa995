/** Any JSON by a map of its fields, and the round trip of an export. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { loose } from '../test-support/loose-decision.ts'
import { readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'

const MAP = ['id=key', 'title=fields.summary', 'state=status', 'updated_at=at', 'blocked_by=deps[].id']

function source(content: unknown) {
  const repository = temporaryRepository()
  const path = join(repository.root, 'items')
  const write = (content: unknown) =>
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  write(content)
  const plan = checkedPlan(repository.root)
  return {
    plan,
    write,
    run: (options: { map?: string[]; queued?: string[] } = {}) => plan.import({ system: 'json', path, ...options }),
    ticket: (id: string) => readTicketJson(repository.root, `tickets/${id}.json`),
    edges: (id: string) =>
      readTicketJson(repository.root, `tickets/${id}.json`)
        .decisions.map(loose)
        .map(({ kind, target }) => `${kind} ${target}`),
    [Symbol.dispose]() {
      plan[Symbol.dispose]()
      repository[Symbol.dispose]()
    },
  }
}

const item = (key: string | number, deps: object[] = [], more: object = {}) => ({
  key,
  fields: { summary: `Item ${key}` },
  status: 'todo',
  at: '2026-06-01T08:00:00Z',
  deps,
  ...more,
})

test('a map says which fields are which', () => {
  using items = source([item('A', [{ id: 'B' }, { id: 7 }]), item('B'), item(7)])
  expect(items.run({ map: MAP, queued: ['To Do'] })).toMatchObject({
    tickets: 3,
    decisions: 2,
    dropped: [],
    warnings: [],
  })
  expect(items.edges('A').sort()).toEqual(['blocked_by 7', 'blocked_by B'])
  expect(items.ticket('A')).toMatchObject({
    title: 'Item A',
    state: 'queued',
    source: { system: 'json', state: 'todo' },
  })
  expect(items.run({ map: MAP, queued: ['To Do'] })).toMatchObject({ written: 0 })
})

test.each([
  ['records below a field', { data: { items: [item('A'), item('B')] } }, ['records=data.items']],
  ['one record a line', `\ufeff${JSON.stringify(item('A'))}\r\n\r\n${JSON.stringify(item('B'))}\r\n`, []],
])('finds %s', (_, content, more) => {
  using items = source(content)
  expect(items.run({ map: [...MAP, ...more] })).toMatchObject({ tickets: 2, dropped: [] })
})

test('an edge that is gone is retracted only where the record has its field', () => {
  using items = source([item('A', [{ id: 'B' }]), item('B')])
  items.run({ map: MAP })
  items.write([item('A', [], { deps: undefined }), item('B')])
  expect(items.run({ map: MAP })).toMatchObject({ retracted: 0 })
  items.write([item('A'), item('B')])
  expect(items.run({ map: MAP })).toMatchObject({ retracted: 1 })
})

test.each([
  [['title=t'], /it needs id/],
  [['id=a', 'title=b', 'parent=c'], /"parent" is no field of a Ticket; one of records, id/],
  [['id=a', 'title='], /write field=path/],
  [['id=a', 'id=b', 'title=c'], /id is mapped twice/],
  [['id'], /write field=path/],
])('refuses the map %j', (map, message) => {
  using items = source([item('A')])
  expect(() => items.run({ map })).toThrow(message)
})

test.each([
  ['an array without a map', [item('A')], undefined, /--map/],
  ['a list that is not there', { items: [] }, [...MAP, 'records=issues'], /no list at "issues"/],
  ['half a document', JSON.stringify([item('A'), item('B')]).slice(0, -4), MAP, /items:1:1: /],
])('refuses %s and writes nothing', (_, content, map, message) => {
  using items = source(content)
  expect(() => items.run(map ? { map } : {})).toThrow(message)
  expect(items.plan.queue().queue).toEqual([])
})

test('what looks like blockers and is not in the map is reported', () => {
  using items = source([item('A', [], { depends_on: ['B'] })])
  expect(items.run({ map: MAP }).dropped).toMatchObject([{ message: expect.stringContaining('depends_on left out') }])
})

test('ten thousand hostile records end in a report', () => {
  const records = Array.from({ length: 10_000 }, (_, n) =>
    n % 100 === 0 ? item(`../x${n}`) : item(`T${n}`, n % 7 === 0 ? [{ id: `T${(n + 1) % 10_000}` }] : []),
  )
  using items = source([...records, records[1], item('T2', [], { fields: { summary: '\u001b[2J' } }), null, 7])
  const report = items.run({ map: MAP })
  expect(report.tickets).toBe(9900)
  expect(report.dropped.filter(({ message }) => message.includes('cannot be a Ticket'))).toHaveLength(100)
  expect(items.run({ map: MAP }).written).toBe(0)
}, 120_000)

test('an export round-trips with its decisions and their ids', () => {
  using from = source([])
  from.plan.add({ id: 'A', title: 'First', slug: 'first', state: 'queued', queuedBy: 'panel' })
  from.plan.add({ id: 'B', title: 'Second' })
  from.plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B', reason: 'schema first' })
  const { decision } = from.plan.record({ ticket: 'A', kind: 'hold', reason: 'wait' })
  from.plan.retract({ decision: decision.id })
  from.plan.record({ ticket: 'B', kind: 'note', reason: 'text' })
  const { text } = from.plan.export({ format: 'json', all: true })
  using to = source(text)
  expect(to.run()).toMatchObject({ tickets: 2, decisions: 4, dropped: [], warnings: [] })
  for (const id of ['A', 'B']) {
    const { source: _, ...ticket } = to.ticket(id)
    expect(ticket).toEqual(from.ticket(id))
  }
  expect(to.run()).toMatchObject({ written: 0, warnings: [] })
})

test('a decision of a kind of a later version may have anything in the fields that others use for Tickets', () => {
  const later = { id: '01JX8Z3V7Q4T9K2M5N6P7R8S00', kind: 'later', by: 'b', at: '2026-06-01T08:00:00.000Z' }
  const decisions = [{ ...later, until: false, target: 7 }]
  using items = source({ tickets: [{ id: 'A', title: 'A', state: 'open', decisions }], relations: [] })
  expect(items.run()).toMatchObject({ tickets: 1, decisions: 1, dropped: [] })
})

test('a record without the field of what it blocks retracts nothing of others', () => {
  const map = ['id=key', 'title=fields.summary', 'state=status', 'blocks=holds[]']
  using items = source([item('A', [], { holds: ['B'] }), item('B', [], { holds: [] })])
  items.run({ map })
  items.write([item('A'), item('B', [], { holds: [] })])
  expect(items.run({ map })).toMatchObject({ retracted: 0 })
  items.write([item('A', [], { holds: [] }), item('B', [], { holds: [] })])
  expect(items.run({ map })).toMatchObject({ retracted: 1 })
})
