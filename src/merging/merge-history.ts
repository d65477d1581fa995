/**
 * The merges of git's history, and the Ticket files of a commit.
 *
 * Reads commits only, never the work tree. Where the history of a shallow clone ends too early, it throws: what is missing
 * there must not count as checked.
 */
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { runGit, tryGit } from '../git/git.ts'
import { PlanError } from '../model/errors.ts'

/** A file of a commit. */
export interface TicketFile {
  path: string
  blob: string
}

/** A merge with the Tickets, by id, that differ between the merge and any of its parents. */
export interface Merge {
  commit: string
  parents: string[]
  changed: Map<string, ChangedTicket>
}

/** The files of one Ticket: mostly one, two where it moves between folders, none where it is absent. */
export interface ChangedTicket {
  inMerge: TicketFile[]
  /** The same for each parent, in the order of the parents. */
  inParents: TicketFile[][]
}

/** Returns the commit that a revision names. @throws PlanError invalid_input where there is none. */
export function getCommit(root: string, revision: string): string {
  const verify = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]
  const { status, stdout } = tryGit(root, verify)
  const commit = stdout.toString().trim().split('\n').at(-1)!
  if (status === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit
  const advice = isShallow(root)
    ? 'this clone is shallow: run "git fetch --unshallow" first'
    : 'name a branch, a tag or a commit of this repository'
  const message = `verify: --since: git has no commit ${JSON.stringify(revision)}; ${advice}`
  throw new PlanError('invalid_input', message, { field: 'since' })
}

/** Lists the merges that HEAD has and `start` lacks, newest first: each commit with its parents. @throws PlanError git_failed. */
export function listMerges(root: string, start: string): string[][] {
  checkComplete(root, start)
  return lines(root, ['rev-list', '--merges', '--parents', `${start}..HEAD`]).map(line => line.split(' '))
}

/** Throws where a commit between `start` and HEAD has no parents in this clone because it is shallow. */
function checkComplete(root: string, start: string): void {
  if (!isShallow(root)) return
  const [path] = lines(root, ['rev-parse', '--git-path', 'shallow'])
  const ends = new Set(readFileSync(resolve(root, path!), 'utf8').split('\n'))
  if (lines(root, ['rev-list', `${start}..HEAD`]).some(commit => ends.has(commit))) throw shallowError()
}

function isShallow(root: string): boolean {
  return lines(root, ['rev-parse', '--is-shallow-repository'])[0] === 'true'
}

function shallowError(): PlanError {
  const message =
    'this clone is shallow, so a part of the history is missing and its merges cannot be checked; run "git fetch --unshallow" first'
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

/** Lists the Ticket files of a commit, by id. */
export function listTicketFiles(root: string, commit: string, ticketsDir: string): Map<string, TicketFile[]> {
  const list = ['--literal-pathspecs', 'ls-tree', '-r', '-z', '--full-tree', commit, '--', ticketsDir]
  const entries = runGit(root, list).toString().split('\0')
  const files = entries.flatMap(entry => {
    const [, blob, path] = /^100\d+ blob (\w+)\t([\s\S]+\.json)$/.exec(entry) ?? []
    return blob && path ? [{ path, blob }] : []
  })
  return Map.groupBy(files, ({ path }) => basename(path, '.json'))
}

const DIFF = ['diff-tree', '--stdin', '--always', '-r', '-z', '--raw', '--no-abbrev', '--no-renames']

/** Compares each merge with each of its parents, all in one run of git. */
export function readMerges(root: string, merges: readonly string[][], ticketsDir: string): Merge[] {
  const pairs = merges.flatMap(([commit, ...parents]) => parents.map(parent => `${commit} ${parent}\n`))
  const output = runGit(root, ['--literal-pathspecs', ...DIFF, '--', ticketsDir], pairs.join(''))
  const diffs = parseDiffs(output.toString())
  return merges.map(([commit, ...parents]) => {
    const ownDiffs = diffs.splice(0, parents.length)
    return { commit: commit!, parents, changed: changedTickets(ownDiffs) }
  })
}

/** A diff of Ticket files, by path: the blob in the parent and in the merge; zeros mean no file. */
type Diff = Map<string, { before: string; after: string }>

/** Parses the output of `git diff-tree --stdin -z`: for each diff the id of the merge, then two words for each changed path. */
function parseDiffs(output: string): Diff[] {
  const words = output.split('\0').slice(0, -1)
  const diffs: Diff[] = []
  for (let at = 0; at < words.length; ) {
    if (!words[at]!.startsWith(':')) {
      diffs.push(new Map())
      at++
      continue
    }
    const [, , before, after] = words[at]!.split(' ')
    const path = words[at + 1]!
    if (path.endsWith('.json')) diffs.at(-1)!.set(path, { before: before!, after: after! })
    at += 2
  }
  return diffs
}

/** Returns the changed Tickets of one merge, from its diffs with each parent. */
function changedTickets(diffs: readonly Diff[]): Map<string, ChangedTicket> {
  const changed = new Map<string, ChangedTicket>()
  for (const path of new Set(diffs.flatMap(diff => [...diff.keys()]))) {
    const id = basename(path, '.json')
    const files = changed.get(id) ?? { inMerge: [], inParents: diffs.map(() => []) }
    changed.set(id, files)
    const { after } = diffs.find(diff => diff.has(path))!.get(path)!
    add(files.inMerge, path, after)
    // A parent whose diff does not have the path has the same file as the merge.
    for (const [at, diff] of diffs.entries()) add(files.inParents[at]!, path, diff.get(path)?.before ?? after)
  }
  return changed
}

function add(files: TicketFile[], path: string, blob: string): void {
  if (!/^0+$/.test(blob)) files.push({ path, blob })
}

function lines(root: string, args: readonly string[]): string[] {
  return runGit(root, args).toString().split('\n').filter(Boolean)
}
