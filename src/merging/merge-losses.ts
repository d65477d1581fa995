/**
 * Finds what merges lost: decisions of a parent that a merge dropped without a trace.
 *
 * A trace is a revert (the merge base had the decision, and one parent has removed it) or a retraction of the decision. What
 * the latest commit contains again is not lost. Reads git's history only, never the work tree.
 */
import type { Repository } from '../files/repository.ts'
import { shellWord } from '../git/shell-word.ts'
import { PlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import {
  getCommit,
  listMergeBases,
  listMerges,
  listTicketFiles,
  type Merge,
  readMerges,
  type TicketFile,
} from './merge-history.ts'
import { readContents, type TicketContent } from './ticket-content.ts'

/** A decision, or a Ticket without decisions, that a merge dropped. */
export interface Loss {
  path: string
  message: string
}

/** The result of a check: how many merges were read, and what they lost. */
export interface MergeCheck {
  merges: number
  losses: Loss[]
}

/** The number of merges that are read in one run of git. */
const BATCH = 50

/**
 * Checks every merge that HEAD has and `since` lacks.
 * @throws PlanError invalid_input where `since` names no commit; no_git, git_failed.
 */
export function findMergeLosses(
  { root, gitDir, config }: Repository,
  since: string,
  progress?: (done: number, total: number) => void,
): MergeCheck {
  if (!gitDir) {
    const message = `${root} is not in a git repository, so it has no history; run "git init" there first`
    throw new PlanError('no_git', message, { folder: root })
  }
  const filesIn = (commit: string) => listTicketFiles(root, commit, config.ticketsDir)
  const latest = lazy(() => filesIn('HEAD'))
  const merges = listMerges(root, getCommit(root, since))
  const losses = new Map<string, Loss>()
  for (let done = 0; done < merges.length; done += BATCH) {
    progress?.(done, merges.length)
    const batch = readMerges(root, merges.slice(done, done + BATCH), config.ticketsDir)
    const contentOf = readContents(root, batch.flatMap(filesOf))
    for (const merge of batch) {
      const missing = findMissing(merge, contentOf)
      if (missing.length === 0) continue
      const history = ticketHistory(root, idsOf(missing), latest, filesIn)
      for (const one of missing) {
        if (isLost(one, merge, history)) losses.set(`${one.id} ${one.decision}`, lossOf(one, merge, contentOf))
      }
    }
  }
  return { merges: merges.length, losses: [...losses.values()] }
}

/** A decision that one parent of a merge has and the merge lacks; the Ticket itself where `decision` is null. */
interface Missing {
  id: string
  decision: string | null
  /** The decision's JSON text in that parent. */
  text: string | undefined
  /** Which parent has it, by position, and which others lack it. */
  parent: number
  lackedBy: number[]
}

/** Returns what parents have and the merge lacks, and the merge does not retract. */
function findMissing(merge: Merge, contentOf: (files: readonly TicketFile[]) => TicketContent): Missing[] {
  return [...merge.changed].flatMap(([id, { inMerge, inParents }]) => {
    const [result, parents] = [contentOf(inMerge), inParents.map(contentOf)]
    return parents.flatMap((content, parent) => {
      const ids: (string | null)[] = [...content.decisions.keys()].filter(decision => !hasTrace(result, decision))
      if (content.exists && content.decisions.size === 0 && !result.exists) ids.push(null)
      return ids.map(decision => {
        const text = decision === null ? undefined : content.decisions.get(decision)
        const lackedBy = parents.flatMap((other, at) => (at === parent || has(other, decision) ? [] : [at]))
        return { id, decision, text, parent, lackedBy }
      })
    })
  })
}

/** The Tickets of a merge in other commits. */
interface TicketHistory {
  inLatest(id: string): TicketContent
  /** The Ticket in each merge base of two commits. */
  inMergeBases(id: string, one: string, other: string): TicketContent[]
}

/** Reads the same Tickets in the latest commit and in merge bases, each commit once and only when it is needed. */
function ticketHistory(
  root: string,
  ids: readonly string[],
  latest: () => ReadonlyMap<string, TicketFile[]>,
  filesIn: (commit: string) => ReadonlyMap<string, TicketFile[]>,
): TicketHistory {
  const reader = (files: ReadonlyMap<string, TicketFile[]>) => {
    const contentOf = readContents(
      root,
      ids.flatMap(id => files.get(id) ?? []),
    )
    return (id: string) => contentOf(files.get(id) ?? [])
  }
  const readers = new Map<string, ReturnType<typeof reader>[]>()
  const inLatest = lazy(() => reader(latest()))
  return {
    inLatest: id => inLatest()(id),
    inMergeBases(id, one, other) {
      const pair = `${one} ${other}`
      const known = readers.get(pair) ?? listMergeBases(root, one, other).map(base => reader(filesIn(base)))
      readers.set(pair, known)
      return known.map(contentOf => contentOf(id))
    },
  }
}

/** False where the latest commit has it again, or where a branch removed it from the version that the parent still has. */
function isLost(missing: Missing, { parents }: Merge, history: TicketHistory): boolean {
  const { id, decision, text, parent, lackedBy } = missing
  const latest = history.inLatest(id)
  if (decision === null ? latest.exists : hasTrace(latest, decision)) return false
  const isUnchangedIn = (base: TicketContent) =>
    decision === null ? base.exists : base.decisions.get(decision) === text
  return !lackedBy.some(other => history.inMergeBases(id, parents[parent]!, parents[other]!).some(isUnchangedIn))
}

function lossOf(
  { id, decision, parent }: Missing,
  { commit, parents, changed }: Merge,
  contentOf: (files: readonly TicketFile[]) => TicketContent,
): Loss {
  const { path } = changed.get(id)!.inParents[parent]!.find(file => has(contentOf([file]), decision))!
  const [merge, source] = [commit.slice(0, 10), parents[parent]!.slice(0, 10)]
  const subject = decision === null ? `Ticket ${id}` : `decision ${decision} of ${id}`
  const show = `git show ${argument(`${source}:${path}`)}`
  return { path, message: `the merge ${merge} dropped the ${subject}, which its parent ${source} has; see ${show}` }
}

function has({ exists, decisions }: TicketContent, decision: string | null): boolean {
  return decision === null ? exists : decisions.has(decision)
}

function hasTrace({ decisions, retracted }: TicketContent, decision: string): boolean {
  return decisions.has(decision) || retracted.has(decision)
}

function filesOf({ changed }: Merge): TicketFile[] {
  return [...changed.values()].flatMap(({ inMerge, inParents }) => [inMerge, ...inParents].flat())
}

function idsOf(missing: readonly Missing[]): string[] {
  return [...new Set(missing.map(({ id }) => id))]
}

/** Returns the text as an argument to paste into a shell, quoted only where it has to be. */
function argument(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : shellWord(text)
}
