import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { pause } from '../files/pause.ts'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import { readFencingMark, writeFencingMark } from './fencing-mark.ts'
import { localDatabase } from './local-database.ts'
import { isQueueEmpty, joinQueue } from './lock-queue.ts'
import type { Connection } from './open.ts'
import { writeLock } from './write-lock.ts'

const busy = expect.objectContaining({ code: 'busy' })
const insertEntry = (connection: Connection, holder: string) =>
  connection
    .prepare("insert into claim_log (at, action, ticket_id, holder, token) values ('', 'acquired', 'A', ?, 1)")
    .run(holder)

test.each([
  ['removed with its companions', ['', '-wal', '-shm', '-journal']],
  ['removed alone', ['']],
])('a writer keeps others out while local.db is %s, and what it then writes to claims is not acknowledged', (_, suffixes) => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'local.db')
  const [one, two] = [localDatabase(path, 20), localDatabase(path, 20)]
  one.write(connection => insertEntry(connection, 'first'))
  const failing = () =>
    one.locked(() => {
      for (const suffix of suffixes) rmSync(path + suffix, { force: true })
      expect(() => two.locked(() => 'never')).toThrow(busy)
      one.write(connection => insertEntry(connection, 'lost'))
    })
  expect(failing).toThrow(
    expect.objectContaining({
      code: 'database',
      message: expect.stringMatching(/removed or replaced.*run the command again/),
    }),
  )
  two.write(connection => insertEntry(connection, 'kept'))
  one.close() // must not take the log of the new file with it
  const holders = () => two.read(connection => connection!.prepare('select holder from claim_log').pluck().all())
  expect(holders()).toEqual(['kept'])
  two.close()
  const third = new Database(path, { readonly: true })
  expect(third.prepare('select holder from claim_log').pluck().all()).toEqual(['kept'])
  third.close()
})

test('a claim of a process whose local.db was removed before survives the end of every other process', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'local.db')
  const notices: string[] = []
  const [old, next] = [localDatabase(path, 1000, notice => notices.push(notice)), localDatabase(path, 1000)]
  old.write(connection => insertEntry(connection, 'first'))
  writeFencingMark(folder.path, 1)
  rmSync(path)
  next.write(connection => insertEntry(connection, 'second'))
  old.write(connection => insertEntry(connection, 'third'))
  expect(notices).toEqual([expect.stringMatching(/local\.db was removed or replaced.*claims are lost/)])
  old.close()
  next.close()
  const connection = new Database(path, { readonly: true })
  expect(connection.prepare('select holder from claim_log order by sequence').pluck().all()).toEqual([
    'second',
    'third',
  ])
  connection.close()
})

test('a lock whose file was removed or replaced is noticed before anything is written', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'local.db')
  const local = localDatabase(path, 20)
  const stale = expect.objectContaining({
    code: 'io',
    data: { path: join(folder.path, 'write-lock'), syscallCode: 'ESTALE' },
  })
  for (const replace of [() => {}, () => writeFileSync(join(folder.path, 'write-lock'), '')]) {
    const failing = () =>
      local.locked(() => {
        local.checkLock()
        renameSync(join(folder.path, 'write-lock'), join(folder.path, 'elsewhere'))
        replace()
        expect(() => local.checkLock()).toThrow(stale)
        local.write(connection => insertEntry(connection, 'lost'))
      })
    expect(failing).toThrow(stale)
  }
  local.write(connection => insertEntry(connection, 'kept'))
  expect(local.read(connection => connection!.prepare('select holder from claim_log').pluck().all())).toEqual(['kept'])
  local.close()
})

test('processes that wait have places in the order in which they came; one that ended is passed over', async () => {
  using folder = temporaryFolder()
  const places: ReturnType<typeof joinQueue>[] = []
  for (let count = 0; count < 4; count++) {
    places.push(joinQueue(folder.path))
    await new Promise(resolve => setTimeout(resolve, 3))
  }
  const positions = () => places.map(place => place.position())
  expect(positions()).toEqual([0, 1, 2, 3])
  places[1]!.leave()
  expect(places[2]!.position()).toBe(1)
  // The first one was killed: it does not touch its file any more.
  const [first] = readdirSync(folder.path).sort()
  utimesSync(join(folder.path, first!), new Date(Date.now() - 5000), new Date(Date.now() - 5000))
  expect(places[3]!.position()).toBe(1)
  expect(places[2]!.position()).toBe(0)
  places[2]!.leave()
  places[3]!.leave()
  expect(isQueueEmpty(folder.path)).toBe(true)
})

test('a process that comes to a free lock waits behind those that were there before', () => {
  using folder = temporaryFolder()
  const place = joinQueue(folder.path)
  pause(2) // places of one millisecond are in no order
  const lock = writeLock(join(folder.path, 'write-lock'), 50)
  expect(() => lock.acquire()).toThrow(busy)
  place.leave()
  lock.acquire()
  lock.release()
  expect(isQueueEmpty(folder.path)).toBe(true)
  lock.close()
})

test('the highest token only grows, and is not written through a link', () => {
  using folder = temporaryFolder()
  using outside = temporaryFolder()
  writeFencingMark(folder.path, 7)
  for (const token of [6, 7])
    expect(() => writeFencingMark(folder.path, token)).toThrow(expect.objectContaining({ code: 'contended' }))
  expect(readFencingMark(folder.path)).toBe(7)
  expect(readdirSync(folder.path)).toEqual(['fencing-token'])

  const target = join(outside.path, 'settings')
  writeFileSync(target, 'precious')
  for (const name of ['fencing-token', 'fencing-token.tmp', 'local.db', 'local.db-journal', 'write-lock']) {
    using linked = temporaryFolder()
    symlinkSync(target, join(linked.path, name))
    const local = localDatabase(join(linked.path, 'local.db'), 20)
    const write = () =>
      local.write(() => {
        readFencingMark(linked.path)
        writeFencingMark(linked.path, 9)
      })
    if (name === 'fencing-token.tmp') write()
    else
      expect(write, name).toThrow(
        expect.objectContaining({ code: 'unsafe_path', data: { path: join(linked.path, name) } }),
      )
    local.close()
    expect(readFileSync(target, 'utf8')).toBe('precious')
  }
  expect(existsSync(target)).toBe(true)
})
