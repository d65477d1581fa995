/**
 * Merges the versions of one Ticket that a stopped merge left in git's index.
 *
 * Invariant: keeps what both sides have. A Ticket that one side deleted and the other changed stays; where a version cannot be
 * read, it throws. Writes nothing.
 */
import { dirname } from 'node:path'
import { idFromPath } from '../files/ticket-files.ts'
import type { Phase } from '../model/states.ts'
import { splitMarkers } from './conflict-markers.ts'
import type { Conflict, Version } from './conflict-versions.ts'
import { mergeBytes } from './merge-files.ts'

/** The result for one Ticket: the file to write. */
export interface Outcome {
  path: string
  bytes: Buffer
  contested: number
  /** The side that deleted the Ticket; null where none did. */
  deletedBy: 'our side' | 'their side' | null
  /** The content that the file at `path` has without a conflict; null where the path is in conflict itself. */
  merged: Buffer | null
}

/** The reads that a merge of versions may need. */
export interface VersionReader {
  /** Returns the bytes of a blob; throws where they cannot be read. */
  bytesOf(blob: string): Buffer
  /** Finds the file without a conflict that has the Ticket's id in its name. */
  findMerged(id: string): { path: string; blob: string } | undefined
}

/** Merges the versions of one Ticket; undefined where both sides deleted it. @throws Error where one cannot be read. */
export function mergeVersions(
  { id, versions }: Pick<Conflict, 'id' | 'versions'>,
  { bytesOf, findMerged }: VersionReader,
  phaseOf: (state: string) => Phase,
): Outcome | undefined {
  const [base, ours, theirs] = ([1, 2, 3] as const).map(stage => versionOf(id, versions, stage))
  const merge = (ourBytes: Buffer, theirBytes: Buffer, baseBytes = readBase()) => {
    try {
      return mergeBytes(baseBytes, ourBytes, theirBytes, `${id}.json`, phaseOf)
    } catch (error) {
      throw new Error(`${(error as Error).message}; fix the file by hand, then "git add" it`)
    }
  }
  const readBase = (): Buffer => {
    if (!base) return Buffer.alloc(0)
    const bytes = bytesOf(base.blob)
    // The base of branches that merged each other is itself a merge, and may contain markers.
    const sides = splitMarkers(bytes.toString())
    return sides ? merge(Buffer.from(sides.ours), Buffer.from(sides.theirs), Buffer.alloc(0)).bytes : bytes
  }

  if (ours && theirs) {
    // Where both sides moved the file, git makes one text merge and stores it as both sides.
    const sides = ours.blob === theirs.blob ? splitMarkers(bytesOf(ours.blob).toString()) : null
    const { bytes, contested } = sides
      ? merge(Buffer.from(sides.ours), Buffer.from(sides.theirs))
      : merge(bytesOf(ours.blob), bytesOf(theirs.blob))
    return { path: pathOf(id, ours, theirs), bytes, contested: contested.length, deletedBy: null, merged: null }
  }
  const left = ours ?? theirs
  if (!left) return undefined
  const bytes = bytesOf(left.blob)
  // The other side may have moved it to another folder, and changed it so much that git did not detect a rename.
  const moved = findMerged(id)
  if (moved) {
    const merged = bytesOf(moved.blob)
    const result = ours ? merge(bytes, merged) : merge(merged, bytes)
    const contested = result.contested.length
    return { path: moved.path, bytes: result.bytes, contested, deletedBy: null, merged }
  }
  const deletedBy = base ? (ours ? 'their side' : 'our side') : null
  return { path: pathOf(id, left), bytes: merge(bytes, bytes, bytes).bytes, contested: 0, deletedBy, merged: null }
}

function versionOf(id: string, versions: readonly Version[], stage: Version['stage']): Version | undefined {
  const [found, ...more] = versions.filter(version => version.stage === stage)
  if (more.length === 0) return found
  const paths = versions.filter(version => version.stage === stage).map(({ path }) => path)
  throw new Error(`two files have the id ${id}: ${paths.join(' and ')}; remove one of them, then "git add" both`)
}

/** Returns the path for the Ticket: the first of the versions' paths that has its id, or one beside them. */
function pathOf(id: string, ...versions: [Version, ...Version[]]): string {
  const named = versions.map(({ path }) => path).filter(path => idFromPath(path) === id)
  return named.sort()[0] ?? `${dirname(versions[0].path)}/${id}.json`
}
