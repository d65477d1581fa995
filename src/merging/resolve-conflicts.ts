/**
 * Finishes a merge of Ticket files that stopped without the driver: from git's three stages, or from the markers in a file.
 *
 * Invariant: a file is only written where every version that went into it could be read and the merge by meaning keeps both
 * sides; whatever else is found stays as it is, and is reported. A file that somebody has mended by hand is not touched.
 */
import { lstatSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeFileAtomically } from '../files/atomic-write.ts'
import { checkFolders, type Repository } from '../files/repository.ts'
import { idFromPath } from '../files/ticket-files.ts'
import { readBlobs } from '../git/blobs.ts'
import { listIndexEntries, stageFiles } from '../git/staging-area.ts'
import { lazy } from '../model/lazy.ts'
import { compareText } from '../model/order.ts'
import type { Phase } from '../model/phase.ts'
import { commonVersion, isTicket } from './common-version.ts'
import { hasMarkers, splitMarkers } from './conflict-markers.ts'
import { mergeBytes } from './merge-files.ts'

/** What became of the conflicts. Paths are from the root, with "/". */
export interface Resolution {
  /** Merged, with the number of values that lost and are kept as contested; staged where git knew of the conflict. */
  resolved: {
    path: string
    contested: number
    staged: boolean
    /** Set where history does not tell from which version the sides come: what one of them had removed is back. */
    withoutBase?: true
  }[]
  /** Kept although one side deleted it. */
  kept: { path: string; message: string }[]
  /** Left as they are, with what to do. */
  unresolved: { path: string; message: string }[]
  /** Conflicts of other files, which are not ours to resolve. */
  others: string[]
}

/** One version of a Ticket in a conflict. Stage 1 is the common version, 2 ours, 3 theirs. */
interface Version {
  stage: 1 | 2 | 3
  path: string
  blob: string
}

/** What is to be done about one Ticket. */
interface Outcome {
  path: string
  bytes: Buffer
  contested: number
  /** Where one side deleted it: which. */
  deletedBy: string | null
  /** What may stand at the path beside the versions: the file of a Ticket that has moved there. */
  standing: Buffer | null
}

/** What one run looks things up in. */
interface Conflicts {
  repository: Repository
  /** By path. */
  versions: ReadonlyMap<string, readonly Version[]>
  blobs: ReadonlyMap<string, Buffer | 'too_large'>
  phaseOf: (state: string) => Phase
  /** The Ticket files that are in no conflict, by the id that their names say. */
  settled(): ReadonlyMap<string, { path: string; blob: string }>
}

/**
 * Resolves what can be resolved. Called under the write lock.
 * @param marked paths of files that hold markers although git knows of no conflict there.
 * @throws PlanError io, git_failed.
 */
export function resolveConflicts(
  repository: Repository,
  marked: readonly string[],
  phaseOf: (state: string) => Phase,
): Resolution {
  const resolution: Resolution = { resolved: [], kept: [], unresolved: [], others: [] }
  const versions = repository.gitDir ? listVersions(repository, resolution) : []
  const unmerged = new Set([...versions, ...resolution.unresolved].map(({ path }) => path))
  const staged = resolveVersions(repository, versions, phaseOf, resolution)
  for (const path of marked) {
    if (!unmerged.has(path)) resolveMarked(repository, path, phaseOf, resolution)
  }
  if (staged.length > 0) stageFiles(repository.root, staged)
  for (const list of [resolution.resolved, resolution.kept, resolution.unresolved]) {
    list.sort((a, b) => compareText(a.path, b.path))
  }
  return resolution
}

/** The Ticket files that git has not merged yet, from the root; none outside git. */
export function unmergedTickets({ root, gitDir, config }: Repository): string[] {
  if (!gitDir) return []
  const paths = listIndexEntries(root, ['--unmerged', '--full-name', '--', config.ticketsDir]).map(({ path }) => path)
  return [...new Set(paths)].filter(path => path.endsWith('.json'))
}

/** The stages of every conflict in a Ticket file; the others are noted. */
function listVersions({ root, config }: Repository, resolution: Resolution): Version[] {
  const versions: Version[] = []
  const others = new Set<string>()
  const odd = new Set<string>()
  for (const entry of listIndexEntries(root, ['--unmerged', '--full-name'])) {
    const { mode, blob, stage, path } = entry
    if (!path.startsWith(`${config.ticketsDir}/`) || !path.endsWith('.json')) others.add(path)
    else if (!mode.startsWith('100')) odd.add(path)
    else versions.push({ stage: stage as Version['stage'], path, blob })
  }
  resolution.others.push(...[...others].sort())
  const message =
    'one side has a link or a submodule in place of the Ticket file: put right what stands there, then "git add" it'
  resolution.unresolved.push(...[...odd].map(path => ({ path, message })))
  return versions.filter(({ path }) => !odd.has(path))
}

/** Resolves conflicts Ticket by Ticket; the paths that were written or removed. */
function resolveVersions(
  repository: Repository,
  versions: readonly Version[],
  phaseOf: (state: string) => Phase,
  resolution: Resolution,
): string[] {
  const { root, config } = repository
  const blobs = readBlobs(
    root,
    versions.map(({ blob }) => blob),
  )
  const settled = lazy(() => {
    const entries = listIndexEntries(root, ['--', config.ticketsDir])
    const files = entries.filter(
      ({ mode, stage, path }) => stage === 0 && mode.startsWith('100') && path.endsWith('.json'),
    )
    return new Map(files.map(({ path, blob }) => [idFromPath(path), { path, blob }]))
  })
  const byPath = Map.groupBy(versions, ({ path }) => path)
  const conflicts: Conflicts = { repository, versions: byPath, blobs, phaseOf, settled }
  // git takes a small new Ticket for another one renamed: then the common version too gives itself another id than its path.
  const idOf = ({ path, blob }: Version) => {
    const own = idIn(blobs.get(blob))
    const base = byPath.get(path)!.find(({ stage }) => stage === 1)
    return own !== undefined && base && own === idIn(blobs.get(base.blob)) ? own : idFromPath(path)
  }
  const groups = Map.groupBy(versions, idOf)
  const touched: string[] = []
  for (const [id, group] of groups) {
    const paths = [...new Set(group.map(({ path }) => path))]
    // A path that bears another Ticket's id is that one's.
    const own = paths.filter(path => idFromPath(path) === id || !groups.has(idFromPath(path)))
    try {
      const outcome = mergeVersions(conflicts, id, group)
      const found = new Map(
        [...own, ...(outcome ? [outcome.path] : [])].map(path => [path, untouched(conflicts, path, outcome)]),
      )
      if (outcome) {
        const { path, bytes, contested, deletedBy } = outcome
        write(root, path, bytes, found.get(path)!)
        if (deletedBy === null) resolution.resolved.push({ path, contested, staged: true })
        else {
          const message = `${deletedBy} deleted it, the other side changed it; to delete it all the same, remove the file and "git add" it`
          resolution.kept.push({ path, message })
        }
      } else resolution.resolved.push({ path: paths[0]!, contested: 0, staged: true })
      for (const path of found.keys()) {
        if (path !== outcome?.path) rmSync(join(root, path), { force: true })
        touched.push(path)
      }
    } catch (error) {
      resolution.unresolved.push({ path: own[0] ?? paths[0]!, message: (error as Error).message })
    }
  }
  return touched
}

/** The versions of one Ticket as one; undefined where both sides deleted it. @throws where one cannot be read. */
function mergeVersions(conflicts: Conflicts, id: string, group: readonly Version[]): Outcome | undefined {
  const { repository, blobs, phaseOf, settled } = conflicts
  const side = (stage: Version['stage']) => {
    const found = group.filter(version => version.stage === stage)
    if (found.length > 1) throw new Error(`the id ${id} stands in ${found.map(({ path }) => path).join(' and ')}`)
    return found[0]
  }
  const [base, ours, theirs] = [side(1), side(2), side(3)]
  const merge = (ourBytes: Buffer, theirBytes: Buffer, baseBytes = commonBytes()) => {
    try {
      return mergeBytes(baseBytes, ourBytes, theirBytes, `${id}.json`, phaseOf)
    } catch (error) {
      throw new Error(`${(error as Error).message}: mend the file by hand, then "git add" it`)
    }
  }
  const bytesOf = ({ blob }: Version): Buffer => readable(blobs.get(blob))
  const commonBytes = (): Buffer => {
    if (!base) return Buffer.alloc(0)
    const bytes = bytesOf(base)
    // Of branches that merged each other, the common version is itself a merge, and may hold markers.
    const sides = splitMarkers(bytes.toString())
    return sides ? merge(Buffer.from(sides.ours), Buffer.from(sides.theirs), Buffer.alloc(0)).bytes : bytes
  }
  if (ours && theirs) {
    const path = [ours.path, theirs.path].filter(path => idFromPath(path) === id).sort()[0] ?? besides(ours.path, id)
    // Where both sides moved the file, git makes one text merge and takes it for both.
    const sides = ours.blob === theirs.blob ? splitMarkers(bytesOf(ours).toString()) : null
    const { bytes, contested } = sides
      ? merge(Buffer.from(sides.ours), Buffer.from(sides.theirs))
      : merge(bytesOf(ours), bytesOf(theirs))
    return { path, bytes, contested: contested.length, deletedBy: null, standing: null }
  }
  const left = ours ?? theirs
  if (!left) return undefined
  // The other side may have moved it to another folder, and changed it so much that git does not see that.
  const moved = settled().get(id)
  if (moved) {
    const standing = readable(readBlobs(repository.root, [moved.blob]).get(moved.blob))
    const [ourBytes, theirBytes] = ours ? [bytesOf(left), standing] : [standing, bytesOf(left)]
    const { bytes, contested } = merge(ourBytes, theirBytes)
    return { path: moved.path, bytes, contested: contested.length, deletedBy: null, standing }
  }
  const path = idFromPath(left.path) === id ? left.path : besides(left.path, id)
  const bytes = bytesOf(left)
  const deletedBy = base ? (ours ? 'their side' : 'our side') : null
  return { path, bytes: merge(bytes, bytes, bytes).bytes, contested: 0, deletedBy, standing: null }
}

function readable(bytes: Buffer | 'too_large' | undefined): Buffer {
  if (bytes !== undefined && bytes !== 'too_large') return bytes
  throw new Error('a version of it is too large, or gone from git: mend the file by hand, then "git add" it')
}

/**
 * The bytes of the file in the work tree, null where there is none. Fails where a person has worked on it: it is then neither
 * a version, nor the outcome, nor lines of the versions between markers.
 */
function untouched({ repository, versions, blobs }: Conflicts, path: string, outcome?: Outcome): Buffer | null {
  const absolute = join(repository.root, path)
  checkFolders(repository.root, dirname(absolute))
  const stat = lstatSync(absolute, { throwIfNoEntry: false })
  if (!stat) return null
  if (!stat.isFile()) throw new Error('a link or a folder stands in its place: move it away and run the command again')
  const now = readFileSync(absolute)
  const known = (versions.get(path) ?? []).map(({ blob }) => blobs.get(blob))
  if (outcome?.path === path) known.push(outcome.bytes, outcome.standing ?? undefined)
  const texts = known.filter(bytes => bytes !== undefined && bytes !== 'too_large')
  if (texts.some(bytes => bytes.equals(now))) return now
  const lines = new Set(texts.flatMap(linesOf))
  if (hasMarkers(now.toString()) && linesOf(now).every(line => lines.has(line) || hasMarkers(line))) return now
  throw new Error('it was changed by hand since the merge stopped: "git add" it if it is as it should be')
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString().split(/\r?\n/)
}

/** Puts the bytes in place of those that were found there. */
function write(root: string, path: string, bytes: Buffer, found: Buffer | null): void {
  if (found?.equals(bytes)) return
  const absolute = join(root, path)
  mkdirSync(dirname(absolute), { recursive: true })
  const mode = found === null ? undefined : statSync(absolute).mode
  const stillExpected = () => found === null || readFileSync(absolute).equals(found)
  if (writeFileAtomically(absolute, bytes, { create: found === null, mode, stillExpected }) === 'replaced') return
  throw new Error('it was changed meanwhile: run the command again')
}

/** A file with markers and no stages: its two sides are what stands between them. */
function resolveMarked(
  { root, gitDir }: Repository,
  path: string,
  phaseOf: (state: string) => Phase,
  resolution: Resolution,
): void {
  try {
    const before = readFileSync(join(root, path))
    const sides = splitMarkers(before.toString())
    if (!sides) throw new Error('its conflict markers do not close: mend it by hand')
    const shown = sides.base === null ? null : Buffer.from(sides.base)
    const base = shown && isTicket(shown, path) ? shown : gitDir ? commonVersion(root, path) : null
    // Without it both sides count in full: nothing is lost, and what one of them had removed is back.
    const { bytes, contested } = mergeBytes(
      base ?? Buffer.alloc(0),
      Buffer.from(sides.ours),
      Buffer.from(sides.theirs),
      path,
      phaseOf,
    )
    write(root, path, bytes, before)
    const withoutBase = base === null && { withoutBase: true as const }
    resolution.resolved.push({ path, contested: contested.length, staged: false, ...withoutBase })
  } catch (error) {
    resolution.unresolved.push({ path, message: (error as Error).message })
  }
}

/** The id that a version gives itself. */
function idIn(bytes: Buffer | 'too_large' | undefined): string | undefined {
  if (bytes === undefined || bytes === 'too_large') return undefined
  return /^ {2}"id": "([A-Za-z0-9._-]+)"/m.exec(bytes.toString())?.[1]
}

function besides(path: string, id: string): string {
  return `${dirname(path)}/${id}.json`
}
