/** The sources of the configuration: imported together, watched over by sync and doctor, and cheap where nothing changed. */
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { render } from '../cli/render.ts'
import { openPlan } from '../sdk.ts'
import { readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'

const bead = (id: string, more: object = {}) =>
  JSON.stringify({
    id,
    title: id,
    status: 'open',
    created_at: '2026-06-01T00:00:00Z',
    updated_at: '2026-06-01T00:00:00Z',
    ...more,
  })
const task = (id: string, status: string) =>
  `---\nid: ${id}\ntitle: ${id}\nstatus: ${status}\ncreated_date: '2026-06-01'\n---\n`

function withSources(sources: unknown) {
  const repository = temporaryRepository()
  const at = (path: string) => join(repository.root, path)
  mkdirSync(at('backlog/tasks'), { recursive: true })
  const write = (path: string, text: string) => {
    writeFileSync(at(path), text)
    // Written long ago, so that its stat data say when it changes.
    utimesSync(at(path), new Date('2026-06-01'), new Date('2026-06-01'))
  }
  write('issues.jsonl', `${bead('bd-1')}\n${bead('bd-2')}\n`)
  write('backlog/tasks/back-1 - One.md', task('BACK-1', 'To Do'))
  write('ticketplan.json', JSON.stringify({ sources }))
  const notes: string[] = []
  const plan = openPlan({ root: repository.root, actor: 'test', onNotice: note => notes.push(note) })
  return {
    plan,
    notes,
    write,
    root: repository.root,
    [Symbol.dispose]() {
      plan[Symbol.dispose]()
      repository[Symbol.dispose]()
    },
  }
}

const BOTH = [
  { system: 'beads', path: 'issues.jsonl' },
  { system: 'backlog', path: 'backlog', queued: ['To Do'] },
]

test('import without arguments imports every source of the configuration', () => {
  using here = withSources(BOTH)
  const report = here.plan.import({})
  expect(report).toMatchObject({ tickets: 3, created: 3, dropped: [] })
  expect(report.sources).toMatchObject([
    { system: 'beads', path: 'issues.jsonl', tickets: 2 },
    { system: 'backlog', path: 'backlog', tickets: 1 },
  ])
  expect(readTicketJson(here.root, 'tickets/BACK-1.json').state).toBe('queued')
  expect(here.plan.import({})).toMatchObject({ tickets: 3, written: 0 })
})

test('a source that cannot be read is reported, and the others are imported', () => {
  using here = withSources([{ system: 'beads', path: 'none.jsonl' }, BOTH[1]])
  const report = here.plan.import({})
  expect(report).toMatchObject({ tickets: 1, written: 1, dropped: [{ source: expect.stringContaining('beads') }] })
})

test.each([
  'beads',
  'task-master',
  'linear',
  'json',
  'yoi',
  'backlog',
])('the report of a %s source that cannot be read names its path once', system => {
  using here = withSources([{ system, path: 'nothing-here' }])
  const [lost] = here.plan.import({}).dropped
  expect(`${lost!.source}: ${lost!.message}`.split('nothing-here')).toHaveLength(2)
  expect(lost!.source).toContain(system)
})

test.each([
  [[{ system: 'trello', path: 'x' }], /sources\[0\]: .*system/],
  [[BOTH[0], { system: 'beads', path: 'x', queued: ['a'] }], /sources\[1\]: .*beads does not read it/],
  [[{ system: 'beads', path: '-' }], /sources\[0\]: a path is needed/],
  [[{ system: 'beads', path: 'x', dryRun: true }], /sources\[0\]: unknown field "dryRun"/],
  [[{ path: 'x' }], /sources\.0\.system: is missing/],
  [
    [{ system: 'beads', path: 'a' }, BOTH[0], { system: 'beads', path: 'b' }],
    /sources\[0\] and sources\[\d\] are both beads and have no name/,
  ],
  [
    [
      { system: 'beads', path: 'a', name: 'n' },
      { system: 'beads', path: 'b', name: 'n' },
    ],
    /are both beads and have the name "n"/,
  ],
])('refuses the sources %j', (sources, message) => {
  using here = withSources(BOTH)
  here.write('ticketplan.json', JSON.stringify({ sources }))
  expect(() => here.plan.import({})).toThrow(message)
})

test.each([
  [{ system: 'beads' as const }, /path is required/],
  [{ name: 'shop' }, /name needs a system and a path/],
])('refuses the input %j', (input, message) => {
  using here = withSources(BOTH)
  expect(() => here.plan.import(input)).toThrow(message)
})

test('sync and doctor say that a source has changed, until it is imported', () => {
  using here = withSources(BOTH)
  const said = () => {
    here.notes.length = 0
    here.plan.sync()
    const check = here.plan.doctor().checks.find(({ name }) => name === 'sources')!
    expect(check.ok).toBe(here.notes.length === 0)
    return here.notes
  }
  expect(said()).toMatchObject(
    [/beads issues.jsonl has changed .*2 Ticket files/, /backlog backlog/].map(text => expect.stringMatching(text)),
  )
  here.plan.import({})
  expect(said()).toEqual([])
  here.write(
    'issues.jsonl',
    `${bead('bd-1', { status: 'closed', updated_at: '2026-06-02T00:00:00Z' })}\n${bead('bd-2')}\n`,
  )
  expect(said()).toEqual([
    expect.stringMatching(/beads issues.jsonl has changed .*1 Ticket file to write.*ticketplan import/),
  ])
  expect(readTicketJson(here.root, 'tickets/bd-1.json').state).toBe('open')
  expect(said()).toHaveLength(1)
  here.plan.import({})
  expect(said()).toEqual([])
})

test('in a clone that has no memory of an import, nothing is said where the Tickets are those of the source', () => {
  using here = withSources(BOTH)
  here.plan.import({})
  rmSync(join(here.root, '.git/ticketplan/imports.json'))
  here.notes.length = 0
  here.plan.sync()
  expect(here.notes).toEqual([])
})

test('a change of any part is seen by an import that remembers the last one', () => {
  using here = withSources(BOTH)
  const run = (more: object = {}) =>
    here.plan.import({ system: 'beads', path: join(here.root, 'issues.jsonl'), ...more })
  const first = run()
  const memory = () => JSON.parse(readFileSync(join(here.root, '.git/ticketplan/imports.json'), 'utf8'))
  expect(Object.keys(memory())).toHaveLength(1)
  expect(run()).toEqual({ ...first, written: 0, created: 0, changed: 0 })
  // A Ticket file that was deleted by hand comes back.
  rmSync(join(here.root, 'tickets/bd-2.json'))
  expect(run()).toMatchObject({ written: 1, created: 1 })
  // An edge that was recorded here is not the source's, and stays.
  here.plan.record({ ticket: 'bd-1', kind: 'blocked_by', other: 'bd-2' })
  expect(run()).toMatchObject({ written: 0 })
  here.write('issues.jsonl', `${bead('bd-1')}\n`)
  expect(run()).toMatchObject({ gone: ['bd-2'] })
  expect(run()).toMatchObject({ gone: ['bd-2'], written: 0 })
  expect(run({ prune: true })).toMatchObject({ written: 1, gone: ['bd-2'], cancelled: ['bd-2'] })
  expect(run({ prune: true })).toMatchObject({ written: 0, gone: [] })
})

test('show has what the source says of priority and labels', () => {
  using here = withSources(BOTH)
  here.write('issues.jsonl', `${bead('bd-1', { priority: 1, labels: ['api'] })}\n`)
  here.plan.import({})
  expect(here.plan.show('bd-1').ticket.source).toMatchObject({ system: 'beads', priority: 1, labels: ['api'] })
  here.plan.add({ id: 'own', title: 'Own' })
  expect(here.plan.show('own').ticket.source).toBeNull()
})

test('warns of words for queued that no record has', () => {
  using here = withSources([{ system: 'backlog', path: 'backlog', queued: ['To Doo'] }])
  expect(here.plan.import({}).warnings).toEqual([
    expect.stringMatching(/no open record has the label or state "To Doo", so none is queued/),
  ])
  expect(here.plan.queue().queue).toEqual([])
  here.write(
    'ticketplan.json',
    JSON.stringify({ sources: [{ system: 'backlog', path: 'backlog', queued: ['To Doo', 'To Do'] }] }),
  )
  expect(here.plan.import({}).warnings).toEqual([])
  expect(here.plan.queue().queue).toHaveLength(1)
})

test('says how open Tickets are queued, where none is', () => {
  using here = withSources([{ system: 'backlog', path: 'backlog' }])
  expect(here.plan.import({}).hints).toEqual([
    '1 open Ticket, none of them queued; name the labels or states that count as queued (--queued)',
  ])
  here.write(
    'ticketplan.json',
    JSON.stringify({ sources: [{ system: 'backlog', path: 'backlog', queued: ['To Do'] }] }),
  )
  expect(here.plan.import({}).hints).toEqual([])
})

test('a Ticket that a source of the configuration cancels is called cancelled, not only gone', () => {
  using here = withSources([{ ...BOTH[0], prune: true }])
  here.plan.import({})
  here.write('issues.jsonl', `${bead('bd-1')}\n`)
  const report = here.plan.import({})
  expect(report).toMatchObject({ gone: ['bd-2'], cancelled: ['bd-2'] })
  const text = render('import', report, {}, { isTerminal: false, hasColours: false, width: undefined })
  expect(text).toContain('gone from the source, cancelled: bd-2')
  expect(text).not.toContain('gone from the source: ')
})
