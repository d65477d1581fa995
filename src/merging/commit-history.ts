/**
 * The commits of git's history with the Tickets that they change, and the Ticket files of a commit.
 *
 * Reads commits only, never the work tree. Where the history of a shallow clone ends too early, it throws: what is missing
 * there must not count as checked. The number of git's runs does not grow with the number of commits, but for one in each batch.
 */
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { ticketsDirOf } from '../files/config.ts'
import { CONFIG_FILE, type Repository } from '../files/repository.ts'
import { readBlobs } from '../git/blobs.ts'
import { findCommit, runGit, tryGit } from '../git/git.ts'
import { PlanError } from '../model/errors.ts'

/** A file of a commit. */
export interface TicketFile {
  path: string
  blob: string
}

/** A commit with the Tickets, by id, that differ between it and any of its parents. */
export interface Commit {
  /** Its id; null for what is staged. */
  commit: string | null
  parents: string[]
  changed: Map<string, ChangedTicket>
  /** The blobs of the configuration before and after, where it differs from a parent's; zeros mean no file. */
  configs: string[]
}

/** The files of one Ticket: mostly one, two where it moves between folders, none where it is absent. */
interface ChangedTicket {
  inCommit: TicketFile[]
  /** The same for each parent, in the order of the parents; one without files for a commit that has no parent. */
  inParents: TicketFile[][]
}

/** Returns the commit that a revision names. @throws PlanError invalid_input where there is none. */
export function getCommit(root: string, revision: string): string {
  const commit = findCommit(root, revision)
  if (commit !== undefined) return commit
  const advice = isShallow(root)
    ? 'this clone is shallow: run "git fetch --unshallow" first'
    : 'name a branch, a tag or a commit of this repository'
  const message = `verify: --since: git has no commit ${JSON.stringify(revision)}; ${advice}`
  throw new PlanError('invalid_input', message, { field: 'since' })
}

/**
 * Lists the commits that HEAD has and `start` lacks, newest first: each with its parents.
 * @throws PlanError git_failed.
 */
export function listCommits(root: string, start: string): string[][] {
  checkComplete(root, start)
  return lines(root, ['rev-list', '--parents', `${start}..HEAD`]).map(line => line.split(' '))
}

/** Lists all commits of HEAD, each with its parents. @throws PlanError git_failed, also in a shallow clone. */
export function listAllCommits(root: string): string[][] {
  if (isShallow(root)) throw shallowError()
  return lines(root, ['rev-list', '--parents', 'HEAD']).map(line => line.split(' '))
}

/** True where HEAD has the commit. @throws PlanError git_failed. */
export function isInHead(root: string, commit: string): boolean {
  const { status, stderr } = tryGit(root, ['merge-base', '--is-ancestor', commit, 'HEAD'])
  if (status > 1) throw new PlanError('git_failed', stderr.trim(), { command: 'merge-base', status, stderr })
  return status === 0
}

/** Throws where a commit between `start` and HEAD has no parents in this clone because it is shallow. */
function checkComplete(root: string, start: string): void {
  if (!isShallow(root)) return
  const path = runGit(root, ['rev-parse', '--git-path', 'shallow']).toString().replace(/\n$/, '')
  const ends = new Set(readFileSync(resolve(root, path), 'utf8').split('\n'))
  if (lines(root, ['rev-list', `${start}..HEAD`]).some(commit => ends.has(commit))) throw shallowError()
}

function isShallow(root: string): boolean {
  return lines(root, ['rev-parse', '--is-shallow-repository'])[0] === 'true'
}

function shallowError(): PlanError {
  const message =
    'this clone is shallow, so a part of the history is missing and it cannot be checked; run "git fetch --unshallow" first'
  return new PlanError('git_failed', message, { command: 'rev-list', status: 0, stderr: '' })
}

/** Lists the merge bases of two commits; none where they share no history. @throws PlanError git_failed. */
export function listMergeBases(root: string, one: string, other: string): string[] {
  const { status, stdout, stderr } = tryGit(root, ['merge-base', '--all', one, other])
  if (status === 0) return stdout.toString().trim().split('\n')
  if (status !== 1) throw new PlanError('git_failed', stderr, { command: 'merge-base', status, stderr })
  if (isShallow(root)) throw shallowError()
  return []
}

/**
 * Lists the tickets folders that the configuration names now, and in the commits and their parents where one changes it. A commit
 * that names another folder must not hide what it loses of the one before. @throws PlanError git_failed.
 */
export function listTicketFolders(
  { root, config }: Pick<Repository, 'root' | 'config'>,
  commits: readonly Pick<Commit, 'configs'>[],
): string[] {
  const configs = commits.flatMap(({ configs }) => configs)
  const files = readBlobs(root, new Set(configs.filter(blob => !/^0+$/.test(blob))))
  return [...new Set([config.ticketsDir, ...configs.map(blob => ticketsDirOf(files.get(blob)))])]
}

/** Lists the Ticket files of a commit, by id. */
export function listTicketFiles(root: string, commit: string, folders: readonly string[]): Map<string, TicketFile[]> {
  const list = ['--literal-pathspecs', 'ls-tree', '-r', '-z', '--full-tree', commit, '--', ...folders]
  const entries = runGit(root, list).toString().split('\0')
  const files = entries.flatMap(entry => {
    const [, blob, path] = /^100\d+ blob (\w+)\t([\s\S]+\.json)$/.exec(entry) ?? []
    return blob && path && isTicketPath(path, folders) ? [{ path, blob }] : []
  })
  return Map.groupBy(files, ({ path }) => basename(path, '.json'))
}

const RAW = ['-r', '-z', '--raw', '--no-abbrev', '--no-renames']
const DIFF = ['--literal-pathspecs', 'diff-tree', '--stdin', '--always', '--root', ...RAW]

/** Compares each commit with each of its parents, and one without parents with nothing, all in one run of git. */
export function readCommits(root: string, commits: readonly string[][], folders: readonly string[]): Commit[] {
  const pairs = commits.flatMap(([commit, ...parents]) =>
    parents.length === 0 ? [`${commit}\n`] : parents.map(parent => `${commit} ${parent}\n`),
  )
  const diffs = parseDiffs(runGit(root, [...DIFF, '--', CONFIG_FILE, ...folders], pairs.join('')).toString(), folders)
  return commits.map(([commit, ...parents]) => {
    const ownDiffs = diffs.splice(0, Math.max(1, parents.length))
    return { commit: commit!, parents, changed: changedTickets(ownDiffs), configs: configsOf(ownDiffs) }
  })
}

/** Compares two commits as if the second were the only parent of the first. */
export function compareCommits(root: string, commit: string, parent: string, folders: readonly string[]): Commit {
  return readCommits(root, [[commit, parent]], folders)[0]!
}

/** Compares what is staged with each commit that will be its parent: HEAD and, in a merge, the others. */
export function readStaged(
  root: string,
  parents: readonly string[],
  folders: readonly string[],
  indexFile: string | undefined,
): Commit {
  const diffs = parents.map(parent => {
    const args = [
      '--literal-pathspecs',
      'diff-index',
      '--cached',
      ...RAW,
      '--end-of-options',
      parent,
      '--',
      CONFIG_FILE,
      ...folders,
    ]
    const [diff] = parseDiffs(`staged\0${runGit(root, args, undefined, { indexFile })}`, folders)
    return diff!
  })
  return { commit: null, parents: [...parents], changed: changedTickets(diffs), configs: configsOf(diffs) }
}

/** A diff of Ticket files, by path: the blob in the parent and in the commit; zeros mean no file. */
type Diff = Map<string, { before: string; after: string }>

/** Parses the output of `git diff-tree --stdin -z`: for each diff the id of the commit, then two words for each changed path. */
function parseDiffs(output: string, folders: readonly string[]): Diff[] {
  const words = output.split('\0').slice(0, -1)
  const diffs: Diff[] = []
  for (let at = 0; at < words.length; ) {
    if (!words[at]!.startsWith(':')) {
      diffs.push(new Map())
      at++
      continue
    }
    const [modeBefore, modeAfter, before, after, status] = words[at]!.slice(1).split(' ')
    const path = words[at + 1]!
    at += 2
    // A conflict that is not resolved is reported as that.
    if ((path !== CONFIG_FILE && !isTicketPath(path, folders)) || status === 'U') continue
    diffs.at(-1)!.set(path, { before: blobOf(modeBefore!, before!), after: blobOf(modeAfter!, after!) })
  }
  return diffs
}

const NO_BLOB = '0'

/** Returns the blob of a regular file; a link or a submodule is no Ticket file. */
function blobOf(mode: string, blob: string): string {
  return mode.startsWith('100') ? blob : NO_BLOB
}

/** True for a path that is read as a Ticket file: below a tickets folder, and not in a hidden folder there. */
function isTicketPath(path: string, folders: readonly string[]): boolean {
  const isBelow = (folder: string) => path.startsWith(`${folder}/`) && !path.slice(folder.length).includes('/.')
  return path.endsWith('.json') && folders.some(isBelow)
}

/** Returns the changed Tickets of one commit, from its diffs with each parent. */
function changedTickets(diffs: readonly Diff[]): Map<string, ChangedTicket> {
  const changed = new Map<string, ChangedTicket>()
  for (const path of new Set(diffs.flatMap(diff => [...diff.keys()]))) {
    if (path === CONFIG_FILE) continue
    const id = basename(path, '.json')
    const files = changed.get(id) ?? { inCommit: [], inParents: diffs.map(() => []) }
    changed.set(id, files)
    const { after } = diffs.find(diff => diff.has(path))!.get(path)!
    add(files.inCommit, path, after)
    // A parent whose diff does not have the path has the same file as the commit.
    for (const [at, diff] of diffs.entries()) add(files.inParents[at]!, path, diff.get(path)?.before ?? after)
  }
  return changed
}

function configsOf(diffs: readonly Diff[]): string[] {
  return diffs.flatMap(diff => Object.values(diff.get(CONFIG_FILE) ?? {}))
}

function add(files: TicketFile[], path: string, blob: string): void {
  if (!/^0+$/.test(blob)) files.push({ path, blob })
}

function lines(root: string, args: readonly string[]): string[] {
  return runGit(root, args).toString().split('\n').filter(Boolean)
}
