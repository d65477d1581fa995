/**
 * Finds the base of a merge that left conflict markers in a file, in git's history.
 *
 * Only the base of that very merge is right: with any other version as base, what that version has and a side lacks would
 * count as removed.
 */
import { idFromPath } from '../files/ticket-files.ts'
import { readBlobs } from '../git/blobs.ts'
import { tryGit } from '../git/git.ts'
import { decodeTicket } from '../model/canonical-json.ts'
import { hasMarkers } from './conflict-markers.ts'

/** Returns the base; empty where both sides added the file, null where history does not show it. */
export function findConflictBase(root: string, path: string): Buffer | null {
  const merging = output(root, ['rev-parse', '--verify', '--quiet', 'MERGE_HEAD'])
  const parents = merging ? ['HEAD', merging] : parentsOfMarkers(root, path)
  if (parents.length !== 2 || !parents.every(parent => isTicket(readVersion(root, parent, path), path))) return null
  const commit = output(root, ['merge-base', ...parents])
  if (!commit) return null
  const base = readVersion(root, commit, path)
  if (base === undefined) return Buffer.alloc(0)
  return isTicket(base, path) ? base : null
}

/** Returns the parents of the newest merge that has markers in the file while its parents have none. */
function parentsOfMarkers(root: string, path: string): string[] {
  const merges = ['--literal-pathspecs', 'rev-list', '--merges', '--parents', '--max-count=100', 'HEAD', '--', path]
  for (const line of output(root, merges).split('\n').filter(Boolean)) {
    const [merge, ...parents] = line.split(' ')
    if (!hasMarkers(readVersion(root, merge!, path)?.toString() ?? '')) continue
    if (parents.every(parent => isTicket(readVersion(root, parent, path), path))) return parents
  }
  return []
}

function readVersion(root: string, commit: string, path: string): Buffer | undefined {
  const name = `${commit}:${path}`
  const bytes = readBlobs(root, [name]).get(name)
  return bytes === 'too_large' ? undefined : bytes
}

function output(root: string, args: readonly string[]): string {
  const { status, stdout } = tryGit(root, args)
  return status === 0 ? stdout.toString().trim() : ''
}

/** True where the bytes are a valid Ticket with the id of that path. */
export function isTicket(bytes: Buffer | undefined, path: string): boolean {
  try {
    if (!bytes) return false
    decodeTicket(bytes, idFromPath(path))
    return true
  } catch {
    return false
  }
}
