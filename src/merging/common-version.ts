/** The common version of a merge that left conflict markers in a file, from git's history. */

import { idFromPath } from '../files/ticket-files.ts'
import { readBlobs } from '../git/blobs.ts'
import { tryGit } from '../git/git.ts'
import { decodeTicket } from '../model/canonical-json.ts'
import { hasMarkers } from './conflict-markers.ts'

/**
 * The version from which both sides of the merge come that left the markers; empty where both added the file. A version from
 * any other merge would not do: what it has and a side lacks would count as removed. Null where
 * history does not tell.
 */
export function commonVersion(root: string, path: string): Buffer | null {
  const output = (args: string[]) => {
    const { status, stdout } = tryGit(root, args)
    return status === 0 ? stdout.toString().trim() : ''
  }
  const versionIn = (commit: string) => {
    const bytes = readBlobs(root, [`${commit}:${path}`]).get(`${commit}:${path}`)
    return bytes === 'too_large' ? undefined : bytes
  }
  const isReadable = (commit: string) => isTicket(versionIn(commit) ?? Buffer.alloc(0), path)
  const merging = output(['rev-parse', '--verify', '--quiet', 'MERGE_HEAD'])
  // Newest first: the merge that brought the markers in has them, and its parents do not.
  const merges = ['--literal-pathspecs', 'rev-list', '--merges', '--parents', '--max-count=100', 'HEAD', '--', path]
  const candidates = merging
    ? [['HEAD', merging]]
    : output(merges)
        .split('\n')
        .map(line => line.split(' '))
  const parents = merging
    ? candidates[0]!
    : (
        candidates.find(([merge, ...from]) => {
          return merge && hasMarkers(versionIn(merge)?.toString() ?? '') && from.every(isReadable)
        }) ?? []
      ).slice(1)
  if (parents.length === 2 && parents.every(isReadable)) {
    const base = versionIn(output(['merge-base', ...parents]))
    if (base === undefined || isTicket(base, path)) return base ?? Buffer.alloc(0)
  }
  return null
}

/** True where the bytes are the Ticket of that path. */
export function isTicket(bytes: Buffer, path: string): boolean {
  try {
    decodeTicket(bytes, idFromPath(path))
    return true
  } catch {
    return false
  }
}
