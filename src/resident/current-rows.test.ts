import { readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openStore } from '../store/store.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { until } from '../test-support/until.ts'
import { currentRows } from './current-rows.ts'
import { folderEvents } from './folder-events.ts'
import { CAN_RESIDE } from './place.ts'

describe.skipIf(!CAN_RESIDE)('current rows', () => {
  test('are those of a full scan where the kernel has dropped events', async () => {
    using repository = temporaryRepository()
    const { root, ticketsDir } = repository
    for (const id of ['T-1', 'T-2', 'T-3']) putTicket(root, id, { state: 'queued' })
    const store = openStore({ root })
    const rows = currentRows(store)
    const stateOf = () => store.peek(({ queries }) => queries.ticket('T-1')?.state)
    expect(rows.refresh()).toBe(true)
    expect(stateOf()).toBe('queued')
    const seen = new Map<string | null, number>()
    const events = folderEvents(
      (_, name) => seen.set(name, (seen.get(name) ?? 0) + 1),
      () => {},
    )
    events.add(ticketsDir)
    const queueSize = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'))
    // Of two files in turn, because the kernel merges equal events that follow each other.
    for (let n = 0; n < queueSize; n++) utimesSync(join(ticketsDir, n % 2 ? 'T-2.json' : 'T-3.json'), n, n)
    putTicket(root, 'T-1', { state: 'done' })
    await until('all events that were kept have come', () => (seen.get('T-2.json') ?? 0) >= queueSize / 2 - 10)
    await sleep(50)
    expect(seen.has('T-1.json')).toBe(false)
    expect(rows.refresh()).toBe(true)
    expect(stateOf()).toBe('done')
    rows.close()
    events.clear()
    store.close()
  })

  test('are read for the changed files alone', async () => {
    using repository = temporaryRepository()
    const { root } = repository
    putTicket(root, 'T-1', { state: 'queued' })
    const store = openStore({ root })
    const rows = currentRows(store)
    expect(rows.refresh()).toBe(true)
    let scans = 0
    const { reconcile } = store
    store.reconcile = () => {
      scans++
      return reconcile()
    }
    for (const state of ['open', 'done', 'queued']) {
      putTicket(root, 'T-1', { state })
      await until('the row is the file', () => {
        expect(rows.refresh()).toBe(true)
        return store.peek(({ queries }) => queries.ticket('T-1')?.state) === state
      })
    }
    expect(scans).toBe(0)
    rows.close()
    store.close()
  })
})
