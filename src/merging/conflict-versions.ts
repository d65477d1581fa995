/**
 * The versions of Tickets that git keeps in its index while a merge is in conflict.
 *
 * Reads git's index; groups by Ticket rather than by path, because git can pair a small new Ticket with another Ticket's file
 * as a rename.
 */
import type { Repository } from '../files/repository.ts'
import { idFromPath } from '../files/ticket-files.ts'
import { listIndexEntries } from '../git/staging-area.ts'

/** One version of a Ticket in a conflict. Stage 1 is the base, 2 ours, 3 theirs. */
export interface Version {
  stage: 1 | 2 | 3
  path: string
  blob: string
}

/** The versions of one Ticket. */
export interface Conflict {
  id: string
  versions: Version[]
  /** The paths to write or to remove: those of the versions, without those named after another Ticket in conflict. */
  paths: string[]
}

/** The paths in conflict. */
export interface Unmerged {
  versions: Version[]
  /** Paths of Ticket files where a side has something other than a regular file. */
  irregular: string[]
  /** Paths that are no Ticket files. */
  others: string[]
}

/** Lists the versions of every Ticket file in conflict, and the other paths in conflict. @throws PlanError git_failed. */
export function listUnmerged({ root, config }: Repository): Unmerged {
  const entries = listIndexEntries(root, ['--unmerged', '--full-name'])
  const isTicketFile = (path: string) => path.startsWith(`${config.ticketsDir}/`) && path.endsWith('.json')
  const tickets = entries.filter(({ path }) => isTicketFile(path))
  const irregular = new Set(tickets.filter(({ mode }) => !mode.startsWith('100')).map(({ path }) => path))
  const regular = tickets.filter(({ path }) => !irregular.has(path))
  return {
    versions: regular.map(({ stage, path, blob }) => ({ stage: stage as Version['stage'], path, blob })),
    irregular: [...irregular],
    others: [...new Set(entries.map(({ path }) => path).filter(path => !isTicketFile(path)))].sort(),
  }
}

/** Lists the paths of Ticket files in conflict, from the root; none outside git. */
export function unmergedTickets({ root, gitDir, config }: Repository): string[] {
  if (!gitDir) return []
  const paths = listIndexEntries(root, ['--unmerged', '--full-name', '--', config.ticketsDir]).map(({ path }) => path)
  return [...new Set(paths)].filter(path => path.endsWith('.json'))
}

/** Lists the Ticket files without a conflict, by the id in their names. @throws PlanError git_failed. */
export function listMergedTickets({ root, config }: Repository): Map<string, { path: string; blob: string }> {
  const files = listIndexEntries(root, ['--', config.ticketsDir]).filter(
    ({ mode, stage, path }) => stage === 0 && mode.startsWith('100') && path.endsWith('.json'),
  )
  return new Map(files.map(({ path, blob }) => [idFromPath(path), { path, blob }]))
}

/** Groups versions by the Ticket that they are of. */
export function groupByTicket(
  versions: readonly Version[],
  blobs: ReadonlyMap<string, Buffer | 'too_large'>,
): Conflict[] {
  const bases = new Map(versions.filter(({ stage }) => stage === 1).map(version => [version.path, version]))
  const groups = Map.groupBy(versions, version => idOf(version, bases.get(version.path), blobs))
  return [...groups].map(([id, versions]) => {
    const paths = [...new Set(versions.map(({ path }) => path))]
    const own = paths.filter(path => idFromPath(path) === id || !groups.has(idFromPath(path)))
    return { id, versions, paths: own }
  })
}

/**
 * Returns the id that a version belongs to: that of its path or, where the base at that path has another id too, its own. The
 * latter is so where git paired two Tickets as a rename.
 */
function idOf(
  { path, blob }: Version,
  base: Version | undefined,
  blobs: ReadonlyMap<string, Buffer | 'too_large'>,
): string {
  const own = idIn(blobs.get(blob))
  return own !== undefined && base && own === idIn(blobs.get(base.blob)) ? own : idFromPath(path)
}

/** Returns the id in the text of a Ticket file. */
function idIn(bytes: Buffer | 'too_large' | undefined): string | undefined {
  if (bytes === undefined || bytes === 'too_large') return undefined
  return /^ {2}"id": "([A-Za-z0-9._-]+)"/m.exec(bytes.toString())?.[1]
}
