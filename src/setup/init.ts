/**
 * Sets up a checkout, and undoes it.
 *
 * Invariant: existing content is kept, and a file that cannot be changed safely is reported instead. What `init` adds outside
 * git's own folder is recorded beside the index, so that `--undo` removes what this checkout's `init` added and not what came
 * with a commit. Never changes a Ticket, an index or a claim.
 */
import { dirname, join } from 'node:path'
import { checkFolders, type Repository } from '../files/repository.ts'
import { PLAIN_DIR } from '../files/state-folder.ts'
import { isPlanError } from '../model/errors.ts'
import { agents } from './agents-part.ts'
import { applyConfig, applyFiles, type Changes, emptiedFolders, type FileChange, readLatin1 } from './changes.ts'
import { checkClone } from './clone-check.ts'
import { plainFolder, ticketsFolder } from './folder-parts.ts'
import { attributes, configuration, hooks } from './git-parts.ts'
import { MANIFEST_FILE, manifestChanges, readManifest } from './init-manifest.ts'
import { installedPrograms } from './installed-programs.ts'
import { withoutLeftOut } from './left-out-part.ts'
import { joinPlans, type Part, type PartOptions, type Skipped } from './part.ts'
import { isFolder, shownPath } from './paths.ts'

/** What was done, or with `dryRun` would be; paths from the root, where they are below it. */
export interface SetUp {
  made: string[]
  changed: string[]
  removed: string[]
  skipped: Skipped[]
}

export interface InitOptions extends Partial<PartOptions> {
  dryRun?: boolean
  lockTimeoutMs?: number
}

/** All that `init` sets up, in order. An undo empties the folders last. */
const FOLDERS: Part[] = [ticketsFolder, plainFolder]
const CONTENTS: Part[] = [attributes, hooks, configuration, agents]

/** How often a run is repeated at most, because others set up worktrees of the same clone at the same time. */
const ATTEMPTS = 20

/**
 * Adds what is missing, and updates what is of another version or place.
 * @throws PlanError io, unsafe_path, no_git, git_failed, busy, contended; a second run then finishes it.
 */
export function initRepository(repository: Repository, options: InitOptions = {}): SetUp {
  return retryContended(() => {
    checkTargets(repository)
    const partOptions = { ...options, programs: options.programs ?? installedPrograms(repository.root) }
    const plans = [...FOLDERS, ...CONTENTS].map(part => part.plan(repository, partOptions))
    const { skipped, ...plan } = withoutLeftOut(repository, joinPlans(plans))
    const changes: Changes = { ...plan, emptied: [] }
    if (!options.dryRun) {
      const manifest = manifestChanges(repository, changes)
      applyConfig(repository.root, changes.config, options.lockTimeoutMs)
      applyFiles({ ...changes, files: [...manifest, ...changes.files] })
    }
    return summaryOf(repository, changes, [...skipped, ...gitProblems(repository)])
  })
}

/** Returns what git does with Ticket files that `init` cannot change. */
function gitProblems(repository: Repository): Skipped[] {
  const problems = checkClone(repository).filter(({ code }) => code !== 'no_driver')
  return problems.map(({ message }) => ({ path: repository.ticketsDir, message }))
}

/**
 * Removes what `init` added, and nothing else.
 * @throws PlanError io, unsafe_path, no_git, git_failed, busy, contended; a second run then finishes it.
 */
export function undoInit(repository: Repository, options: InitOptions = {}): SetUp {
  return retryContended(() => {
    checkTargets(repository)
    const manifest = readManifest(repository)
    const { skipped, ...plan } = joinPlans([...CONTENTS, ...FOLDERS].map(part => part.undo(repository, manifest)))
    const files = [...plan.files, ...manifestRemoval(repository)]
    const removed = files.filter(({ after }) => after === null).map(({ path }) => path)
    const emptied = emptiedFolders([...manifest.added, repository.indexDir].filter(isFolder), removed)
    const changes: Changes = { ...plan, files, emptied }
    if (!options.dryRun) {
      applyFiles(changes)
      applyConfig(repository.root, changes.config, options.lockTimeoutMs)
    }
    return summaryOf(repository, changes, skipped)
  })
}

function checkTargets({ root, ticketsDir }: Repository): void {
  for (const folder of [ticketsDir, join(root, PLAIN_DIR)]) checkFolders(root, folder)
}

/** Repeats the action where another program changed one of the files between its plan and its change. */
function retryContended(action: () => SetUp): SetUp {
  for (let attempt = 1; ; attempt++) {
    try {
      return action()
    } catch (error) {
      if (attempt === ATTEMPTS || !isPlanError(error, 'contended')) throw error
    }
  }
}

function manifestRemoval({ indexDir }: Repository): FileChange[] {
  const path = join(indexDir, MANIFEST_FILE)
  const before = readLatin1(path)
  return before === null ? [] : [{ path, before, after: null }]
}

function summaryOf(repository: Repository, changes: Changes, skipped: readonly Skipped[]): SetUp {
  const { root, commonDir, indexDir } = repository
  const files = changes.files.filter(({ path }) => path !== join(indexDir, MANIFEST_FILE))
  const paths = (which: (change: FileChange) => boolean) => files.filter(which).map(({ path }) => path)
  const config = changes.config.length ? [join(commonDir!, 'config')] : []
  const show = (all: string[]) => all.map(path => shownPath(root, path))
  const created = paths(({ before }) => before === null)
  const below = changes.folders.flatMap(folder => [folder, ...created.filter(path => dirname(path) === folder)])
  return {
    made: show([...new Set([...below, ...created])]),
    changed: show([...paths(({ before, after }) => before !== null && after !== null), ...config]),
    removed: show([
      ...paths(({ after }) => after === null),
      ...changes.emptied.filter(path => !commonDir || path !== indexDir),
    ]),
    skipped: skipped.map(({ path, message }) => ({ path: shownPath(root, path), message })),
  }
}
