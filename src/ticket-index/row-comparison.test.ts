import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openStore } from '../store/store.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { makeNote, putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

/** A plan with rows in every table: two Tickets with decisions and areas, one without, one file in quarantine. */
function repositoryWithAllRows() {
  const repo = temporaryRepository({ git: false })
  const area = (id: string) => asDecision({ ...makeNote('x'), id, kind: 'touches', paths: ['src/', 'docs/*.md'] })
  putTicket(repo.root, 'A', { decisions: [area('01JX00000000000000000000A1'), makeNote('one'), makeNote('two')] })
  putTicket(repo.root, 'B', { decisions: [area('01JX00000000000000000000B1')] }, 'deeper')
  putTicket(repo.root, 'C')
  writeFileSync(join(repo.root, 'tickets', 'D.json'), '{')
  return repo
}

const CHANGES = [
  "update files set hash = 'x' where path = 'tickets/A.json'",
  "update files set canonical = 0 where path = 'tickets/A.json'",
  "update files set id_key = 'x' where path = 'tickets/D.json'",
  "delete from files where path = 'tickets/C.json'",
  "insert into files values ('tickets/E.json', 'e', 1, 1, 1, 1, 0, '', 1)",
  "update tickets set outcome = 'completed' where id = 'C'",
  "update tickets set path = 'tickets/B.json' where id = 'B'",
  "delete from tickets where id = 'C'",
  "insert into tickets select 'E', slug, title, state, phase, state_at, created_at, queued_at, queued_by, changed_at, path, format, outcome from tickets where id = 'C'",
  "update file_decisions set file_status = 'retracted' where ticket_id = 'B'",
  "update file_decisions set body = reason where reason = 'one'",
  "update file_decisions set reason = null where reason = 'two'",
  "delete from file_decisions where reason = 'two'",
  "insert into file_decisions select 'C', id, kind, target_id, file_status, by, at, reason, pool, supersedes, advisory, body from file_decisions where reason = 'one'",
  "insert into file_decisions select 'E', id, kind, target_id, file_status, by, at, reason, pool, supersedes, advisory, body from file_decisions where reason = 'one'",
  "update area_patterns set shared = 1 where ticket_id = 'A' and pattern = 'src/'",
  "delete from area_patterns where ticket_id = 'A' and pattern = 'src/'",
  "insert into area_patterns values ('E', '01JX00000000000000000000A1', 'src/', 0)",
  "insert into area_patterns values ('C', '01JX00000000000000000000A1', 'src/', 0)",
  'update quarantine set line = 7',
  "update quarantine set message = 'x'",
  'delete from quarantine',
  "insert into quarantine values ('tickets/C.json', 'syntax', 'x', 1, 1, '[]')",
]

test.each(CHANGES)('a row that differs from the files is found: %s', change => {
  using repo = repositoryWithAllRows()
  const store = openStore({ root: repo.root })
  try {
    store.read(() => {})
    expect(store.index.findMismatch()).toBeNull()
    const connection = new Database(repo.indexPath)
    expect(connection.prepare(change).run().changes).toBeGreaterThan(0)
    connection.close()
    expect(store.index.findMismatch()).toBe('its rows differ from the Ticket files')
    store.rebuild()
    expect(store.index.findMismatch()).toBeNull()
  } finally {
    store.close()
  }
})

test.each([
  'tickets/C.json',
  'tickets/deeper/B.json',
  'tickets/D.json',
])('a file that is gone although the index has its rows is found: %s', path => {
  using repo = repositoryWithAllRows()
  const store = openStore({ root: repo.root })
  try {
    store.read(() => {})
    rmSync(join(repo.root, path))
    expect(store.index.findMismatch()).toBe('its rows differ from the Ticket files')
  } finally {
    store.close()
  }
})

test('files of one Ticket in two places are compared as the duplicates that they are', () => {
  using repo = repositoryWithAllRows()
  putTicket(repo.root, 'A', {}, 'deeper')
  const store = openStore({ root: repo.root })
  try {
    store.read(() => {})
    expect(store.index.findMismatch()).toBeNull()
    rmSync(join(repo.root, 'tickets', 'deeper', 'A.json'))
    expect(store.index.findMismatch()).toBe('its rows differ from the Ticket files')
  } finally {
    store.close()
  }
})

test.each([7, 8, 9, 16, 17])('a rebuild writes every row, however many fill a statement: %i Tickets', count => {
  using repo = temporaryRepository({ git: false })
  for (let n = 0; n < count; n++) putTicket(repo.root, `T-${n}`, { decisions: [makeNote('one')] })
  const store = openStore({ root: repo.root })
  try {
    store.rebuild()
    expect(store.index.findMismatch()).toBeNull()
    expect(store.index.peek(queries => queries.counts())).toEqual({ tickets: count, decisions: count, quarantined: 0 })
  } finally {
    store.close()
  }
})
