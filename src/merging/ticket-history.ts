/**
 * The same Tickets in other commits: the latest one, and merge bases.
 *
 * Each commit is read once, and only when it is needed.
 */
import { lazy } from '../model/lazy.ts'
import { listMergeBases, listTicketFiles, type TicketFile } from './commit-history.ts'
import type { Missing } from './missing-decisions.ts'
import { readContents, type TicketContent } from './ticket-content.ts'

/** The Tickets of other commits. */
export interface TicketHistory {
  inLatest(id: string): TicketContent
  /** The Ticket in each merge base of two commits. */
  inMergeBases(id: string, one: string, other: string): TicketContent[]
}

/** Returns readers of these Tickets. */
export function ticketHistory(
  root: string,
  ids: readonly string[],
  folders: readonly string[],
  latest: () => ReadonlyMap<string, TicketFile[]> = () => listTicketFiles(root, 'HEAD', folders),
): TicketHistory {
  const reader = (files: ReadonlyMap<string, TicketFile[]>) => {
    const contentOf = readContents(
      root,
      ids.flatMap(id => files.get(id) ?? []),
    )
    return (id: string) => contentOf(files.get(id) ?? [])
  }
  const readers = new Map<string, ReturnType<typeof reader>[]>()
  const inLatest = lazy(() => reader(latest()))
  return {
    inLatest: id => inLatest()(id),
    inMergeBases(id, one, other) {
      const pair = `${one} ${other}`
      const known =
        readers.get(pair) ?? listMergeBases(root, one, other).map(base => reader(listTicketFiles(root, base, folders)))
      readers.set(pair, known)
      return known.map(contentOf => contentOf(id))
    },
  }
}

/** True where a branch of a merge removed what another parent still has as in their merge base. */
export function isRemovedByBranch(
  { id, decision, text, parent, lackedBy }: Missing,
  parents: readonly string[],
  history: TicketHistory,
): boolean {
  const isUnchangedIn = (base: TicketContent) =>
    decision === null ? base.exists : base.decisions.get(decision) === text
  return lackedBy.some(other => history.inMergeBases(id, parents[parent]!, parents[other]!).some(isUnchangedIn))
}
