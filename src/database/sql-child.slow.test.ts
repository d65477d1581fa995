import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPlanError } from '../model/errors.ts'
import { openPlan, type Plan } from '../sdk.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { putTicket, type TemporaryRepository, temporaryRepository } from '../test-support/temporary-repository.ts'

let repository: TemporaryRepository
let plan: Plan

beforeAll(() => {
  repository = temporaryRepository()
  plan = checkedPlan(repository.root)
  plan.add({ id: 'A', title: 'a "quoted", title', state: 'queued' })
  plan.add({ id: 'B', title: 'b', slug: 'bee' })
  plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B', reason: 'why' })
})

afterAll(() => {
  plan.close()
  repository[Symbol.dispose]()
})

function refused(query: string): string {
  try {
    plan.sql(query)
  } catch (error) {
    if (isPlanError(error)) return error.code
    throw error
  }
  return 'ran'
}

describe('the promised views', () => {
  test.each([
    [
      'tickets',
      [
        'id',
        'slug',
        'title',
        'state',
        'phase',
        'state_at',
        'created_at',
        'queued_at',
        'queued_by',
        'changed_at',
        'path',
      ],
    ],
    [
      'decisions',
      ['id', 'ticket_id', 'kind', 'target_id', 'status', 'by', 'at', 'reason', 'pool', 'supersedes', 'body'],
    ],
    ['relations', ['ticket_id', 'kind', 'other_id', 'status', 'decision_id', 'by', 'at', 'reason']],
    ['blockers', ['ticket_id', 'blocker_id', 'blocker_state', 'decision_id']],
    ['quarantine', ['path', 'code', 'message']],
    ['claims', ['ticket_id', 'holder', 'token', 'pool', 'acquired_at', 'renewed_at', 'expires_at', 'live']],
  ])('%s has its columns', (name, columns) => {
    const named = columns.map(column => `"${column}"`).join(', ')
    expect(plan.sql(`select ${named} from ${name}`).columns).toEqual(columns)
  })

  test('relations are listed from both sides, blockers from the blocked one', () => {
    expect(plan.sql('select ticket_id, kind, other_id, status from relations order by 1').rows).toEqual([
      ['A', 'blocked_by', 'B', 'active'],
      ['B', 'blocks', 'A', 'active'],
    ])
    expect(plan.sql('select ticket_id, blocker_id, blocker_state from blockers').rows).toEqual([['A', 'B', 'open']])
    expect(JSON.parse(plan.sql('select body from decisions').rows[0]![0] as string)).toMatchObject({
      kind: 'blocked_by',
      target: 'B',
    })
  })

  test('a file that has just changed is in the answer', () => {
    putTicket(repository.root, 'C', { title: 'new' })
    expect(plan.sql("select title from tickets where id = 'C'").rows).toEqual([['new']])
  })

  test.skipIf(!hasSqlite())('the plain sqlite3 program reads the same names (skipped without it)', () => {
    const { path } = plan.db()
    for (const name of ['tickets', 'decisions', 'relations', 'blockers', 'quarantine']) {
      const counted = execFileSync('sqlite3', ['-readonly', path, `select count(*) from ${name}`], { encoding: 'utf8' })
      expect(Number(counted)).toBe(plan.sql(`select count(*) from ${name}`).rows[0]![0])
    }
  })

  test('values of every type are returned in a form that JSON can hold', () => {
    const { rows } = plan.sql("values (1, 1.5, null, 'text', x'00ff', 9007199254740993, 9e999)")
    expect(rows).toEqual([[1, 1.5, null, 'text', '00ff', '9007199254740993', 'Infinity']])
  })
})

describe('a query is run as it is written', () => {
  test.each([
    ['select 1 as a, 2 as a', [[1, 2]]],
    ['select 1;', [[1]]],
    ['select 1;; -- the end; really', [[1]]],
    ['select 1 /* open', [[1]]],
    ["select ';--'", [[';--']]],
    ['values (2), (1)', [[2], [1]]],
    ['with a(x) as (values (1), (3), (2)) select x from a order by x desc', [[3], [2], [1]]],
    ['select 1 union select 3 order by 1 desc limit 1', [[3]]],
    ['select x, x = x from (select random() % 1 as x)', [[0, 1]]],
  ])('%s', (query, rows) => {
    expect(plan.sql(query).rows).toEqual(rows)
  })

  test('with 2,000 columns, the most that SQLite allows', () => {
    expect(plan.sql(`select ${Array(2000).fill('1').join(', ')}`).rows).toEqual([Array(2000).fill(1)])
  })

  test('EXPLAIN too', () => {
    expect(plan.sql('explain select 1').columns).toContain('opcode')
    expect(plan.sql('/* x */ explain query plan select * from tickets').rows.length).toBeGreaterThan(0)
  })
})

describe('a query that is refused', () => {
  test.each([
    "insert into tickets values ('x')",
    'delete from tickets returning *',
    'with a as (select 1) delete from tickets returning *',
    "update tickets set title = 'x' returning id",
    'replace into meta values (1, 2)',
    'drop table tickets',
    "attach 'x.db' as x",
    "vacuum into 'copy.db'",
    'vacuum',
    'pragma query_only = 0',
    'PRAGMA user_version',
    '/* select */ pragma user_version = 9',
    'explain pragma user_version = 9',
    'explain query plan pragma journal_mode = delete',
    "select * from pragma_table_info('tickets')",
    'select * from "pragma_database_list"',
    'select * from [pragma_database_list]',
    "select * from 'pragma_database_list'",
    'begin',
    'create temp table t(x)',
    'select 1; delete from tickets',
    'select 1; select 2',
    'select ?',
    'select :name',
    '',
    '-- nothing',
    ';',
  ])('%s', query => {
    expect(['sql_refused', 'invalid_input']).toContain(refused(query))
    expect(plan.sql('select count(*) from tickets').rows[0]![0]).toBeGreaterThan(1)
    expect(readdirSync(repository.root).sort()).toEqual(['.git', 'tickets'])
  })

  test.each([
    "select load_extension('x')",
    'select * from nowhere',
    'select',
    "select readfile('/etc/passwd')",
    "select writefile('x', 'y')",
  ])('%s fails by name', query => {
    expect(refused(query)).toBe('sql_failed')
    expect(existsSync(join(repository.root, 'x'))).toBe(false)
  })

  test('the word pragma in a string is allowed', () => {
    expect(plan.sql("select count(*) from decisions where reason like '%pragma%'").rows).toEqual([[0]])
  })
})

describe('a query without end', () => {
  test('is stopped at the deadline', () => {
    const endless = 'with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n'
    expect(() => plan.sql({ query: endless, timeout: 1 })).toThrow(/stopped after 1 s/)
  })

  test('with many rows or large values is truncated or refused', () => {
    const many = 'with recursive n(x) as (select 1 union all select x + 1 from n limit 100000) select x from n'
    expect(plan.sql({ query: many, limit: 5 })).toMatchObject({ rows: [[1], [2], [3], [4], [5]], truncated: true })
    expect(plan.sql(many)).toMatchObject({ truncated: true })
    expect(plan.sql({ query: many, limit: 100_000 })).toMatchObject({ truncated: false })
    expect(() => plan.sql('select hex(zeroblob(20000000))')).toThrow(/the first row has more than 16 MB/)
    const growing = `select x, zeroblob(x * 1000000) from (${many})`
    expect(plan.sql(growing)).toMatchObject({ rows: { length: 5 }, truncated: true })
    expect(refused('select zeroblob(1000000000)')).toBe('sql_failed')
  })
})

test('the same query runs over an index that is only in memory', () => {
  using other = temporaryRepository()
  mkdirSync(join(other.databaseDir, 'index.db'), { recursive: true }) // a folder where the file should be
  putTicket(other.root, 'A')
  const notices: string[] = []
  using reading = openPlan({ root: other.root, actor: 'tester', onNotice: message => notices.push(message) })
  expect(reading.sql('select id from tickets').rows).toEqual([['A']])
  expect(notices.join()).toContain('cannot be written')
})

function hasSqlite(): boolean {
  try {
    execFileSync('sqlite3', ['-version'])
    return true
  } catch {
    return false
  }
}
