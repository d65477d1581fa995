/** Plans how a noted change is taken back in each of its files. Reads files and git; writes nothing. */
import type { ChangeNote, NotedFile } from '../files/change-notes.ts'
import { refuseFile } from '../files/quarantine.ts'
import { hashOf, idFromPath, type ReadTicket } from '../files/ticket-files.ts'
import { readBlobs } from '../git/blobs.ts'
import { readCommittedFiles } from '../git/committed-files.ts'
import { decodeTicket } from '../model/canonical-json.ts'
import type { Stamp } from '../model/change.ts'
import type { Decision } from '../model/decision.ts'
import { PlanError } from '../model/errors.ts'
import type { TicketId } from '../model/names.ts'
import { Refusal } from '../model/strict-json.ts'
import { activeAgain, addedDecisions, changedFields, type FieldReturn, takeBack } from '../model/take-back.ts'
import type { Ticket } from '../model/ticket.ts'
import type { Store } from '../store/store.ts'

/** What is done to one file, as it is answered. */
export interface FileAnswer {
  ticket: string
  path: string
  how: 'restored' | 'removed' | 'retracted' | 'set_back' | 'nothing'
  decisions: Decision[]
  retractions: Decision[]
  fields: FieldReturn[]
  active_again: Decision[]
}

/** What is done to one file, and what that needs. */
export interface FileUndo {
  answer: FileAnswer
  warnings: string[]
  /** The file as it is; undefined where it is gone. */
  file: ReadTicket | undefined
  /** The bytes to restore; null to remove the file. */
  bytes: Buffer | null
  /** The Ticket before and after the change; undefined for one that was added. */
  noted: { before: Ticket; after: Ticket } | undefined
  stamp: Stamp
}

/** Returns what is done to each file of a change. @throws PlanError undo_refused, invalid_file, no_git, git_failed. */
export function planUndo(store: Store, note: ChangeNote): FileUndo[] {
  const { root, gitDir } = store.repository
  const paths = note.files.map(({ path }) => path)
  const committed = gitDir ? readCommittedFiles(root, paths) : new Map<string, Buffer | null>()
  const staged = gitDir ? readBlobs(root, paths.map(stagedName)) : undefined
  return note.files.map(noted => {
    const plan = planFile(store, noted, committed.get(noted.path))
    const { how, path } = plan.answer
    const bytes = staged?.get(stagedName(path))
    if ((how === 'restored' || how === 'removed') && bytes instanceof Buffer && bytes.toString() === noted.after)
      plan.warnings.push(`git's index still has the change; "git add ${path}" takes it out of there`)
    return plan
  })
}

/** Returns git's name of the version of a file in its index. */
function stagedName(path: string): string {
  return `:0:${path}`
}

function planFile(store: Store, given: NotedFile, committed: Buffer | null | undefined): FileUndo {
  const { path } = given
  const id = idFromPath(path)
  const after = decoded(store, path, given.after)
  const before = given.before === null ? undefined : decoded(store, path, given.before)
  const file = store.findFileAt(path)
  if (file && !file.readable) refuseFile(file)
  const answer: FileAnswer = {
    ticket: id,
    path,
    how: 'nothing',
    decisions: [],
    retractions: [],
    fields: [],
    active_again: [],
  }
  const plan: FileUndo = {
    answer,
    warnings: [],
    file,
    bytes: given.before === null ? null : Buffer.from(given.before),
    noted: before && { before, after },
    stamp: store.stamp(),
  }
  if (!file) {
    plan.warnings.push(`${path} is not in this checkout; nothing is left to take back there`)
    return plan
  }
  const isUnchanged = file.hash === hashOf(Buffer.from(given.after))
  if (!before) return planRemoval(plan, isUnchanged, committed)
  if (isUnchanged && !isCommitted(committed, before, after)) {
    answer.how = 'restored'
    answer.decisions = addedDecisions(before, after)
    answer.fields = changedFields(before, after)
    answer.active_again = activeAgain(after, before)
    return plan
  }
  const { ticket, left, decisions, retractions, fields } = takeBack(file.ticket, { before, after }, plan.stamp)
  plan.warnings.push(...left.map(what => `${id}: ${what}`))
  if (ticket === file.ticket) return plan
  answer.how = decisions.length > 0 ? 'retracted' : 'set_back'
  Object.assign(answer, { decisions, retractions, fields, active_again: activeAgain(file.ticket, ticket) })
  return plan
}

/** Plans for a file that the change created. */
function planRemoval(plan: FileUndo, isUnchanged: boolean, committed: Buffer | null | undefined): FileUndo {
  const { ticket, path } = plan.answer
  const why = committed !== undefined ? 'is committed' : isUnchanged ? undefined : 'was changed since it was added'
  if (why) {
    const message = `${path} ${why}, so it is not removed; close ${ticket} with "ticketplan set ${ticket} --state cancelled", and run "ticketplan undo --skip" to go on to the change before it`
    throw new PlanError('undo_refused', message, { ticket })
  }
  plan.answer.how = 'removed'
  return plan
}

/** True where HEAD's version of the file has the change, or cannot be read. */
function isCommitted(committed: Buffer | null | undefined, before: Ticket, after: Ticket): boolean {
  if (committed === undefined) return false
  const text = committed?.toString()
  if (text === undefined) return true
  const added = addedDecisions(before, after)
  if (added.length > 0) return added.some(({ id }) => text.includes(`"${id}"`))
  try {
    const { ticket } = decodeTicket(committed!, after.id)
    return changedFields(before, after).every(({ field }) => ticket[field] === after[field])
  } catch (error) {
    if (error instanceof Refusal) return true
    throw error
  }
}

/** Returns the Ticket in noted bytes. @throws PlanError undo_refused where the note is damaged. */
function decoded(store: Store, path: string, text: string): Ticket {
  const id = idFromPath(path)
  const folder = store.pathOf(id as TicketId).slice(0, -`${id}.json`.length)
  try {
    if (path.startsWith(folder) && !path.split('/').includes('..')) return decodeTicket(Buffer.from(text), id).ticket
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
  const message = `the note of this change, of ${path}, cannot be used; nothing was changed; "ticketplan undo --skip" goes on to the change before it, and "ticketplan retract <id>" takes a decision back`
  throw new PlanError('undo_refused', message, { ticket: id })
}
