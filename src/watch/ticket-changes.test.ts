import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore, type Store } from '../store/store.ts'
import { makeNote, putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { compareFiles, type KnownFiles, readFiles } from './ticket-changes.ts'

const summary = ({ path, change, decisions, removed }: ReturnType<typeof compareFiles>['changes'][number]) => [
  path,
  change,
  decisions.length,
  removed.length,
]

function compare(store: Store, known: KnownFiles) {
  const { changes, now } = store.read(({ queries }) => compareFiles(known, queries))
  expect(store.read(({ queries }) => compareFiles(now, queries).changes)).toEqual([])
  return { changes: changes.map(summary), now }
}

test('a copy of a Ticket puts both files into quarantine, and removals name each decision at most once', () => {
  using repo = temporaryRepository()
  const original = putTicket(repo.root, 'A', { decisions: [makeNote('x')] })
  const store = openStore({ root: repo.root })
  const known = store.read(({ queries }) => readFiles(queries))
  const copy = putTicket(repo.root, 'A', { decisions: [makeNote('y')] }, 'sub')
  const copied = compare(store, known)
  expect(copied.changes).toEqual([
    [original, 'quarantined', 0, 0],
    [copy, 'quarantined', 0, 0],
  ])
  rmSync(join(repo.root, copy))
  expect(compare(store, copied.now).changes).toEqual([[original, 'changed', 0, 0]])
  rmSync(join(repo.root, original))
  expect(compare(store, copied.now).changes).toEqual([
    [original, 'removed', 0, 1],
    [copy, 'removed', 0, 0],
  ])
  store.close()
})

test('a file that moves stays the same Ticket, and only its new decisions are added', () => {
  using repo = temporaryRepository()
  const decision = makeNote('x')
  const before = putTicket(repo.root, 'A', { decisions: [decision] })
  const store = openStore({ root: repo.root })
  const known = store.read(({ queries }) => readFiles(queries))
  rmSync(join(repo.root, before))
  const after = putTicket(repo.root, 'A', { decisions: [decision, makeNote('y')] }, 'sub')
  expect(compare(store, known).changes).toEqual([[after, 'changed', 1, 0]])
  store.close()
})
