/**
 * Finds what commits lost: decisions of a parent that a commit dropped, or changed under their ids, without a trace.
 *
 * A trace is a retraction of the decision or a revert. A commit reverts if its change of the Ticket inverts that of an earlier
 * commit, exactly or as the merge driver does in "git revert"; a merge, if a merge base had the decision and one parent has
 * removed it. What the latest commit contains again is not lost. Reads git's history only, never the work tree.
 */
import type { Repository } from '../files/repository.ts'
import { notInGit } from '../git/git.ts'
import { lazy } from '../model/lazy.ts'
import {
  type Commit,
  compareCommits,
  getCommit,
  isInHead,
  listCommits,
  listTicketFiles,
  listTicketFolders,
  readCommits,
  type TicketFile,
} from './commit-history.ts'
import {
  type ContentOf,
  filesOf,
  findMissing,
  isKept,
  lossText,
  type Missing,
  pathInParent,
  showCommand,
} from './missing-decisions.ts'
import { findReverts, suspectOf } from './reverts.ts'
import { readContents, type TicketContent } from './ticket-content.ts'
import { isRemovedByBranch, type TicketHistory, ticketHistory } from './ticket-history.ts'

/** A decision, or a Ticket, that a commit lost. */
interface Loss {
  code: 'lost_in_merge' | 'lost_in_commit' | 'lost_since'
  path: string
  message: string
}

/** The result of a check: how many of the commits were merges, and what was lost. */
export interface HistoryCheck {
  merges: number
  losses: Loss[]
}

/** The number of commits that are read in one run of git. */
const BATCH = 500

/** A commit that lacks something of its parents. */
interface Incomplete {
  commit: Commit
  missing: Missing[]
  contentOf: ContentOf
  history: TicketHistory
}

/**
 * Checks every commit that HEAD has and `since` lacks and, where HEAD lacks `since`, that HEAD has the decisions of `since`.
 * @throws PlanError invalid_input where `since` names no commit; no_git; git_failed, also where an object is missing.
 */
export function findHistoryLosses(
  repository: Repository,
  since: string,
  progress?: (done: number, total: number) => void,
): HistoryCheck {
  const { root, gitDir } = repository
  if (!gitDir) throw notInGit(root, 'it has no history; run "git init" there first')
  const start = getCommit(root, since)
  const commits = listCommits(root, start)
  const head = isInHead(root, start) ? null : getCommit(root, 'HEAD')
  const read = (folders: readonly string[]) => {
    const batches: Commit[][] = []
    for (let done = 0; done < commits.length; done += BATCH)
      batches.push(readCommits(root, commits.slice(done, done + BATCH), folders))
    return { batches, behind: head === null ? [] : [compareCommits(root, head, start, folders)] }
  }
  const plain = read([repository.config.ticketsDir])
  const folders = listTicketFolders(repository, [...plain.batches.flat(), ...plain.behind])
  const { batches, behind } = folders.length > 1 ? read(folders) : plain
  const latest = lazy(() => listTicketFiles(root, 'HEAD', folders))
  const incomplete = (batch: readonly Commit[]) => findIncomplete(root, batch, latest, folders)

  const found: Incomplete[] = []
  for (const [at, batch] of batches.entries()) {
    progress?.(at * BATCH, commits.length)
    found.push(...incomplete(batch))
  }
  const [merges, others] = [found.filter(isMerge), found.filter(one => !isMerge(one))]
  const losses = [...merges.flatMap(mergeLosses), ...commitLosses(repository, others, folders)]
  if (head !== null) losses.push(...incomplete(behind).flatMap(one => sinceLosses(one, since)))
  return { merges: commits.filter(([, ...parents]) => parents.length > 1).length, losses: firstOfEach(losses) }
}

function isMerge({ commit }: Incomplete): boolean {
  return commit.parents.length > 1
}

/** Returns those of the commits that lack something which the latest commit lacks too. */
function findIncomplete(
  root: string,
  commits: readonly Commit[],
  latest: () => ReadonlyMap<string, TicketFile[]>,
  folders: readonly string[],
): Incomplete[] {
  const contentOf = readContents(root, commits.flatMap(filesOf))
  const all = commits.map(commit => ({ commit, missing: findMissing(commit, contentOf) }))
  const ids = [...new Set(all.flatMap(({ missing }) => missing.map(({ id }) => id)))]
  if (ids.length === 0) return []
  const history = ticketHistory(root, ids, folders, latest)
  return all.flatMap(({ commit, missing }) => {
    const lasting = missing.filter(one => !isBack(one, history.inLatest(one.id)))
    return lasting.length > 0 ? [{ commit, missing: lasting, contentOf, history }] : []
  })
}

function isBack({ decision, text }: Missing, latest: TicketContent): boolean {
  return decision === null ? latest.exists : isKept(latest, decision, text)
}

/** Returns what a merge lost: not what a branch removed from the version that the parent still has. */
function mergeLosses({ commit, missing, contentOf, history }: Incomplete): KeyedLoss[] {
  const lost = missing.filter(one => !isRemovedByBranch(one, commit.parents, history))
  return lost.map(one => {
    const path = pathInParent(one, commit, contentOf)
    const [name, source] = [short(commit.commit!), short(commit.parents[one.parent]!)]
    const show = showCommand(source, path)
    const message = `the merge ${name} ${lossText(one, 'past')}, which its parent ${source} has; see ${show}`
    return { key: keyOf(one), loss: { code: 'lost_in_merge', path, message } }
  })
}

/** A loss, with what it is about: later commits may lose the same again. */
interface KeyedLoss {
  key: string
  loss: Loss
}

/** Returns what commits lost that are no merges, without reverts. */
function commitLosses(repository: Repository, all: readonly Incomplete[], folders: readonly string[]): KeyedLoss[] {
  const changes = all.flatMap(one =>
    [...Map.groupBy(one.missing, ({ id }) => id)].map(([id, missing]) => ({ ...one, id, missing })),
  )
  const suspects = changes.map(change => ({ ...suspectOf(change.commit, change.id, change.contentOf), change }))
  const reverts = findReverts(repository, suspects, folders)
  return suspects
    .filter(suspect => !reverts.has(suspect))
    .flatMap(({ change: { commit, contentOf, missing, history }, before, after }) => {
      const [name, source] = [short(commit.commit!), short(commit.parents[0]!)]
      const isDeleted = !after.exists && !history.inLatest(missing[0]!.id).exists
      const reported = isDeleted ? missing.slice(0, 1) : missing
      return reported.map((one): KeyedLoss => {
        const path = pathInParent(one, commit, contentOf)
        const what = lossText(one, 'past', isDeleted ? before.decisions.size : 0)
        const message = `the commit ${name} ${what}; its parent ${source} has it: see ${showCommand(source, path)}`
        return { key: keyOf(one), loss: { code: 'lost_in_commit', path, message } }
      })
    })
}

/** Returns what HEAD lacks of a commit that it does not contain; what the two had in common was checked commit by commit. */
function sinceLosses({ commit, missing, contentOf, history }: Incomplete, since: string): KeyedLoss[] {
  const [start] = commit.parents
  const lost = missing.filter(({ id, decision, text }) => {
    const bases = history.inMergeBases(id, start!, commit.commit!)
    if (decision === null) return !bases.some(({ exists }) => exists)
    const now = history.inLatest(id).decisions.get(decision)
    return !bases.some(({ decisions }) => decisions.has(decision) && [text, now].includes(decisions.get(decision)))
  })
  return lost.map(one => {
    const path = pathInParent(one, commit, contentOf)
    const what = one.decision === null ? `the Ticket ${one.id}` : `the decision ${one.decision} of ${one.id}`
    const lacks = one.how === 'changed' ? 'has another version of' : 'lacks'
    const message = `HEAD ${lacks} ${what}, which ${since} has; merge ${since} or rebase onto it, or copy the line: see ${showCommand(short(start!), path)}`
    return { key: keyOf(one), loss: { code: 'lost_since', path, message } }
  })
}

/** Returns one loss for each thing lost in one way: the last in the list, which the oldest commit made. */
function firstOfEach(losses: readonly KeyedLoss[]): Loss[] {
  return [...new Map(losses.map(({ key, loss }) => [`${loss.code} ${key}`, loss])).values()]
}

function keyOf({ id, decision }: Missing): string {
  return `${id} ${decision}`
}

function short(commit: string): string {
  return commit.slice(0, 10)
}
