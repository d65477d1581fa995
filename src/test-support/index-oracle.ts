/** What the index must hold, computed from the files without the code under test; and the age of files. */
import { lstatSync, readdirSync, readFileSync, utimesSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect } from 'vitest'
import { decodeTicket } from '../model/canonical-json.ts'

import type { Ticket } from '../model/ticket.ts'
import type { Store } from '../store/store.ts'
import type { TemporaryRepository } from './temporary-repository.ts'

/** Reads the files below the tickets folder with no code of the project but the codec; `ticket` is null in quarantine. */
function ticketsOnDisk(repo: TemporaryRepository): Map<string, { path: string; ticket: Ticket | null }> {
  const files: { path: string; key: string; ticket: Ticket | null }[] = []
  const walk = (folder: string) => {
    for (const name of readdirSync(join(repo.root, folder))) {
      if (name.startsWith('.')) continue
      const path = `${folder}/${name}`
      const stat = lstatSync(join(repo.root, path))
      if (name.endsWith('.json')) {
        let ticket: Ticket | null = null
        try {
          const id = basename(name, '.json')
          if (stat.isFile()) ticket = decodeTicket(readFileSync(join(repo.root, path)), id).ticket
        } catch {}
        files.push({ path, key: name.toLowerCase(), ticket })
      } else if (stat.isDirectory()) walk(path)
    }
  }
  walk('tickets')
  const isUnique = (key: string) => files.filter(file => file.key === key).length === 1
  return new Map(files.map(({ path, key, ticket }) => [path, { path, ticket: isUnique(key) ? ticket : null }] as const))
}

/** Checks that the store answers what the files say, and that the index equals a rebuild. */
export function expectCurrentIndex(repo: TemporaryRepository, store: Store): void {
  const files = [...ticketsOnDisk(repo).values()]
  const { phaseOf } = store.states
  const answer = store.read(({ queries }) => ({
    tickets: queries
      .allTickets()
      .map(({ id, title, state, phase, path }) => [
        path,
        id,
        title,
        state,
        phase,
        queries.decisionsOf(id).map(decision => decision.id),
      ]),
    quarantined: queries.quarantined().map(({ path }) => path),
  }))
  const tickets = files.flatMap(({ path, ticket }) => {
    if (!ticket) return []
    const decisions = [...ticket.decisions].sort((a, b) => (a.at + a.id < b.at + b.id ? -1 : 1)).map(({ id }) => id)
    return [[path, ticket.id as string, ticket.title, ticket.state, phaseOf(ticket.state), decisions] as const]
  })
  expect(answer.tickets).toEqual(tickets.sort((a, b) => (a[1] < b[1] ? -1 : 1)))
  expect(answer.quarantined).toEqual(files.flatMap(({ path, ticket }) => (ticket ? [] : [path])).sort())
  expect(store.index.findMismatch()).toBeNull()
}

/** Makes a file racy for the length of a test. */
export function makeYoung(path: string): void {
  const inAnHour = new Date(Date.now() + 3_600_000)
  utimesSync(path, inAnHour, inAnHour)
}

/** Waits until no file is racy. */
export function waitUntilOld({ ticketsDir }: TemporaryRepository): void {
  const times = readdirSync(ticketsDir, { recursive: true, encoding: 'utf8' }).map(
    path => lstatSync(join(ticketsDir, path)).ctimeMs,
  )
  const oldFrom = Math.max(0, ...times) + 60
  while (Date.now() <= oldFrom);
}

/** Lets `using` close a connection or a store. */
export function disposable<T extends { close(): unknown }>(connection: T): { connection: T } & Disposable {
  return { connection, [Symbol.dispose]: () => void connection.close() }
}
