/** How the text of a source is read, and what of it becomes a Ticket. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { pause } from '../files/pause.ts'
import type { Ticket } from '../model/ticket.ts'
import { openStore, type Store } from '../store/store.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { loose } from '../test-support/loose-decision.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'
import { importTickets } from './import.ts'

const AT = '2026-06-01T00:00:00Z'
const record = (id: string, more: object = {}) =>
  JSON.stringify({ id, title: `Ticket ${id}`, status: 'open', created_at: AT, updated_at: AT, ...more })

/** Imports a text as a beads file, or files as a yoi folder. */
function imported(text: string | Buffer | Record<string, string>, options: { all?: boolean; dryRun?: boolean } = {}) {
  const repository = temporaryRepository()
  const path = join(repository.root, 'source')
  const files = typeof text === 'string' || Buffer.isBuffer(text) ? { '': text } : text
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  const plan = checkedPlan(repository.root)
  const system = '' in files ? 'beads' : 'yoi'
  return {
    root: repository.root,
    plan,
    run: () => plan.import({ system, path, ...options }),
    ticket: (id: string) => readTicketJson(repository.root, `tickets/${id}.json`),
    decisions: (id: string) => readTicketJson(repository.root, `tickets/${id}.json`).decisions.map(loose),
    [Symbol.dispose]() {
      plan[Symbol.dispose]()
      repository[Symbol.dispose]()
    },
  }
}

describe('text', () => {
  test.each([
    ['a byte order mark', `\ufeff${record('A')}\n${record('B')}\n`],
    ['CRLF', `${record('A')}\r\n${record('B')}\r\n`],
    ['blank lines', `\n\n${record('A')}\n   \n\r\n${record('B')}`],
    ['two files with byte order marks in one', `\ufeff${record('A')}\n\ufeff${record('B')}\n`],
  ])('beads: %s', (_, text) => {
    using source = imported(text)
    expect(source.run()).toMatchObject({ tickets: 2, dropped: [], warnings: [] })
  })

  test('yoi: a byte order mark and CRLF in every file', () => {
    const crlf = (text: string) => `\ufeff${text.replaceAll('\n', '\r\n')}`
    using source = imported({
      'A/item.md': crlf(`---\ntitle: One\nstate: planning\ncreated_at: ${AT}\n---\nBody\n`),
      'A/artifacts/orchestration-plan.jsonl': crlf(`{"kind":"after","related_ticket":"B","at":"${AT}"}\n\n`),
      'A/artifacts/relations.json': crlf(`{"relations":[{"kind":"depends_on","target":"B","at":"${AT}"}]}\n`),
      'B/item.md': crlf('---\ntitle: Two\nstate: planning\n---\n'),
    })
    expect(source.run()).toMatchObject({ tickets: 2, decisions: 2, dropped: [] })
  })

  test.each([
    ['beads', `${record('A')}\n<<<<<<< HEAD\n${record('B')}\n=======\n>>>>>>> other\n`, /source:2: conflict markers/],
    [
      'yoi front matter',
      { 'A/item.md': '---\n<<<<<<< HEAD\ntitle: x\n=======\ntitle: y\n>>>>>>> b\nstate: s\n---\n' },
      /item.md:2: /,
    ],
    ['yoi from the first line', { 'A/item.md': '<<<<<<< HEAD\n---\ntitle: x\nstate: s\n---\n' }, /item.md:1: /],
    [
      'yoi plan',
      { 'A/item.md': '---\ntitle: x\nstate: s\n---\n', 'A/artifacts/orchestration-plan.jsonl': '{}\n>>>>>>> b\n' },
      /orchestration-plan.jsonl:2: /,
    ],
    [
      'yoi relations',
      { 'A/item.md': '---\ntitle: x\nstate: s\n---\n', 'A/artifacts/relations.json': '{\n||||||| base\n}\n' },
      /relations.json:2: /,
    ],
  ])('conflict markers are refused with the line: %s', (_, text, message) => {
    using source = imported(text)
    expect(source.run).toThrow(message)
    expect(() => source.ticket('A')).toThrow()
  })

  test("markers in a Ticket's body are text", () => {
    using source = imported({ 'A/item.md': '---\ntitle: x\nstate: s\n---\nHeading\n=======\n<<<<<<< HEAD\n' })
    expect(source.run()).toMatchObject({ tickets: 1, dropped: [] })
  })

  test('a title becomes one line without control characters, an empty one becomes the id, and each is reported', () => {
    using source = imported(
      [
        record('A', { title: 'two \r\n lines\u2028and more\ttab' }),
        record('B', { title: 'nul \u0000\u001b[31mred' }),
        record('C', { title: ' \n ' }),
        record('D', { title: '  plain  ' }),
      ].join('\n'),
    )
    const { warnings, dropped } = source.run()
    expect(['A', 'B', 'C', 'D'].map(id => source.ticket(id).title)).toEqual([
      'two lines and more tab',
      'nul [31mred',
      'C',
      'plain',
    ])
    expect(dropped).toEqual([])
    expect(warnings.map(text => text.slice(0, 9))).toEqual(['Ticket A:', 'Ticket B:', 'Ticket C:'])
  })
})

describe('beads records', () => {
  test.each([
    ["Go's zero time", '0001-01-01T00:00:00Z'],
    ['a time before 1970', '1969-12-31T23:59:59Z'],
    ['a time without a zone', '2026-01-12T08:00:00.5'],
    ['no text', 5],
    ['a day that does not exist', '2026-02-30T00:00:00Z'],
    ['nothing', null],
  ])('an unusable time of an edge becomes that of the Ticket: %s', (_, created_at) => {
    const edges = [{ issue_id: 'B', depends_on_id: 'A', type: 'blocks', created_at }]
    using source = imported(`${record('A')}\n${record('B', { dependencies: edges })}\n`)
    expect(source.run()).toMatchObject({ decisions: 1, dropped: [] })
    expect(source.decisions('B')).toMatchObject([{ at: '2026-06-01T00:00:00.000Z', target: 'A' }])
  })

  test('an edge is imported where no time is known at all', () => {
    using source = imported(
      '{"id":"A","title":"A","status":"open"}\n{"id":"B","title":"B","status":"open","deps":["A"]}\n',
    )
    source.run()
    expect(source.decisions('B')).toMatchObject([{ at: '1970-01-01T00:00:00.000Z', kind: 'blocked_by', target: 'A' }])
  })

  test.each([
    'blockers',
    'blocks',
    'depends',
    'dependents',
    'wait_for',
    'waits_on',
    'requires',
    'prerequisites',
    'dependsOn',
  ])('a field that looks like blockers and is not known is reported: %s', field => {
    using source = imported(`${record('A')}\n${record('B', { [field]: ['A'] })}\n${record('C', { [field]: [] })}\n`)
    const output = source.run()
    expect(output.dropped).toEqual([{ source: 'line 2', message: expect.stringContaining(`${field} left out`) }])
    expect(importTickets.exitStatus!(output)).toBe(4)
  })

  test('an unknown type that looks like a blocker blocks, and is reported', () => {
    using source = imported(
      `${record('A')}\n${record('B', { dependencies: [{ depends_on_id: 'A', type: 'hard-requires' }] })}\n`,
    )
    expect(source.run().dropped).toEqual([
      expect.objectContaining({ message: expect.stringContaining('hard-requires') }),
    ])
    expect(source.decisions('B')).toMatchObject([{ kind: 'blocked_by', target: 'A' }])
  })

  test('no single changed letter in the type of an edge makes a relation of it that holds nothing', () => {
    const changed = (type: string) =>
      [...type].flatMap((letter, at) => {
        const [before, after] = [type.slice(0, at), type.slice(at + 1)]
        const swapped = `${before}${after[0] ?? ''}${letter}${after.slice(1)}`
        return [before + after, `${before}x${after}`, `${before}x${letter}${after}`, swapped]
      })
    const types = ['blocks', 'blocked-by', 'waits-for', 'conditional-blocks', 'parent-child'].flatMap(changed)
    const spaced = ['Blocked By', ' waits for ', 'conditional blocks', 'PARENT CHILD']
    const parts = [...spaced, ...types].map((type, at) =>
      record(`B-${at}`, { dependencies: [{ depends_on_id: 'A', type }] }),
    )
    using source = imported([record('A'), ...parts].join('\n'))
    const dropped = source.run().dropped.map(({ source }) => /\((.*)\)$/.exec(source)?.[1])
    const kinds = [...spaced, ...types].map((type, at) => [
      type,
      ...source.decisions(`B-${at}`).map(({ kind }) => kind),
    ])
    expect(kinds.filter(([, ...kinds]) => !kinds.includes('blocked_by') && !kinds.includes('part_of'))).toEqual([])
    const known = ['blocks', 'blocked-by', 'waits-for', 'conditional-blocks', 'parent-child', ...spaced]
    expect(types.filter(type => !known.includes(type) && !dropped.includes(type))).toEqual([])
    expect(spaced.filter(type => dropped.includes(type))).toEqual([])
  })

  test.each([1, '1', 'true'])('a flag that is written as %j is set', flag => {
    using source = imported(
      [record('A', { ephemeral: flag }), record('B', { pinned: flag }), record('C', { is_template: flag })].join('\n'),
    )
    expect(source.run().skipped).toEqual({ ephemeral: 1 })
    expect(['B', 'C'].map(id => source.decisions(id).map(({ kind }) => kind))).toEqual([['hold'], ['hold']])
  })

  test('a blocker outside of the grammar of ids, or in another project, is a hold with its text', () => {
    const edges = ['external:shop:o-1', 'bad id!'].map(depends_on_id => ({ depends_on_id, type: 'blocks' }))
    using source = imported(`${record('B', { dependencies: edges })}\n`)
    expect(source.run().dropped).toEqual([expect.objectContaining({ message: expect.stringContaining('"bad id!"') })])
    expect(
      source
        .decisions('B')
        .map(({ kind, reason }) => `${kind}: ${reason}`)
        .sort(),
    ).toEqual(['hold: blocked by bad id!', 'hold: blocked by external:shop:o-1'])
  })

  test('a deferred record is on hold until its time; without a usable time until somebody lifts it', () => {
    using source = imported(
      [
        record('A', { defer_until: '2099-01-01T02:00:00+02:00' }),
        record('B', { defer_until: '2099-01-01' }),
        record('C', { defer_until: 'someday' }),
      ].join('\n'),
    )
    expect(source.run().dropped).toHaveLength(1)
    expect(['A', 'B', 'C'].map(id => source.decisions(id).map(({ kind, not_before }) => [kind, not_before]))).toEqual([
      [['hold', '2099-01-01T00:00:00.000Z']],
      [['hold', '2099-01-01T00:00:00.000Z']],
      [['hold', undefined]],
    ])
  })

  test('records that are no work are skipped and counted, and imported with --all', () => {
    const text = [
      record('A'),
      record('E', { ephemeral: true }),
      record('W', { wisp: true }),
      record('I', { _type: 'issue' }),
      record('M', { _type: 'molecule' }),
      JSON.stringify({ _type: 'memory', key: 'k', value: 'v' }),
    ].join('\n')
    using some = imported(text)
    expect(some.run()).toMatchObject({ tickets: 2, dropped: [], skipped: { ephemeral: 2, memory: 1, molecule: 1 } })
    using all = imported(text, { all: true })
    expect(all.run()).toMatchObject({ tickets: 5, dropped: [], skipped: { memory: 1 } })
  })

  test('an open record that is skipped still blocks, by a hold that goes when it is closed', () => {
    const edges = { dependencies: [{ depends_on_id: 'E', type: 'blocks' }] }
    using source = imported(`${record('B', edges)}\n${record('E', { ephemeral: true })}\n`)
    source.run()
    expect(source.decisions('B')).toMatchObject([{ kind: 'hold', reason: expect.stringContaining('E') }])
    writeFileSync(
      join(source.root, 'source'),
      `${record('B', edges)}\n${record('E', { ephemeral: true, status: 'closed' })}\n`,
    )
    expect(source.run()).toMatchObject({ retracted: 1 })
  })
})

/** Calls the action before each file of a batch is added. */
function onAdd(store: Store, action: (ticket: Ticket) => void): void {
  const openBatch = store.batch.bind(store)
  store.batch = () => {
    const batch = openBatch()
    const add: typeof batch.add = (file, path, ticket) => {
      action(ticket)
      batch.add(file, path, ticket)
    }
    return { ...batch, add }
  }
}

test('an import that fails half-way says what was written', () => {
  using repository = temporaryRepository()
  const path = join(repository.root, 'source')
  writeFileSync(path, Array.from({ length: 250 }, (_, n) => `${record(`T-${n}`)}\n`).join(''))
  const store = openStore({ root: repository.root })
  let written = 0
  onAdd(store, ticket => {
    if (ticket.id !== 'T-200') return
    written = readdirSync(repository.ticketsDir).filter(name => name.endsWith('.json')).length
    execFileSync('rm', ['-r', repository.ticketsDir])
  })
  const input = { system: 'beads', path, dryRun: false, prune: false, older: false, all: false } as const
  try {
    const caught = planErrorOf(() => importTickets.run(store, input))
    expect(written).toBeGreaterThan(0)
    expect(caught.message).toContain(`${written} files of 250 were written before that; run the import again`)
  } finally {
    store.close()
  }
})

test('a long import releases the write lock again and again', () => {
  using repository = temporaryRepository()
  const path = join(repository.root, 'source')
  writeFileSync(path, Array.from({ length: 40 }, (_, n) => `${record(`T-${n}`)}\n`).join(''))
  const store = openStore({ root: repository.root })
  onAdd(store, () => pause(20)) // a slow disk
  const locked = store.locked.bind(store)
  let holds = 0
  store.locked = action => {
    holds++
    return locked(action)
  }
  try {
    importTickets.run(store, { system: 'beads', path, dryRun: false, prune: false, older: false, all: false })
  } finally {
    store.close()
  }
  expect(holds).toBeGreaterThan(2)
})
