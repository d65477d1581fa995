/**
 * What a commit lacks of its parents' Tickets: decisions that it dropped or changed, and Tickets that it deleted.
 *
 * Pure: contents are arguments. Whether what is missing is a loss is decided elsewhere, from more of the history.
 */
import { shellArgument } from '../git/shell-word.ts'
import { count } from '../model/count.ts'
import type { Commit, TicketFile } from './commit-history.ts'
import type { TicketContent } from './ticket-content.ts'

/** Returns the content of one Ticket, given its files in a commit. */
export type ContentOf = (files: readonly TicketFile[]) => TicketContent

/** A decision that one parent of a commit has and the commit lacks; the Ticket itself where `decision` is null. */
export interface Missing {
  id: string
  decision: string | null
  how: 'dropped' | 'changed'
  /** The decision's JSON text in that parent; null where it is unknown. */
  text: string | null
  /** Which parent has it, by position, and which others lack it. */
  parent: number
  lackedBy: number[]
}

/** Returns what parents have and the commit lacks, without what the commit retracts. */
export function findMissing({ changed }: Commit, contentOf: ContentOf): Missing[] {
  return [...changed].flatMap(([id, { inCommit, inParents }]) => {
    const [result, parents] = [contentOf(inCommit), inParents.map(contentOf)]
    return parents.flatMap((content, parent) => {
      const missing = (decision: string | null, text: string | null): Missing => {
        const how = decision !== null && result.decisions.has(decision) ? 'changed' : 'dropped'
        const lackedBy = parents.flatMap((other, at) => (at === parent || has(other, decision) ? [] : [at]))
        return { id, decision, how, text, parent, lackedBy }
      }
      const decisions = [...content.decisions]
        .filter(([decision, text]) => !isKept(result, decision, text) && !isChosen(result, parents, decision))
        .map(([decision, text]) => missing(decision, text))
      const isDeleted = content.exists && content.decisions.size === 0 && !result.exists
      return isDeleted ? [missing(null, null)] : decisions
    })
  })
}

/** True where the content has the decision with this text, or retracts it. An unknown text counts as equal. */
export function isKept({ decisions, retracted }: TicketContent, decision: string, text: string | null): boolean {
  if (retracted.has(decision)) return true
  const found = decisions.get(decision)
  return found !== undefined && (found === text || found === null || text === null)
}

/** True where the result of a merge has the decision as another parent has it: that parent's branch changed it. */
function isChosen(result: TicketContent, parents: readonly TicketContent[], decision: string): boolean {
  const text = result.decisions.get(decision)
  return text !== undefined && parents.length > 1 && parents.some(({ decisions }) => decisions.get(decision) === text)
}

function has({ exists, decisions }: TicketContent, decision: string | null): boolean {
  return decision === null ? exists : decisions.has(decision)
}

/** The words for what happened to a decision, of a commit in the past and of the next one. */
const VERBS = {
  past: { changed: 'changed', deleted: 'deleted', dropped: 'dropped' },
  present: { changed: 'changes', deleted: 'deletes', dropped: 'drops' },
}

/** Returns what was lost in words: "dropped the decision 01… of T-1"; where the Ticket is deleted, with the number of its decisions. */
export function lossText({ id, decision, how }: Missing, tense: 'past' | 'present', deletedDecisions?: number): string {
  const verbs = VERBS[tense]
  if (deletedDecisions) return `${verbs.deleted} the Ticket ${id} with its ${count(deletedDecisions, 'decision')}`
  if (decision === null) return `${verbs.dropped} the Ticket ${id}`
  const what = `the decision ${decision} of ${id}`
  return how === 'changed' ? `${verbs.changed} ${what} under its id` : `${verbs.dropped} ${what}`
}

/** Returns the path at which a parent has what is missing. */
export function pathInParent({ id, decision, parent }: Missing, { changed }: Commit, contentOf: ContentOf): string {
  return changed.get(id)!.inParents[parent]!.find(file => has(contentOf([file]), decision))!.path
}

/** Returns the git command that shows a file of a commit, to paste into a shell. */
export function showCommand(commit: string, path: string): string {
  return `git show ${shellArgument(`${commit}:${path}`)}`
}

/** Returns the files of a commit and of its parents that differ. */
export function filesOf({ changed }: Commit): TicketFile[] {
  return [...changed.values()].flatMap(({ inCommit, inParents }) => [inCommit, ...inParents].flat())
}
