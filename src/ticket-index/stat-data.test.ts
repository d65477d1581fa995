import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import { openStore } from '../store/store.ts'
import { disposable, expectCurrentIndex, makeYoung, waitUntilOld } from '../test-support/index-oracle.ts'
import { makeTicket, putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

describe('a change that stat data hide', () => {
  it('is found: other bytes of the same size, with the old mtime restored', () => {
    using repo = temporaryRepository()
    const path = join(repo.root, putTicket(repo.root, 'A', { title: 'one' }))
    const hourAgo = new Date(Date.now() - 3_600_000)
    utimesSync(path, hourAgo, hourAgo)
    const store = openStore({ root: repo.root })
    const title = () => store.read(({ queries }) => queries.ticket('A')?.title)
    waitUntilOld(repo)
    store.index.rebuild()
    for (const now of ['two', 'six']) {
      writeFileSync(path, encodeTicket(makeTicket('A', { title: now })))
      utimesSync(path, hourAgo, hourAgo)
      expect(title()).toBe(now)
      waitUntilOld(repo)
      expect(title()).toBe(now)
    }
    store.close()
  })

  it('is found: a folder that was moved away and back', () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A', {}, 'sub')
    const store = openStore({ root: repo.root })
    waitUntilOld(repo)
    store.index.rebuild()
    const [here, there] = [join(repo.ticketsDir, 'sub'), join(repo.ticketsDir, 'sub2')]
    for (let round = 0; round < 2; round++) {
      renameSync(here, there)
      expectCurrentIndex(repo, store)
      renameSync(there, here)
      expectCurrentIndex(repo, store)
    }
    store.close()
  })

  it('is found: the tickets folder replaced by another one and back, without any change of its files', () => {
    using repo = temporaryRepository()
    for (const id of ['A', 'B']) putTicket(repo.root, id, { title: 'one' })
    const shelf = join(repo.root, 'shelf')
    renameSync(repo.ticketsDir, shelf)
    for (const id of ['A', 'B']) putTicket(repo.root, id, { title: 'two' })
    const store = openStore({ root: repo.root })
    waitUntilOld(repo)
    store.index.rebuild()
    for (let round = 0; round < 4; round++) {
      renameSync(repo.ticketsDir, `${shelf}2`)
      renameSync(shelf, repo.ticketsDir)
      renameSync(`${shelf}2`, shelf)
      expectCurrentIndex(repo, store)
    }
    store.close()
  })

  it('is found: a second write of the same size within one tick of the clock', () => {
    using repo = temporaryRepository()
    const path = join(repo.root, putTicket(repo.root, 'A', { title: 'one' }))
    const store = openStore({ root: repo.root })
    const title = () => store.read(({ queries }) => queries.ticket('A')?.title)
    makeYoung(path)
    expect(title()).toBe('one')
    writeFileSync(path, encodeTicket(makeTicket('A', { title: 'two' })))
    // As with a clock of coarse ticks: the index gets the stat data of the second write.
    const { mtimeMs, ctimeMs, ino } = statSync(path)
    using index = disposable(new Database(repo.indexPath))
    index.connection.prepare('update files set mtime_ms = ?, ctime_ms = ?, inode = ?').run(mtimeMs, ctimeMs, ino)
    expect(title()).toBe('two')
    store.close()
  })

  it('makes a young file be read again, until it is old', () => {
    using repo = temporaryRepository()
    const path = join(repo.root, putTicket(repo.root, 'A'))
    const store = openStore({ root: repo.root })
    makeYoung(path)
    store.read(() => {})
    const racy = () => {
      using index = disposable(new Database(repo.indexPath, { readonly: true }))
      return index.connection.prepare('select racy from files').pluck().get()
    }
    expect(racy()).toBe(1)
    const hourAgo = new Date(Date.now() - 3_600_000)
    utimesSync(path, hourAgo, hourAgo)
    waitUntilOld(repo)
    store.read(() => {})
    expect(racy()).toBe(0)
    store.close()
  })

  it('does not leave a file in quarantine whose duplicate vanished during a rebuild', () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A')
    putTicket(repo.root, 'A', {}, 'sub')
    const store = openStore({ root: repo.root })
    let hasVanished = false
    // Called after the first file was read and before the second: the file vanishes between listing and reading.
    store.index.rebuild(() => {
      if (!hasVanished) rmSync(join(repo.ticketsDir, 'sub', 'A.json'))
      hasVanished = true
    })
    expect(store.index.peek(queries => queries.quarantined())).toEqual([])
    expect(store.index.findMismatch()).toBeNull()
    expectCurrentIndex(repo, store)
    store.close()
  })
})
