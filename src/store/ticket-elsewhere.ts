/**
 * Finds a Ticket in another worktree of the clone, wherever that one has it: another branch may have moved the file, or the
 * tickets folder, and a sparse checkout may leave both out.
 *
 * Invariant: the file at the same path is tried first, and the rest of the worktree is searched only where that is absent.
 * Writes nothing, and never opens the index of the other worktree.
 */
import { join } from 'node:path'
import { readConfig } from '../files/config.ts'
import { readGitDir } from '../files/git-folder.ts'
import { CONFIG_FILE, checkFolders } from '../files/repository.ts'
import { findTicketFile, idFromPath } from '../files/ticket-files.ts'
import { listTicketPaths } from '../files/ticket-listing.ts'
import { readFetchedBlobs } from '../git/blobs.ts'
import { findSparseIndex } from '../git/left-out-files.ts'
import { isPlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import type { Ticket } from '../model/ticket.ts'
import { leftOutStat, readLeftOut } from '../ticket-index/left-out-file.ts'
import { listLeftOutTickets } from '../ticket-index/left-out-list.ts'

/** A Ticket of another worktree, or the file that may have it and cannot be read. */
export type Elsewhere = { ticket: Ticket } | { unread: string; message: string }

/** Returns a function that finds a Ticket in a worktree, given by id and by its path in this checkout. It lists files once. */
export function ticketFinder(worktree: string): (id: string, path: string) => Elsewhere[] {
  const others = lazy(() => listOthers(worktree))
  return (id, path) => {
    try {
      // A folder that is a link is refused before a file in it is opened.
      const file = checkFolders(worktree, join(worktree, path, '..')) ? findTicketFile(worktree, path) : undefined
      const files = file ? [file] : others()(id)
      return files.map(found =>
        found.readable ? { ticket: found.ticket } : { unread: found.path, message: found.message },
      )
    } catch (error) {
      if (!isPlanError(error)) throw error
      const { path: failed = worktree } = error.data as { path?: string }
      return [{ unread: failed, message: error.message }]
    }
  }
}

/** Lists the Tickets of a worktree, and returns a function that reads those of an id. @throws PlanError. */
function listOthers(root: string) {
  const config = readConfig(join(root, CONFIG_FILE))
  const ticketsDir = join(root, config.ticketsDir)
  const paths = checkFolders(root, ticketsDir) ? listTicketPaths({ root, ticketsDir }) : []
  const pathsById = Map.groupBy(paths, idFromPath)
  const gitDir = readGitDir(join(root, '.git'))
  const sparse = gitDir === null ? undefined : findSparseIndex(gitDir)
  const leftOut = sparse ? [...listLeftOutTickets({ root, config }, sparse.hasPatterns).values()] : []
  const leftOutById = Map.groupBy(leftOut, ({ path }) => idFromPath(path))
  return (id: string) => {
    const present = (pathsById.get(id) ?? []).map(path => findTicketFile(root, path)).filter(file => file !== undefined)
    if (present.length > 0) return present // a file of the work tree wins
    const files = leftOutById.get(id) ?? []
    const blobs = readFetchedBlobs(root, new Set(files.map(({ blob }) => blob)))
    return files.map(file => readLeftOut(file, blobs.get(file.blob), leftOutStat(file)))
  }
}
