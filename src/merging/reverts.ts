/**
 * Finds reverts: commits whose change of a Ticket exactly inverts that of an earlier commit.
 *
 * "Earlier" means an ancestor; the same change on another branch is none. Reads the history of HEAD once, however many changes
 * are asked about.
 */
import { type Commit, listAllCommits, readCommits } from './commit-history.ts'
import { type ContentOf, filesOf } from './missing-decisions.ts'
import { changeText, readContents, type TicketContent } from './ticket-content.ts'

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
export function findReverts<T extends Suspect>(root: string, ticketsDir: string, suspects: readonly T[]): Set<T> {
  const reverts = new Set<T>()
  if (suspects.length === 0) return reverts
  const history = listAllCommits(root)
  const parentsOf = new Map(history.map(([commit, ...parents]) => [commit!, parents]))
  const wanted = Map.groupBy(suspects, ({ id, before, after }) => `${id} ${changeText(after, before)}`)
  const ids = new Set(suspects.map(({ id }) => id))
  const ancestorsOf = cachedAncestors(parentsOf)
  for (let done = 0; done < history.length; done += BATCH) {
    const commits = readCommits(root, history.slice(done, done + BATCH), ticketsDir).map(commit =>
      onlyTickets(commit, ids),
    )
    const contentOf = readContents(root, commits.flatMap(filesOf))
    for (const { commit, changed } of commits) {
      for (const [id, { inCommit, inParents }] of changed) {
        const after = contentOf(inCommit)
        const inverted = inParents.flatMap(files => wanted.get(`${id} ${changeText(contentOf(files), after)}`) ?? [])
        for (const suspect of inverted) if (ancestorsOf(suspect.from).has(commit!)) reverts.add(suspect)
      }
    }
  }
  return reverts
}

function onlyTickets(commit: Commit, ids: ReadonlySet<string>): Commit {
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
