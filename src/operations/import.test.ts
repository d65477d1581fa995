import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openStore, type Store } from '../store/store.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { loose } from '../test-support/loose-decision.ts'
import {
  putTicket,
  readTicketJson,
  type TemporaryFolder,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { importTickets } from './import.ts'

const AT = '2026-06-08T11:30:00Z'

interface YoiTicket {
  front?: string
  plan?: (object | string)[]
  relations?: object[]
}

/** A folder of yoi Tickets. */
function yoiFolder(tickets: Record<string, YoiTicket>): TemporaryFolder {
  const folder = temporaryFolder()
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true })
    writeFileSync(join(folder.path, path), text)
  }
  for (const [id, { front, plan, relations }] of Object.entries(tickets)) {
    put(
      `${id}/item.md`,
      `---\n${front ?? `title: 'Ticket ${id}'\nstate: 'planning'\ncreated_at: '${AT}'\nupdated_at: '${AT}'`}\n---\n\nBody\n`,
    )
    if (plan)
      put(
        `${id}/artifacts/orchestration-plan.jsonl`,
        plan.map(line => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
      )
    if (relations) put(`${id}/artifacts/relations.json`, JSON.stringify({ version: 1, relations }))
  }
  return folder
}

function filesOf(root: string): Record<string, string> {
  const folder = join(root, 'tickets')
  return Object.fromEntries(readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'utf8')]))
}

function disposableStore(root: string): Store & Disposable {
  const store = openStore({ root })
  return Object.assign(store, { [Symbol.dispose]: () => store.close() })
}

describe('import yoi', () => {
  test('front matter becomes fields, the rest is kept under "source"', () => {
    using source = yoiFolder({
      A: {
        front:
          "title: \"Übersicht: 日本\"\nstate: queued\ncreated_at: '2026-06-07T03:57:10+02:00'\nupdated_at: '2026-06-09T00:00:00Z'\nassignee: null\nqueued_by: 'panel'\nqueued_at: '2026-06-08T00:00:00Z'\nrisk_flags: ['a', 'b']",
      },
      B: {},
    })
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    expect(plan.import({ system: 'yoi', path: source.path })).toEqual({
      tickets: 2,
      decisions: 0,
      written: 2,
      created: 2,
      changed: 0,
      retracted: 0,
      gone: [],
      cancelled: [],
      skipped: {},
      dropped: [],
      unphasedStates: [],
      warnings: [],
      hints: [],
    })
    expect(readTicketJson(repository.root, 'tickets/A.json')).toEqual({
      created_at: '2026-06-07T01:57:10.000Z',
      decisions: [],
      format: 1,
      id: 'A',
      queued_at: '2026-06-08T00:00:00.000Z',
      queued_by: 'panel',
      source: {
        id: 'A',
        risk_flags: ['a', 'b'],
        state: 'queued',
        system: 'yoi',
        title: 'Übersicht: 日本',
        updated_at: '2026-06-09T00:00:00Z',
      },
      state: 'queued',
      state_at: '2026-06-08T00:00:00.000Z',
      title: 'Übersicht: 日本',
    })
    expect(readTicketJson(repository.root, 'tickets/B.json').state_at).toBe('2026-06-08T11:30:00.000Z')
  })

  test('plan records and relations become decisions, stored with the Ticket that they hold back', () => {
    using source = yoiFolder({
      A: {
        plan: [
          { id: 'p-1', ticket_id: 'A', kind: 'before', related_ticket: 'B', note: 'first', author: 'orch', at: AT },
          { id: 'p-1', ticket_id: 'A', kind: 'blocked_by', related_ticket: 'C', author: 'orch', at: AT },
          { id: 'p-2', ticket_id: 'A', kind: 'do_not_parallelize', related_ticket: 'B', author: 'orch', at: AT },
          { id: 'p-3', ticket_id: 'A', kind: 'waiting_capacity_note', note: 'later', author: 'orch', at: AT },
          {
            id: 'p-4',
            ticket_id: 'A',
            kind: 'accepted_plan',
            accepted_plan: { summary: 's', branch: 'b', worktree: '/srv/yoi/.worktree/a', role_plan: 'r' },
            author: 'orch',
            at: AT,
          },
        ],
      },
      B: {
        relations: [
          { ticket_id: 'B', kind: 'depends_on', target: 'C', note: 'n', author: 'yoi ticket', at: AT },
          { ticket_id: 'B', kind: 'duplicate_of', target: 'C', author: 'x', at: AT },
        ],
      },
      C: {},
    })
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    expect(plan.import({ system: 'yoi', path: source.path, mapRoot: '/srv/yoi/' })).toMatchObject({
      tickets: 3,
      decisions: 7,
      dropped: [],
    })
    const decisions = (id: string) =>
      readTicketJson(repository.root, `tickets/${id}.json`)
        .decisions.map(({ id, at, by, ...rest }) => rest)
        .sort((a, b) => (a.kind < b.kind ? -1 : 1))
    expect(decisions('A')).toEqual([
      { kind: 'accepted_plan', plan: { branch: 'b', role_plan: 'r', summary: 's', worktree: '.worktree/a' } },
      { kind: 'blocked_by', target: 'C' },
      { kind: 'conflicts_with', target: 'B' },
      { kind: 'waiting_for_capacity', reason: 'later' },
    ])
    expect(decisions('B')).toEqual([
      { kind: 'after', reason: 'first', target: 'A' },
      { kind: 'blocked_by', reason: 'n', target: 'C' },
      { kind: 'related', label: 'duplicate_of', target: 'C' },
    ])
    expect(plan.show('A').decisions.find(({ kind }) => kind === 'blocked_by')!.id).toMatch(/^01JX7|^01[0-9A-Z]{24}$/)
  })

  test('a second run changes nothing; fields follow the source and decisions recorded since are kept', () => {
    const record = { id: 'p', ticket_id: 'A', kind: 'blocked_by', related_ticket: 'B', author: 'o', at: AT }
    using first = yoiFolder({ A: { plan: [record] }, B: {} })
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    plan.import({ system: 'yoi', path: first.path })
    const before = filesOf(repository.root)
    expect(plan.import({ system: 'yoi', path: first.path }).written).toBe(0)
    expect(filesOf(repository.root)).toEqual(before)
    const noted = plan.record({ ticket: 'A', kind: 'note', reason: 'ours' }).decision
    plan.set({ ticket: 'A', slug: 'kept', title: 'edited here' })
    using second = yoiFolder({
      A: { front: "title: 'renamed'\nstate: 'done'\nupdated_at: '2026-06-10T00:00:00Z'", plan: [record] },
      B: {},
    })
    expect(plan.import({ system: 'yoi', path: second.path }).written).toBe(1)
    const ticket = readTicketJson(repository.root, 'tickets/A.json')
    expect(ticket).toMatchObject({ title: 'renamed', state: 'done', slug: 'kept' })
    expect('created_at' in ticket).toBe(false)
    expect(ticket.decisions.map(({ id }) => id)).toContain(noted.id)
    expect(ticket.decisions).toHaveLength(2)
  })

  test('an edge that neither of its two Tickets states any more is retracted, and only where both are complete', () => {
    const blocks = { relations: [{ kind: 'blocks', target: 'B', at: AT }] }
    using first = yoiFolder({ A: blocks, B: {} })
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    plan.import({ system: 'yoi', path: first.path })
    using alone = yoiFolder({ B: {} })
    using turned = yoiFolder({
      A: {},
      B: { relations: [{ kind: 'depends_on', target: 'A', at: '2026-06-09T00:00:00Z' }] },
    })
    using broken = yoiFolder({ A: { plan: ['{'] }, B: {} })
    using neither = yoiFolder({ A: {}, B: {} })
    for (const { path } of [alone, turned])
      expect(plan.import({ system: 'yoi', path })).toMatchObject({ retracted: 0, written: 0 })
    // The line that cannot be read may be a blocker of A, which gets a hold.
    expect(plan.import({ system: 'yoi', path: broken.path })).toMatchObject({ retracted: 0, written: 1 })
    expect(plan.import({ system: 'yoi', path: neither.path })).toMatchObject({ retracted: 2, written: 2 })
    expect(plan.relations({ ticket: 'B' }).relations).toEqual([])
  })

  test('two clones get the same bytes', () => {
    using source = yoiFolder({
      A: { plan: [{ id: 'p', ticket_id: 'A', kind: 'after', related_ticket: 'B', at: AT }] },
      B: {},
    })
    const clones = ['2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'].map(now => {
      using repository = temporaryRepository()
      using plan = checkedPlan(repository.root, { nowMs: Date.parse(now) }, { actor: now })
      plan.import({ system: 'yoi', path: source.path })
      return filesOf(repository.root)
    })
    expect(clones[0]).toEqual(clones[1])
  })

  test('what cannot be mapped is reported, one line each, and the rest is imported', () => {
    const plan = (record: object) => ({ id: 'p', ticket_id: 'A', author: 'o', at: AT, ...record })
    using source = yoiFolder({
      A: {
        plan: [
          plan({ kind: 'accepted_plan', accepted_plan: { summary: 's', worktree: '/elsewhere/a' } }),
          plan({ kind: 'teleport', related_ticket: 'B' }),
          plan({ kind: 'after' }),
          plan({ kind: 'after', related_ticket: 'A' }),
          plan({ kind: 'after', related_ticket: '../x' }),
          plan({ kind: 'before', related_ticket: 'MISSING' }),
          plan({ kind: 'after', related_ticket: 'B', at: 'yesterday' }),
          plan({ kind: 'after', related_ticket: 'B', ticket_id: 'B' }),
          '{"broken',
          plan({ kind: 'waiting_capacity_note', note: 'x'.repeat(20_000) }),
          plan({ kind: 'after', related_ticket: 'B' }),
        ],
      },
      B: {},
      'not an id': {},
      NoFront: { front: 'state: done' },
      BadYaml: { front: 'title: [' },
      BadTime: { front: 'title: t\nstate: planning\ncreated_at: soon' },
    })
    using repository = temporaryRepository()
    using target = checkedPlan(repository.root)
    const { dropped, tickets, decisions } = target.import({ system: 'yoi', path: source.path, mapRoot: '/srv/yoi' })
    // Two of them are holds, for what could not be read and for "../x".
    expect({ tickets, decisions }).toEqual({ tickets: 3, decisions: 5 })
    expect(dropped.map(({ source, message }) => `${source}: ${message}`)).toEqual([
      expect.stringMatching(/^A\/artifacts\/orchestration-plan.jsonl:1: .*worktree left out: \/elsewhere\/a/),
      expect.stringMatching(/:2: .*unknown kind "teleport"/),
      expect.stringMatching(/:3: .*without a related_ticket/),
      expect.stringMatching(/:4: .*relation of A to itself/),
      expect.stringMatching(/:5: .*cannot be a Ticket's id/),
      expect.stringMatching(/:8: .*names another Ticket/),
      expect.stringMatching(/:9: .*not a JSON object/),
      expect.stringMatching(/:10: .*longer than 16 KiB/),
      expect.stringMatching(/^BadTime\/item.md: created_at left out/),
      expect.stringMatching(/^BadYaml\/item.md: .*not YAML/),
      expect.stringMatching(/^NoFront\/item.md: .*title is missing/),
      expect.stringMatching(/^not an id\/item.md: .*cannot be a Ticket's id/),
      expect.stringMatching(/:6: .*would hold it, MISSING,/),
    ])
    expect(target.verify().ok).toBe(true)
  })

  test('a dry run reports and writes nothing; a wrong folder is an error', () => {
    using source = yoiFolder({ A: {}, B: {} })
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    expect(plan.import({ system: 'yoi', path: source.path, dryRun: true })).toMatchObject({ tickets: 2, written: 2 })
    expect(readdirSync(join(repository.root, 'tickets'))).toEqual([])
    expect(() => plan.import({ system: 'yoi', path: join(source.path, 'none') })).toThrow(/no such folder/)
    expect(() => plan.import({ system: 'yoi', path: join(source.path, 'A') })).toThrow(/contains no <id>\/item.md/)
  })

  test('a file that cannot be read stays as it is, and is reported', () => {
    using source = yoiFolder({ A: {}, B: {} })
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    writeFileSync(join(repository.root, 'tickets/A.json'), '{')
    putTicket(repository.root, 'b')
    expect(plan.import({ system: 'yoi', path: source.path }).dropped.map(({ source }) => source)).toEqual([
      'Ticket A',
      'Ticket B',
    ])
    expect(readFileSync(join(repository.root, 'tickets/A.json'), 'utf8')).toBe('{')
  })

  test('a file that cannot be read any more when it is written is reported, and the import ends', () => {
    using source = yoiFolder({ A: {}, B: {} })
    using repository = temporaryRepository()
    putTicket(repository.root, 'A')
    using store = disposableStore(repository.root)
    const locked = store.locked.bind(store)
    store.locked = action => {
      writeFileSync(join(repository.root, 'tickets/A.json'), '{')
      return locked(action)
    }
    const input = { system: 'yoi', path: source.path, dryRun: false, prune: false, older: false, all: false } as const
    expect(importTickets.run(store, input)).toMatchObject({
      tickets: 1,
      written: 1,
      dropped: [{ source: 'Ticket A', message: expect.stringMatching(/^not changed: tickets\/A.json cannot be read/) }],
    })
  })

  test('a file that another program keeps changing is left as it is, and the import ends', () => {
    using source = yoiFolder({ A: {}, B: {} })
    using repository = temporaryRepository()
    using store = disposableStore(repository.root)
    const overwrite = store.overwrite.bind(store)
    store.overwrite = (file, path, ticket) => path !== 'tickets/A.json' && overwrite(file, path, ticket)
    const openBatch = store.batch.bind(store)
    store.batch = () => {
      const batch = openBatch()
      const add: typeof batch.add = (file, path, ticket) => {
        batch.add(file, path, ticket)
        if (path === 'tickets/A.json') putTicket(repository.root, 'A', { title: 'theirs' })
      }
      return { ...batch, add }
    }
    const input = { system: 'yoi', path: source.path, dryRun: false, prune: false, older: false, all: false } as const
    expect(importTickets.run(store, input)).toMatchObject({
      tickets: 1,
      dropped: [
        { source: 'Ticket A', message: expect.stringMatching(/another program keeps changing tickets\/A\.json/) },
      ],
    })
    expect(readTicketJson(repository.root, 'tickets/A.json').title).toBe('theirs')
  })

  test('a Ticket that cannot be encoded is reported, by a dry run too, and the others are imported', () => {
    const front = (more: string) => `title: t\nstate: planning\n${more}`
    using source = yoiFolder({
      Cyclic: { front: front('x: &a [*a]') },
      CyclicTime: { front: front('created_at: &a [*a]') },
      Deep: { front: front(`x: ${'['.repeat(40)}${']'.repeat(40)}`) },
      Good: {},
      Surrogate: { front: front('x: "\\ud800"') },
      SurrogateNote: {
        plan: [
          `{"kind":"waiting_capacity_note","note":"\\ud800","at":"${AT}"}`,
          `{"kind":"after","related_ticket":"Good","at":"${AT}","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
        ],
      },
    })
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    const dry = plan.import({ system: 'yoi', path: source.path, dryRun: true })
    expect(readdirSync(join(repository.root, 'tickets'))).toEqual([])
    expect(dry.dropped.map(({ source, message }) => `${source}: ${message}`)).toEqual([
      expect.stringMatching(/^CyclicTime\/item.md: created_at left out/),
      expect.stringMatching(/^Ticket Cyclic: not changed: nested deeper/),
      expect.stringMatching(/^Ticket Deep: not changed: nested deeper/),
      expect.stringMatching(/^Ticket Surrogate: not changed: .*surrogate/),
      expect.stringMatching(/^Ticket SurrogateNote: not changed \(with 2 decisions\): .*surrogate/),
    ])
    expect(dry).toMatchObject({ tickets: 2, decisions: 0, written: 2 })
    expect(plan.import({ system: 'yoi', path: source.path, verbose: true })).toEqual(dry)
    expect(readdirSync(join(repository.root, 'tickets'))).toEqual(['CyclicTime.json', 'Good.json'])
  })

  test('a conflict stays in the file that first kept it', () => {
    const Z = { plan: [{ kind: 'conflicts_with', related_ticket: 'A', at: AT }] }
    using first = yoiFolder({ Z })
    using second = yoiFolder({ A: {}, Z })
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    plan.import({ system: 'yoi', path: first.path })
    expect(plan.import({ system: 'yoi', path: second.path })).toMatchObject({ decisions: 1, written: 1, dropped: [] })
    expect(readTicketJson(repository.root, 'tickets/A.json').decisions).toEqual([])
    expect(plan.verify()).toMatchObject({ ok: true, problems: [], checked: { tickets: 2, decisions: 1 } })
    expect(plan.import({ system: 'yoi', path: second.path }).written).toBe(0)
  })

  test('a relation to a Ticket whose id differs only in case is reported', () => {
    using source = yoiFolder({
      A: {
        plan: ['b', 'c'].flatMap(related_ticket => [
          { kind: 'after', related_ticket, at: AT },
          { kind: 'before', related_ticket, at: AT },
          { kind: 'waiting_capacity_note', related_ticket, at: AT },
        ]),
      },
      B: {},
    })
    using repository = temporaryRepository()
    putTicket(repository.root, 'C')
    using plan = checkedPlan(repository.root)
    const { decisions, dropped } = plan.import({ system: 'yoi', path: source.path })
    expect(decisions).toBe(0)
    expect(dropped.map(({ message }) => message)).toEqual(
      ['b', 'b', 'b', 'c', 'c', 'c'].map(id => `no decision: ${id} differs from ${id.toUpperCase()} only in case`),
    )
  })

  test('what is not a readable file is reported, and the rest is imported', () => {
    using source = yoiFolder({ A: {}, B: {}, D: {}, F: {} })
    const path = (...names: string[]) => join(source.path, ...names)
    mkdirSync(path('A/artifacts/orchestration-plan.jsonl'), { recursive: true })
    mkdirSync(path('B/artifacts'))
    execFileSync('mkfifo', [path('B/artifacts/relations.json')])
    mkdirSync(path('C/artifacts'), { recursive: true })
    writeFileSync(path('D/item.md'), Buffer.from('---\ntitle: \xff\nstate: done\n---\n', 'latin1'))
    mkdirSync(path('E/item.md'), { recursive: true })
    mkdirSync(path('F/artifacts'))
    const line = JSON.stringify({ kind: 'waiting_capacity_note', at: AT })
    writeFileSync(
      path('F/artifacts/orchestration-plan.jsonl'),
      Buffer.concat([Buffer.from([0xff, 10, 10]), Buffer.from(line)]),
    )
    mkdirSync(path('G'))
    symlinkSync(path('nowhere'), path('G/item.md'))
    writeFileSync(path('README'), '')
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    const { tickets, decisions, dropped } = plan.import({ system: 'yoi', path: source.path })
    // Three of them are holds, for what could not be read.
    expect({ tickets, decisions }).toEqual({ tickets: 3, decisions: 4 })
    expect(dropped.map(({ source, message }) => `${source}: ${message}`)).toEqual([
      'A/artifacts/orchestration-plan.jsonl: no decisions: it is not a file',
      'B/artifacts/relations.json: no relations: it is not a file',
      'C: no Ticket: it has artifacts and no item.md',
      'D/item.md: no Ticket: it is not valid UTF-8',
      'E/item.md: no Ticket: it is not a file',
      'F/artifacts/orchestration-plan.jsonl:1: no decision: not valid UTF-8',
      expect.stringMatching(/^G\/item.md: no Ticket: ENOENT/),
    ])
  })

  test('only fields of a decision are kept of a plan record, and the others are reported', () => {
    using source = yoiFolder({
      A: {
        plan: [
          {
            kind: 'accepted_plan',
            accepted_plan: { summary: 5, branch: 'b', worktree: {}, pool: 'p', session: 's', pid: 1, role_plan: null },
            note: ['n'],
            author: 7,
            at: AT,
          },
          { kind: 'accepted_plan', accepted_plan: ['x'], at: AT },
          { kind: 'constructor', at: AT },
          { kind: { toString: 1 }, at: AT },
          { kind: 'waiting_capacity_note', related_ticket: 'B', note: null, at: AT },
          { kind: 'waiting_capacity_note', related_ticket: 5, at: AT },
          { kind: 'waiting_capacity_note', related_ticket: 'A', at: AT },
        ],
      },
      B: { front: 'title: t\nstate: done\nsession: s\npid: 5\nreadiness: yes' },
    })
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    const { dropped } = plan.import({ system: 'yoi', path: source.path })
    expect(dropped.map(({ source, message }) => `${source.replace(/.*:/, '')}: ${message}`)).toEqual([
      "1: the plan's summary left out: not a string",
      "1: the plan's worktree left out: not a string",
      "1: the plan's session left out: a plan has no such field",
      "1: the plan's pid left out: a plan has no such field",
      '1: the author left out: not a string: 7',
      '1: the note left out: not a string: ["n"]',
      '2: no decision: the record has no plan',
      '3: no decision: unknown kind "constructor"',
      '4: no decision: unknown kind {"toString":1}',
      '6: related_ticket left out: not a string',
      '7: related_ticket left out: a Ticket cannot wait for itself',
      expect.stringMatching(/^B\/item.md: pid left out: it is local to one machine/),
      expect.stringMatching(/^B\/item.md: session left out: it is local to one machine/),
    ])
    const { decisions } = readTicketJson(repository.root, 'tickets/A.json')
    expect(decisions.find(({ kind }) => kind === 'accepted_plan')).toMatchObject({ by: 'yoi' })
    expect(decisions.map(loose).map(({ plan, until }) => plan ?? until)).toEqual(
      expect.arrayContaining([{ branch: 'b', pool: 'p', summary: '' }, ['B'], undefined]),
    )
    expect(readTicketJson(repository.root, 'tickets/B.json').source).toEqual({
      id: 'B',
      readiness: 'yes',
      state: 'done',
      system: 'yoi',
      title: 't',
    })
  })

  test('front matter scalars keep their text; only an unquoted null is absent', () => {
    using source = yoiFolder({
      A: { front: "title: 1.10\nstate: true\nassignee: null\nowner: ~\nempty:\nnamed: 'null'\nlist: [1.0, null]" },
      B: { front: 'title: [a]\nstate: done' },
      C: { front: 'title: null\nstate: done' },
    })
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    expect(plan.import({ system: 'yoi', path: source.path }).dropped.map(({ message }) => message)).toEqual([
      'no Ticket: title must be a text: {"title":["a"],"state":"done"}',
      'no Ticket: title is missing: {"state":"done"}',
    ])
    expect(readTicketJson(repository.root, 'tickets/A.json')).toMatchObject({
      title: '1.10',
      state: 'true',
      source: { list: ['1.0', null], named: 'null', system: 'yoi' },
    })
    expect(Object.keys(readTicketJson(repository.root, 'tickets/A.json').source as object)).toEqual([
      'id',
      'list',
      'named',
      'state',
      'system',
      'title',
    ])
  })

  test("a plan's branch in a home folder is a warning here and in verify", () => {
    using source = yoiFolder({
      A: { plan: [{ kind: 'accepted_plan', accepted_plan: { summary: 's', branch: '/home/ann/b' }, at: AT }] },
    })
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    expect(plan.import({ system: 'yoi', path: source.path }).warnings).toHaveLength(1)
    expect(plan.verify().problems).toMatchObject([{ code: 'home_path', message: expect.stringMatching(/the branch/) }])
  })
})
