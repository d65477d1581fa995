/**
 * A part of what `init` sets up, as a pair of plans: one to add it, and one to remove it.
 *
 * A plan is a value. Planning reads the checkout and git's configuration, and changes neither.
 */
import { dirname } from 'node:path'
import { isInside } from '../files/is-inside.ts'
import type { Repository } from '../files/repository.ts'
import type { AgentName } from './agent-names.ts'
import { type Changes, type FileChange, readLatin1 } from './changes.ts'
import type { Programs } from './driver-config.ts'
import type { InitManifest } from './init-manifest.ts'
import { isFolder, isLinkedOutside, whyNotPlain } from './paths.ts'

/** A file that is not changed, and what to do about it by hand. */
export interface Skipped {
  path: string
  message: string
}

/** What a part changes, and what it leaves unchanged. Paths are absolute. */
export type Plan = Partial<Omit<Changes, 'emptied'>> & { skipped?: Skipped[] }

/** What `init` was asked for. */
export interface PartOptions {
  /** Also the hook that checks staged Tickets. */
  preCommit?: boolean
  /** Also AGENTS.md and the files of these agents, or of those that the repository has files of. */
  agents?: false | 'detected' | readonly AgentName[]
  programs: Programs
}

/** A part of what `init` sets up. */
export interface Part {
  /** Plans what is missing, or what is of another version or place. */
  plan(repository: Repository, options: PartOptions): Plan
  /** Plans the removal of what `init` added. */
  undo(repository: Repository, manifest: InitManifest): Plan
}

/** Joins plans; a folder that several of them create is created once. */
export function joinPlans(plans: readonly Plan[]): Required<Plan> {
  return {
    config: plans.flatMap(({ config = [] }) => config),
    folders: [...new Set(plans.flatMap(({ folders = [] }) => folders))],
    files: plans.flatMap(({ files = [] }) => files),
    skipped: plans.flatMap(({ skipped = [] }) => skipped),
  }
}

/** Lists a folder and those above it that do not exist, the outermost first. */
export function missingFolders(folder: string): string[] {
  return isFolder(folder) ? [] : [...missingFolders(dirname(folder)), folder]
}

/** Returns the change that writes these bytes, as latin1; none where the file has them. */
export function fileChanges(
  path: string,
  after: string,
  more: Pick<FileChange, 'mode' | 'inserted' | 'isReplaced'> = {},
): FileChange[] {
  const before = readLatin1(path)
  return before === after ? [] : [{ path, before, after, ...more }]
}

/**
 * Plans the removal of lines from a file.
 * @param takeOut returns the text without the lines, or null to remove the file.
 */
export function planRemoval(
  { root, commonDir }: Repository,
  { added }: InitManifest,
  path: string,
  takeOut: (text: string) => string | null,
): Plan {
  const places = commonDir ? [root, commonDir] : [root]
  if (whyNotPlain(path) || (!added.has(path) && isLinkedOutside(dirname(path), places))) return {}
  const before = readLatin1(path)
  const after = before === null ? null : takeOut(before)
  if (before === null || after === before) return {}
  if (!commonDir || isInside(path, commonDir) || added.has(path)) return { files: [{ path, before, after }] }
  const message = '"ticketplan init" did not add it in this checkout (perhaps it came with a commit), so it is kept'
  return { skipped: [{ path, message }] }
}
