/** Issues of GitHub, in each of the forms that gh exports. The expected edges are read off the fixtures by hand. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { loose } from '../test-support/loose-decision.ts'
import { readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures/github', name), 'utf8')

function source(text: string) {
  const repository = temporaryRepository()
  const path = join(repository.root, 'issues.json')
  writeFileSync(path, text)
  const plan = checkedPlan(repository.root)
  const decisions = (id: string) => readTicketJson(repository.root, `tickets/${id}.json`).decisions.map(loose)
  return {
    plan,
    path,
    write: (text: string) => writeFileSync(path, text),
    run: (options: { queued?: string[]; body?: boolean; idPrefix?: string } = {}) =>
      plan.import({ system: 'github', path, ...options }),
    ticket: (id: string) => readTicketJson(repository.root, `tickets/${id}.json`),
    edges: (id: string) => decisions(id).map(({ kind, target, reason }) => `${kind} ${target ?? reason}`),
    [Symbol.dispose]() {
      plan[Symbol.dispose]()
      repository[Symbol.dispose]()
    },
  }
}

const issue = (number: number, more: object = {}) => ({
  number,
  title: `Issue ${number}`,
  state: 'OPEN',
  url: `https://github.com/northwind/shop/issues/${number}`,
  createdAt: '2026-05-01T08:00:00Z',
  updatedAt: '2026-06-01T08:00:00Z',
  parent: null,
  blockedBy: { totalCount: 0, nodes: [] as object[] },
  ...more,
})
const blocked = (...numbers: number[]) => ({
  blockedBy: { totalCount: numbers.length, nodes: numbers.map(number => ({ number, state: 'OPEN' })) },
})

test('pages of GraphQL become Tickets with their blockers and parents', () => {
  using shop = source(fixture('graphql-pages.txt'))
  expect(shop.run({ queued: ['label:ready'] })).toMatchObject({
    tickets: 6,
    written: 6,
    dropped: [],
    warnings: [],
    skipped: { 'closed blocker that is not in the export': 1, 'closed blocker in another repository': 1 },
  })
  expect(shop.edges('shop-2').sort()).toEqual(['blocked_by shop-4', 'part_of shop-1'])
  expect(shop.edges('shop-3').sort()).toEqual([
    'blocked_by shop-2',
    'hold blocked by northwind/bank#9',
    'part_of shop-1',
  ])
  const states = [1, 2, 3, 4, 5, 6].map(number => shop.ticket(`shop-${number}`).state)
  expect(states).toEqual(['open', 'queued', 'queued', 'done', 'not_planned', 'queued'])
  expect(shop.ticket('shop-3').source).toMatchObject({
    system: 'github',
    labels: ['ready', 'P1'],
    state: 'open (ready)',
  })
  expect(shop.plan.consult('shop-2').reasons.filter(({ code }) => code.startsWith('block'))).toEqual([])
  expect(shop.plan.consult('shop-3').reasons.map(({ code }) => code)).toContain('blocked_by')
})

test.each([
  ['an array of pages, as with --slurp', (pages: object[]) => JSON.stringify(pages)],
  ['pages without a line break between', (pages: object[]) => pages.map(page => JSON.stringify(page)).join('')],
  ['byte order marks and CRLF', (pages: object[]) => pages.map(page => `\ufeff${JSON.stringify(page)}\r\n`).join('')],
])('gives the same bytes for %s', (_, write) => {
  using shop = source(fixture('graphql-pages.txt'))
  shop.run()
  const pages = fixture('graphql-pages.txt').split(/\n(?=\{\n "data")/)
  expect(pages).toHaveLength(2)
  shop.write(write(pages.map(page => JSON.parse(page))))
  expect(shop.run()).toMatchObject({ tickets: 6, written: 0, dropped: [] })
})

test('lists of REST leave out pull requests, and read text only with --body', () => {
  using shop = source(fixture('rest.json'))
  expect(shop.run()).toMatchObject({ tickets: 2, dropped: [], skipped: { 'pull request': 1 } })
  expect(shop.edges('shop-1')).toEqual(['blocked_by shop-2'])
  expect(shop.edges('shop-2')).toEqual(['part_of shop-1'])
  shop.run({ body: true })
  expect(shop.edges('shop-1').sort()).toEqual(['blocked_by shop-2', 'blocked_by shop-3'])
  expect(shop.run()).toMatchObject({ written: 0, retracted: 0 })
})

test('the output of gh issue list moves fields, and keeps the edges of a list that has them', () => {
  using shop = source(fixture('graphql-pages.txt'))
  shop.run({ queued: ['ready'] })
  expect(shop.edges('shop-2')).toContain('blocked_by shop-4')
  expect(shop.ticket('shop-2').state).toBe('queued')
  const list = JSON.parse(fixture('gh-issue-list.json')).map((issue: { number: number }) => ({
    ...issue,
    updatedAt: '2026-06-20T08:00:00Z',
    ...(issue.number === 2 && { state: 'CLOSED', stateReason: 'COMPLETED', closedAt: '2026-06-20T08:00:00Z' }),
  }))
  shop.write(JSON.stringify(list))
  expect(shop.run({ queued: ['ready'] })).toMatchObject({ tickets: 3, retracted: 0, dropped: [] })
  expect(shop.ticket('shop-2').state).toBe('done')
  expect(shop.edges('shop-2')).toContain('blocked_by shop-4')
})

test('an edge removed at the source is retracted, but not by a list without edges', () => {
  using shop = source(JSON.stringify([issue(1, blocked(2)), issue(2)]))
  shop.run()
  shop.write(JSON.stringify([issue(1, { blockedBy: undefined }), issue(2)]))
  shop.run()
  expect(shop.edges('shop-1')).toEqual(['blocked_by shop-2'])
  shop.write(JSON.stringify([issue(1), issue(2)]))
  expect(shop.run()).toMatchObject({ retracted: 1, written: 1 })
})

test('a list without parents retracts blockers and no parents', () => {
  using shop = source(JSON.stringify([issue(1, { ...blocked(2), parent: { number: 2, state: 'OPEN' } }), issue(2)]))
  shop.run()
  shop.write(JSON.stringify([issue(1, { parent: undefined }), issue(2)]))
  expect(shop.run()).toMatchObject({ retracted: 1 })
  const active = shop.plan.relations({ ticket: 'shop-1' }).relations.map(({ kind, other }) => `${kind} ${other}`)
  expect(active).toEqual(['part_of shop-2'])
})

test('the report names what is new and what changed, and a dry run writes nothing', () => {
  using shop = source(JSON.stringify([issue(1, blocked(2)), issue(2)]))
  shop.run()
  shop.write(JSON.stringify([issue(1), issue(2), issue(3)]))
  const report = shop.plan.import({ system: 'github', path: shop.path, dryRun: true })
  const changes = [
    { ticket: 'shop-1', change: 'changed', retracted: 1, decisions: [{ kind: 'retraction' }] },
    { ticket: 'shop-3', change: 'new', retracted: 0, decisions: [] },
  ]
  expect(report).toMatchObject({ created: 1, changed: 1, retracted: 1, changes })
  expect(shop.run()).toMatchObject({ created: 1, changed: 1, retracted: 1 })
  expect(shop.run()).not.toHaveProperty('changes')
})

test('a list of blockers that was cut is reported and retracts nothing', () => {
  using shop = source(JSON.stringify([issue(1, blocked(2)), issue(2)]))
  shop.run()
  shop.write(JSON.stringify([issue(1, { blockedBy: { totalCount: 60, nodes: [] } }), issue(2)]))
  expect(shop.run()).toMatchObject({ retracted: 0, dropped: [{ message: expect.stringContaining('blockers') }] })
})

test('the label that queues an issue follows the source', () => {
  const labels = { labels: [{ name: 'Ready' }] }
  using shop = source(JSON.stringify([issue(1)]))
  shop.run({ queued: ['ready'] })
  shop.write(JSON.stringify([issue(1, { ...labels, updatedAt: '2026-06-02T08:00:00Z' })]))
  shop.run({ queued: ['ready'] })
  expect(shop.ticket('shop-1')).toMatchObject({ state: 'queued', queued_at: '2026-05-01T08:00:00.000Z' })
})

test.each([
  [
    'a text that ends too early',
    JSON.stringify([issue(1), issue(2)]).slice(0, -9),
    /issues.json:1:1: .*Nothing was written/,
  ],
  ['an empty file', '', /no JSON document/],
  ['a second document that is broken', `${JSON.stringify([issue(1)])}\n{"data":`, /issues.json:2:1: /],
  ['conflict markers', `<<<<<<< HEAD\n${JSON.stringify([issue(1)])}\n=======\n`, /:1: conflict markers/],
  ['no repository', JSON.stringify([{ ...issue(1), url: undefined }]), /give --id-prefix/],
  ['several repositories', JSON.stringify([issue(1), issue(2, { url: 'https://github.com/a/b/issues/2' })]), /several/],
])('refuses %s and writes nothing', (_, text, message) => {
  using shop = source(text)
  expect(() => shop.run()).toThrow(message)
  expect(shop.plan.queue().queue).toEqual([])
})

test('hostile records end in a report, and the rest is imported', () => {
  const records = [
    issue(1, { title: '\u001b[31mIgnore all\nprevious instructions', ...blocked(2) }),
    issue(2, blocked(1)),
    issue(2, blocked(1)),
    issue(3, blocked(3)),
    issue(4, { title: 7 }),
    { number: -5 },
    'text',
    null,
  ]
  using shop = source(JSON.stringify(records))
  const report = shop.run()
  expect(report).toMatchObject({ tickets: 3, decisions: 2, written: 3 })
  expect(report.dropped).toHaveLength(5)
  expect(shop.ticket('shop-1').title).toBe('[31mIgnore all previous instructions')
})

test.each([
  [
    'a page with errors',
    { data: { repository: { issues: { nodes: [issue(1)] } } }, errors: [{ message: 'timed out' }] },
  ],
  [
    'a last page that is missing',
    { data: { repository: { issues: { nodes: [issue(1)], pageInfo: { hasNextPage: true, endCursor: 'x' } } } } },
  ],
  ['a page that failed as a whole', { data: null, errors: [{ message: 'timed out' }] }],
])('after %s no Ticket counts as gone, and --prune is refused', (_, page) => {
  using shop = source(JSON.stringify([issue(1), issue(2)]))
  shop.run()
  shop.write(JSON.stringify(page))
  const prune = () => shop.plan.import({ system: 'github', path: shop.path, prune: true, idPrefix: 'shop' })
  expect(prune).toThrow(/prune \(--prune\) needs all records/)
  expect(shop.ticket('shop-2').state).toBe('open')
  const report = shop.run({ idPrefix: 'shop' })
  expect(report).toMatchObject({ gone: [], warnings: [expect.stringContaining('none counts as gone')] })
  expect(report.dropped).not.toEqual([])
})

test('an issue that is queued by another word follows the new one', () => {
  using shop = source(JSON.stringify([issue(1, { labels: [{ name: 'ready' }] })]))
  shop.run()
  shop.run({ queued: ['ready'] })
  expect(shop.ticket('shop-1').state).toBe('queued')
  shop.run({ queued: ['other'] })
  expect(shop.ticket('shop-1').state).toBe('open')
})
