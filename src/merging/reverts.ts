/**
 * Finds reverts: commits whose change of a Ticket inverts that of an earlier commit, exactly or as "git revert" does.
 *
 * "Earlier" means an ancestor; the same change on another branch is none. Reads the history of HEAD once, however many changes
 * are asked about.
 */
import type { Repository } from '../files/repository.ts'
import { mergeTickets } from '../model/merge.ts'
import { type Phase, statesOf } from '../model/states.ts'
import { type Commit, listAllCommits, readCommits } from './commit-history.ts'
import { type ContentOf, filesOf } from './missing-decisions.ts'
import { changeText, contentOfTicket, NO_CHANGE, readContents, type TicketContent, ticketOf } from './ticket-content.ts'

/** A change of one Ticket that may be a revert. */
export interface Suspect {
  id: string
  /** The commit; HEAD's own id for what is staged on top of it. */
  from: string
  before: TicketContent
  after: TicketContent
}

/** Returns the change of a Ticket by a commit with one parent. */
export function suspectOf({ commit, parents, changed }: Commit, id: string, contentOf: ContentOf): Suspect {
  const { inCommit, inParents } = changed.get(id)!
  return { id, from: commit ?? parents[0]!, before: contentOf(inParents[0]!), after: contentOf(inCommit) }
}

/** The number of commits that are read in one run of git. */
const BATCH = 1000

/** Returns those of the changes that are reverts. @throws PlanError git_failed, also in a shallow clone. */
export function findReverts<T extends Suspect>(
  { root, config }: Repository,
  suspects: readonly T[],
  folders: readonly string[],
): Set<T> {
  const reverts = new Set<T>()
  if (suspects.length === 0) return reverts
  const history = listAllCommits(root)
  const parentsOf = new Map(history.map(([commit, ...parents]) => [commit!, parents]))
  const wanted = Map.groupBy(suspects, ({ id, before, after }) => `${id} ${changeText(after, before)}`)
  const suspectsOf = Map.groupBy(suspects, ({ id }) => id)
  const ancestorsOf = cachedAncestors(parentsOf)
  const { phaseOf } = statesOf(config.states)
  for (let done = 0; done < history.length; done += BATCH) {
    const commits = readCommits(root, history.slice(done, done + BATCH), folders).map(commit =>
      onlyTickets(commit, suspectsOf),
    )
    const contentOf = readContents(root, commits.flatMap(filesOf))
    for (const { commit, changed } of commits) {
      for (const [id, { inCommit, inParents }] of changed) {
        const after = contentOf(inCommit)
        for (const before of inParents.map(contentOf)) {
          const inverse = wanted.get(`${id} ${changeText(before, after)}`) ?? []
          const merged = suspectsOf.get(id)!.filter(suspect => isMergedInverse(suspect, before, after, phaseOf))
          for (const suspect of [...inverse, ...merged])
            if (ancestorsOf(suspect.from).has(commit!)) reverts.add(suspect)
        }
      }
    }
  }
  return reverts
}

/**
 * True where the suspect is what "git revert" makes of the change from `before` to `after` with the merge driver: where the
 * Ticket has changed since, that merges what it is now with what it was, and is not the exact inverse.
 */
function isMergedInverse(
  suspect: Suspect,
  before: TicketContent,
  after: TicketContent,
  phaseOf: (state: string) => Phase,
): boolean {
  const hasLost = ([id, text]: [string, string | null]) => suspect.after.decisions.get(id) !== text
  const isFromChange = ([id]: [string, unknown]) => before.decisions.get(id) !== after.decisions.get(id)
  if (![...suspect.before.decisions].some(one => hasLost(one) && isFromChange(one))) return false
  const [base, ours, theirs] = [after, suspect.before, before].map(content => ticketOf(content, suspect.id))
  if (!base || !ours || !theirs) return false
  return changeText(contentOfTicket(mergeTickets(base, ours, theirs, phaseOf).ticket), suspect.after) === NO_CHANGE
}

function onlyTickets(commit: Commit, ids: ReadonlyMap<string, unknown>): Commit {
  return { ...commit, changed: new Map([...commit.changed].filter(([id]) => ids.has(id))) }
}

/** Returns a function from a commit to itself and all commits before it; the last answer is kept. */
function cachedAncestors(parentsOf: ReadonlyMap<string, string[]>): (commit: string) => ReadonlySet<string> {
  let last: { commit: string; ancestors: Set<string> } | null = null
  return commit => {
    if (last?.commit === commit) return last.ancestors
    const ancestors = new Set([commit])
    for (const one of ancestors) for (const parent of parentsOf.get(one) ?? []) ancestors.add(parent)
    last = { commit, ancestors }
    return ancestors
  }
}
