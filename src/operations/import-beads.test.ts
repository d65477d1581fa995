import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { loose } from '../test-support/loose-decision.ts'
import {
  putTicket,
  readTicketJson,
  type TemporaryFolder,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

const AT = '2026-06-08T11:30:00Z'

function beadsFile(...lines: (object | string)[]): TemporaryFolder {
  const folder = temporaryFolder()
  writeFileSync(
    join(folder.path, 'issues.jsonl'),
    lines.map(line => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
  )
  return folder
}

test('an import reports an id that is the slug of a Ticket here, and leaves that Ticket out', () => {
  using folder = beadsFile(
    { id: 'plan-tool', title: 'other work', status: 'open', created_at: AT, updated_at: AT },
    { id: 'bd-1', title: 'fine', status: 'open', created_at: AT, updated_at: AT },
  )
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { slug: 'plan-tool' })
  using plan = checkedPlan(repository.root)
  const { dropped, tickets } = plan.import({ system: 'beads', path: join(folder.path, 'issues.jsonl') })
  expect(tickets).toBe(1)
  expect(dropped).toMatchObject([{ message: expect.stringContaining('its id is the slug of A') }])
  expect(plan.show('plan-tool').ticket.id).toBe('A')
})

describe('import beads', () => {
  const record = {
    id: 'bd-1',
    title: 'One',
    status: 'open',
    priority: 1,
    issue_type: 'task',
    created_at: '2025-11-02T21:58:07.295058-08:00',
    updated_at: '2025-11-03T00:00:00Z',
  }
  const edge = (from: string, to: string, type: string) => ({
    issue_id: from,
    depends_on_id: to,
    type,
    created_at: '2025-11-02T22:23:49.475356-08:00',
    created_by: 'ann',
  })

  test('fields, tombstones and dependencies of every type', () => {
    using source = beadsFile(
      {
        ...record,
        assignee: 'bob',
        labels: ['x'],
        dependencies: [
          edge('bd-1', 'bd-2', 'blocks'),
          edge('bd-1', 'bd-3', 'parent-child'),
          edge('bd-1', 'absent', 'blocked-by'),
        ],
      },
      {
        ...record,
        id: 'bd-2',
        status: 'tombstone',
        deleted_at: '2025-12-25T01:21:01-08:00',
        deleted_by: 'batch',
        delete_reason: 'old',
        original_type: 'bug',
      },
      { ...record, id: 'bd-3', status: 'hooked' },
    )
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    const file = join(source.path, 'issues.jsonl')
    expect(plan.import({ system: 'beads', path: file })).toEqual({
      tickets: 3,
      decisions: 3,
      written: 3,
      created: 3,
      changed: 0,
      retracted: 0,
      gone: [],
      cancelled: [],
      skipped: {},
      dropped: [],
      unphasedStates: ['hooked'],
      warnings: [],
      hints: [expect.stringContaining('2 open Tickets, none of them queued; add {"states": {"queued": ["open"]}}')],
    })
    const ticket = readTicketJson(repository.root, 'tickets/bd-1.json')
    expect(ticket).toMatchObject({
      created_at: '2025-11-03T05:58:07.295Z',
      source: { assignee: 'bob', issue_type: 'task', labels: ['x'], priority: 1, system: 'beads' },
      state: 'open',
    })
    expect(ticket.decisions.map(loose).map(({ kind, target, label, by }) => [kind, target, label, by])).toEqual(
      expect.arrayContaining([
        ['related', 'bd-2', 'blocks', 'ann'],
        ['part_of', 'bd-3', undefined, 'ann'],
        ['blocked_by', 'absent', undefined, 'ann'],
      ]),
    )
    expect(readTicketJson(repository.root, 'tickets/bd-2.json')).toMatchObject({
      state: 'cancelled',
      state_at: '2025-12-25T09:21:01.000Z',
      source: { deleted_by: 'batch', delete_reason: 'old', original_type: 'bug' },
    })
    expect(plan.queue().problems).toMatchObject([{ code: 'dangling' }])
    expect(plan.import({ system: 'beads', path: file }).written).toBe(0)
  })

  test('what cannot be mapped is reported with its line', () => {
    using source = beadsFile(
      record,
      '{"id":',
      { id: 'bd-9' },
      { ...record, id: 'has space' },
      { ...record, id: 'BD-1' },
      { ...record, id: 'bd-4', dependencies: [edge('bd-4', 'bd-4', 'blocks'), { type: 'blocks' }] },
      { ...record, id: 'bd-5', title: 'x'.repeat(2000) },
    )
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    const { tickets, dropped } = plan.import({ system: 'beads', path: join(source.path, 'issues.jsonl') })
    expect(dropped.map(({ source }) => source)).toEqual([
      'line 2',
      'line 3',
      'line 6: ? -> ? (blocks)',
      'line 4',
      'line 6: bd-4 -> bd-4 (blocks)',
      'Ticket BD-1',
      'Ticket bd-5',
    ])
    expect(tickets).toBe(2)
    expect(readdirSync(join(repository.root, 'tickets'))).toEqual(['bd-1.json', 'bd-4.json'])
    expect(() => plan.import({ system: 'beads', path: join(source.path, 'none') })).toThrow(
      /none: no such file or folder$/,
    )
  })

  test('missing dependencies, days that do not exist, and bytes that are not text', () => {
    using source = beadsFile({ ...record, dependencies: null, created_at: '2026-02-30T00:00:00Z' }, 'BYTES', {
      ...record,
      id: 'bd-2',
      created_at: '2024-02-29T23:00:00-02:00',
      dependencies: [{ issue_id: { toString: 1 } }],
    })
    const file = join(source.path, 'issues.jsonl')
    writeFileSync(
      file,
      Buffer.from(readFileSync(file, 'latin1').replace('BYTES', '{"id":"bd-9","title":"\xff"}'), 'latin1'),
    )
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    const { dropped } = plan.import({ system: 'beads', path: file })
    expect(dropped.map(({ source, message }) => `${source}: ${message}`)).toEqual([
      'line 2: no Ticket: not valid UTF-8',
      expect.stringMatching(/^line 3: \{"toString":1\} -> \? \(\?\): no decision/),
      'line 1: created_at left out: not a time: "2026-02-30T00:00:00Z"',
    ])
    expect(readTicketJson(repository.root, 'tickets/bd-2.json').created_at).toBe('2024-03-01T01:00:00.000Z')
  })

  test('what is not a file is an error', () => {
    using source = temporaryFolder()
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    execFileSync('mkfifo', [join(source.path, 'fifo')])
    for (const path of [source.path, join(source.path, 'fifo')]) {
      expect(() => plan.import({ system: 'beads', path })).toThrow(/is not a file/)
    }
  })
})
