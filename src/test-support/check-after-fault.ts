/** Checks what must be true after every fault. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { findRepository } from '../files/repository.ts'
import { idFromPath } from '../files/ticket-files.ts'
import { listTicketPaths } from '../files/ticket-listing.ts'
import { decodeTicket } from '../model/canonical-json.ts'
import { openStore } from '../store/store.ts'
import { errorOf, type Run } from './run-cli.ts'

/** A decision whose writer got the answer that it is recorded. */
export interface Acknowledged {
  ticket: string
  decision: string
}

/**
 * Expects that every file is a complete, canonical Ticket, every acknowledged decision is in its file, the reconciled index
 * equals a rebuild, and the write lock is free.
 */
export function checkAfterFault(root: string, acknowledged: readonly Acknowledged[]): void {
  checkFiles(root, acknowledged)
  const store = openStore({ root, actor: 'tester' })
  try {
    store.index.reconcile()
    expect(store.index.findMismatch()).toBeNull()
    expect(store.locked(() => 'free')).toBe('free')
  } finally {
    store.close()
  }
}

/** Checks the files alone, which is possible while others write. */
export function checkFiles(root: string, acknowledged: readonly Acknowledged[]): void {
  const found = new Set<string>()
  for (const path of listTicketPaths(findRepository(root))) {
    const { ticket, canonical } = decodeTicket(readFileSync(join(root, path)), idFromPath(path))
    expect(canonical, path).toBe(true)
    for (const { id } of ticket.decisions) found.add(`${ticket.id} ${id}`)
  }
  const lost = acknowledged.filter(({ ticket, decision }) => !found.has(`${ticket} ${decision}`))
  expect(lost, 'acknowledged decisions that are lost').toEqual([])
}

/** Expects that a run with `--json` failed with exit status 1 and a named error. Returns its code. */
export function expectNamedFailure(run: Run): string {
  expect(run, run.stderr).toMatchObject({ status: 1, signal: null })
  const { code, message } = errorOf(run)
  expect(code, message).not.toBe('internal')
  expect(message).not.toBe('')
  return code
}
