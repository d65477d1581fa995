/**
 * Finishes a merge of Ticket files that stopped without the driver: from git's three stages, or from the markers in a file.
 *
 * Invariant: a file is only written where every version that went into it could be read and the merge by meaning keeps both
 * sides; whatever else is found stays as it is, and is reported. A file that somebody has mended by hand is not touched.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { writeFileAtomically } from '../files/atomic-write.ts'
import { runGit, tryGit } from '../files/git.ts'
import { readBlobs } from '../files/git-blobs.ts'
import type { Repository } from '../files/repository.ts'
import { checkFolders } from '../files/repository.ts'
import { idFromPath } from '../files/ticket-files.ts'
import { PlanError } from '../model/errors.ts'
import type { Phase } from '../model/phase.ts'
import { splitMarkers } from './conflict-markers.ts'
import { mergeBytes } from './merge-files.ts'

/** What became of the conflicts. Paths are from the root, with "/". */
export interface Resolution {
  /** Merged, with the number of values that lost and are kept as contested. */
  resolved: { path: string; contested: number }[]
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
  /** Paths that go, because the Ticket stands at another now. */
  gone: string[]
  /** Where one side deleted it: which. */
  deletedBy: string | null
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
  const staged = resolveVersions(repository, versions, phaseOf, resolution)
  const unmerged = new Set(versions.map(({ path }) => path))
  for (const path of marked) {
    if (!unmerged.has(path)) resolveMarked(repository, path, phaseOf, resolution)
  }
  if (staged.length > 0) stage(repository, staged)
  for (const list of [resolution.resolved, resolution.kept, resolution.unresolved]) {
    list.sort((a, b) => (a.path < b.path ? -1 : 1))
  }
  return resolution
}

/** The stages of every conflict in a Ticket file; the others are noted. */
function listVersions({ root, config }: Repository, resolution: Resolution): Version[] {
  const versions: Version[] = []
  const others = new Set<string>()
  const entries = runGit(root, ['ls-files', '--unmerged', '-z', '--full-name']).toString().split('\0').filter(Boolean)
  for (const entry of entries) {
    const [, mode, blob, stage, path] = /^(\d+) (\w+) ([123])\t([\s\S]+)$/.exec(entry) ?? []
    if (!mode || !blob || !path) continue
    if (!path.startsWith(`${config.ticketsDir}/`) || !path.endsWith('.json')) others.add(path)
    else if (!mode.startsWith('100')) {
      resolution.unresolved.push({ path, message: 'one side has a link or a submodule in place of the Ticket file' })
    } else versions.push({ stage: Number(stage) as Version['stage'], path, blob })
  }
  resolution.others.push(...[...others].sort())
  const odd = new Set(resolution.unresolved.map(({ path }) => path))
  return versions.filter(({ path }) => !odd.has(path))
}

/** Resolves conflicts Ticket by Ticket; the paths that were written or removed. */
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
  // By the id that each version gives itself: git takes a small new Ticket for another one renamed.
  const groups = new Map<string, Version[]>()
  for (const version of versions) {
    const id = idIn(blobs.get(version.blob)) ?? idFromPath(version.path)
    groups.set(id, [...(groups.get(id) ?? []), version])
  }
  const touched: string[] = []
  for (const [id, group] of groups) {
    const paths = [...new Set(group.map(({ path }) => path))]
    try {
      for (const path of paths) if (idFromPath(path) === id) checkUntouched(root, path, versions, blobs)
      const outcome = mergeVersions(repository, id, group, blobs, phaseOf)
      if (outcome) {
        checkFolders(root, dirname(join(root, outcome.path)))
        writeFileAtomically(join(root, outcome.path), outcome.bytes, { create: false, stillExpected: () => true })
        touched.push(outcome.path)
        const { path, contested, deletedBy } = outcome
        if (deletedBy === null) resolution.resolved.push({ path, contested })
        else {
          const message = `${deletedBy} deleted it, the other side changed it: it is kept; to delete it all the same, "git rm" it`
          resolution.kept.push({ path, message })
        }
      } else resolution.resolved.push({ path: paths[0]!, contested: 0 })
      for (const path of outcome?.gone ?? paths) {
        if (idFromPath(path) === id) rmSync(join(root, path), { force: true })
        if (idFromPath(path) === id || !groups.has(idFromPath(path))) touched.push(path)
      }
    } catch (error) {
      resolution.unresolved.push({ path: paths[0]!, message: (error as Error).message })
    }
  }
  return touched
}

/** The versions of one Ticket as one; undefined where both sides deleted it. @throws where one cannot be read. */
function mergeVersions(
  { root, config }: Repository,
  id: string,
  group: readonly Version[],
  blobs: ReadonlyMap<string, Buffer | 'too_large'>,
  phaseOf: (state: string) => Phase,
): Outcome | undefined {
  const side = (stage: Version['stage']) => {
    const found = group.filter(version => version.stage === stage)
    if (found.length > 1) throw new Error(`the id ${id} stands in ${found.map(({ path }) => path).join(' and ')}`)
    return found[0]
  }
  const bytesOf = (version: Version | undefined): Buffer => {
    const bytes = version ? blobs.get(version.blob) : Buffer.alloc(0)
    if (bytes === undefined || bytes === 'too_large') throw new Error('a version of it is too large, or gone from git')
    return bytes
  }
  const [base, ours, theirs] = [side(1), side(2), side(3)]
  const paths = [...new Set(group.map(({ path }) => path))]
  const merged = (path: string, ourBytes: Buffer, theirBytes: Buffer): Outcome => {
    const { bytes, contested } = mergeBytes(bytesOf(base), ourBytes, theirBytes, `${id}.json`, phaseOf)
    const gone = paths.filter(other => other !== path)
    return { path, bytes, contested: contested.length, gone, deletedBy: null }
  }
  if (ours && theirs) {
    const path = [ours.path, theirs.path].filter(path => idFromPath(path) === id).sort()[0]
    return merged(path ?? besides(ours.path, id), bytesOf(ours), bytesOf(theirs))
  }
  const left = ours ?? theirs
  if (!left) return undefined
  // The other side may have moved it to another folder, and changed it so much that git does not see that.
  const moved = runGit(root, ['--literal-pathspecs', 'ls-files', '--stage', '-z', '--', config.ticketsDir])
    .toString()
    .split('\0')
    .map(entry => /^100\d+ (\w+) 0\t([\s\S]+)$/.exec(entry))
    .find(match => match !== null && basename(match[2]!) === `${id}.json`)
  if (moved) {
    const other = readBlobs(root, [moved[1]!]).get(moved[1]!)
    if (other === undefined || other === 'too_large') throw new Error(`${moved[2]} cannot be read`)
    return merged(moved[2]!, bytesOf(left), other)
  }
  const path = idFromPath(left.path) === id ? left.path : besides(left.path, id)
  const { bytes } = mergeBytes(bytesOf(left), bytesOf(left), bytesOf(left), `${id}.json`, phaseOf)
  const deletedBy = base ? (ours ? 'their side' : 'our side') : null
  return { path, bytes, contested: 0, gone: paths.filter(other => other !== path), deletedBy }
}

/** Fails where the file in the work tree is neither a side nor a text with markers: then a person has worked on it. */
function checkUntouched(
  root: string,
  path: string,
  versions: readonly Version[],
  blobs: ReadonlyMap<string, Buffer | 'too_large'>,
): void {
  if (!existsSync(join(root, path))) return
  const now = readFileSync(join(root, path))
  if (splitMarkers(now.toString()) !== null) return
  for (const version of versions) {
    const bytes = version.path === path ? blobs.get(version.blob) : undefined
    if (bytes !== undefined && bytes !== 'too_large' && bytes.equals(now)) return
  }
  throw new Error('it was changed by hand since the merge stopped: "git add" it if it is as it should be')
}

/** A file with markers and no stages: its two sides are what stands between them. */
function resolveMarked(
  { root }: Repository,
  path: string,
  phaseOf: (state: string) => Phase,
  resolution: Resolution,
): void {
  const before = readFileSync(join(root, path))
  const sides = splitMarkers(before.toString())
  if (!sides) {
    resolution.unresolved.push({ path, message: 'its conflict markers do not close: mend it by hand' })
    return
  }
  try {
    const base = sides.base === null ? commonVersion(root, path) : Buffer.from(sides.base)
    const { bytes, contested } = mergeBytes(base, Buffer.from(sides.ours), Buffer.from(sides.theirs), path, phaseOf)
    const stillExpected = () => readFileSync(join(root, path)).equals(before)
    if (writeFileAtomically(join(root, path), bytes, { create: false, stillExpected }) === 'changed') {
      resolution.unresolved.push({ path, message: 'it was changed meanwhile: run the command again' })
    } else resolution.resolved.push({ path, contested: contested.length })
  } catch (error) {
    resolution.unresolved.push({ path, message: (error as Error).message })
  }
}

/** The version that the two sides of the merge come from that left the markers; empty where history does not tell. */
function commonVersion(root: string, path: string): Buffer {
  const output = (args: string[]) => {
    const { status, stdout } = tryGit(root, args)
    return status === 0 ? stdout.toString().trim() : ''
  }
  const merging = output(['rev-parse', '--verify', '--quiet', 'MERGE_HEAD'])
  const parents = merging
    ? ['HEAD', merging]
    : output(['--literal-pathspecs', 'log', '-1', '--format=%P', '--', path]).split(' ')
  if (parents.length !== 2) return Buffer.alloc(0)
  const base = output(['merge-base', ...parents])
  const bytes = base ? readBlobs(root, [`${base}:${path}`]).get(`${base}:${path}`) : undefined
  return bytes === undefined || bytes === 'too_large' ? Buffer.alloc(0) : bytes
}

/** Tells git that these files are as they should be. Its lock is waited for, never removed. */
function stage({ root }: Repository, paths: readonly string[]): void {
  const startedAt = performance.now()
  for (;;) {
    const { status, stderr } = tryGit(
      root,
      ['update-index', '--add', '--remove', '-z', '--stdin'],
      `${[...new Set(paths)].join('\0')}\0`,
    )
    if (status === 0) return
    if (!stderr.includes('.lock') || performance.now() - startedAt > 10_000) {
      const message = `the files are merged, but git could not stage them: ${stderr.trim()}; "git add" them when git is free`
      throw new PlanError('git_failed', message, { command: 'update-index', status, stderr })
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
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
