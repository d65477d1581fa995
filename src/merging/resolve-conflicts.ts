/**
 * Finishes a merge of Ticket files that stopped without the driver: from git's three stages, or from the markers in a file.
 *
 * Invariant: writes a file only where every version of it could be read and the merge by meaning keeps both sides. Everything
 * else stays unchanged and is reported. Never writes over the edits of a person.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Repository } from '../files/repository.ts'
import { readBlobs } from '../git/blobs.ts'
import { stageFiles } from '../git/staging-area.ts'
import { lazy } from '../model/lazy.ts'
import { compareText } from '../model/order.ts'
import type { Phase } from '../model/states.ts'
import { findConflictBase, isTicket } from './conflict-base.ts'
import { readUnedited, replaceFile } from './conflict-files.ts'
import { splitMarkers } from './conflict-markers.ts'
import { type Conflict, groupByTicket, listMergedTickets, listUnmerged, type Version } from './conflict-versions.ts'
import { mergeBytes } from './merge-files.ts'
import { mergeVersions, type Outcome } from './merge-versions.ts'

/** A path from the root, with "/", and a message about it. */
interface PathMessage {
  path: string
  message: string
}

/** The result of a run. Paths are from the root, with "/". */
export interface Resolution {
  /** Merged files, each with the number of losing values that are kept as contested; staged where git had the conflict. */
  resolved: {
    path: string
    contested: number
    staged: boolean
    /** Set where history does not show the base: what one of the sides had removed is back. */
    withoutBase?: true
  }[]
  /** Files that stay although one side deleted them. */
  kept: PathMessage[]
  /** Files that were left unchanged, with what to do. */
  unresolved: PathMessage[]
  /** Paths in conflict that are no Ticket files. */
  others: string[]
}

/**
 * Resolves what can be resolved. The caller holds the write lock.
 * @param marked paths of files that hold markers although git has no conflict there.
 * @throws PlanError io, git_failed.
 */
export function resolveConflicts(
  repository: Repository,
  marked: readonly string[],
  phaseOf: (state: string) => Phase,
): Resolution {
  const none = { versions: [], irregular: [], others: [] }
  const { versions, irregular, others } = repository.gitDir ? listUnmerged(repository) : none
  const resolution: Resolution = { resolved: [], kept: [], unresolved: irregular.map(irregularMessage), others }
  const unmerged = new Set([...irregular, ...versions.map(({ path }) => path)])
  const touched = resolveVersions(repository, versions, phaseOf, resolution)
  for (const path of marked) {
    if (!unmerged.has(path)) resolveMarked(repository, path, phaseOf, resolution)
  }
  if (touched.length > 0) stageFiles(repository.root, touched)
  for (const list of [resolution.resolved, resolution.kept, resolution.unresolved]) {
    list.sort((a, b) => compareText(a.path, b.path))
  }
  return resolution
}

function irregularMessage(path: string): PathMessage {
  const message =
    'one side has a symbolic link or a submodule in place of the Ticket file; put the right file there, then "git add" it'
  return { path, message }
}

/** Resolves conflicts Ticket by Ticket; returns the paths that were written or removed. */
function resolveVersions(
  repository: Repository,
  versions: readonly Version[],
  phaseOf: (state: string) => Phase,
  resolution: Resolution,
): string[] {
  const { root } = repository
  const blobs = readBlobs(
    root,
    versions.map(({ blob }) => blob),
  )
  const mergedTickets = lazy(() => listMergedTickets(repository))
  const bytesOf = (blob: string) => readable(blobs.get(blob) ?? readBlobs(root, [blob]).get(blob))
  const findMerged = (id: string) => mergedTickets().get(id)
  const versionsAt = Map.groupBy(versions, ({ path }) => path)
  /** The contents that a path may have without the work of a person. */
  const contentsAt = (path: string, outcome: Outcome | undefined): Buffer[] => {
    const known = (versionsAt.get(path) ?? []).map(({ blob }) => blobs.get(blob))
    const made = outcome?.path === path ? [outcome.bytes, outcome.merged ?? undefined] : []
    return [...known, ...made].filter(bytes => bytes !== undefined && bytes !== 'too_large')
  }

  const touched: string[] = []
  for (const conflict of groupByTicket(versions, blobs)) {
    try {
      const outcome = mergeVersions(conflict, { bytesOf, findMerged }, phaseOf)
      const paths = new Set([...conflict.paths, ...(outcome ? [outcome.path] : [])])
      const before = new Map([...paths].map(path => [path, readUnedited(root, path, contentsAt(path, outcome))]))
      if (outcome) replaceFile(root, outcome.path, outcome.bytes, before.get(outcome.path)!)
      for (const path of paths) if (path !== outcome?.path) rmSync(join(root, path), { force: true })
      touched.push(...paths)
      report(resolution, conflict, outcome)
    } catch (error) {
      resolution.unresolved.push({ path: pathOf(conflict), message: (error as Error).message })
    }
  }
  return touched
}

function report({ resolved, kept }: Resolution, conflict: Conflict, outcome: Outcome | undefined): void {
  if (!outcome) resolved.push({ path: conflict.versions[0]!.path, contested: 0, staged: true })
  else if (outcome.deletedBy === null) {
    resolved.push({ path: outcome.path, contested: outcome.contested, staged: true })
  } else {
    const message = `${outcome.deletedBy} deleted it, the other side changed it; to delete it anyway, remove the file and "git add" it`
    kept.push({ path: outcome.path, message })
  }
}

function pathOf({ paths, versions }: Conflict): string {
  return paths[0] ?? versions[0]!.path
}

function readable(bytes: Buffer | 'too_large' | undefined): Buffer {
  if (bytes !== undefined && bytes !== 'too_large') return bytes
  const reason = bytes === 'too_large' ? 'too large' : 'missing from git'
  throw new Error(`a version of it is ${reason}; fix the file by hand, then "git add" it`)
}

/** Resolves a file with markers and no stages: its sides are the texts between the markers. */
function resolveMarked(
  { root, gitDir }: Repository,
  path: string,
  phaseOf: (state: string) => Phase,
  resolution: Resolution,
): void {
  try {
    const before = readFileSync(join(root, path))
    const sides = splitMarkers(before.toString())
    if (!sides) throw new Error('its conflict markers are incomplete; fix it by hand')
    const shown = sides.base === null ? undefined : Buffer.from(sides.base)
    const base = isTicket(shown, path) ? shown! : gitDir ? findConflictBase(root, path) : null
    // Without a base both sides count in full: nothing is lost, and what one of them had removed is back.
    const [ours, theirs] = [Buffer.from(sides.ours), Buffer.from(sides.theirs)]
    const { bytes, contested } = mergeBytes(base ?? Buffer.alloc(0), ours, theirs, path, phaseOf)
    replaceFile(root, path, bytes, before)
    const withoutBase = base === null && { withoutBase: true as const }
    resolution.resolved.push({ path, contested: contested.length, staged: false, ...withoutBase })
  } catch (error) {
    resolution.unresolved.push({ path, message: (error as Error).message })
  }
}
