/**
 * Plans how a change is taken back: by the earlier bytes where only this worktree has the change, by new decisions and fields
 * where it is committed or somebody has changed the file since.
 *
 * Invariant: nothing that others wrote is lost. The whole plan is checked before anything is written.
 */
import { refuseFile } from '../files/quarantine.ts'
import { checkedBytes } from '../files/ticket-bytes.ts'
import { hashOf, idFromPath, type ReadTicket } from '../files/ticket-files.ts'
import { readBlobs } from '../git/blobs.ts'
import { decodeTicket } from '../model/canonical-json.ts'
import { retractDecision, type Stamp } from '../model/change.ts'
import type { Decision } from '../model/decision.ts'
import { fileStatuses } from '../model/decision-status.ts'
import { PlanError } from '../model/errors.ts'
import { isoTime } from '../model/text.ts'
import type { Ticket } from '../model/ticket.ts'
import type { FileChange, NotedChange } from '../store/change-notes.ts'
import type { Store } from '../store/store.ts'

export interface UndoStep {
  file: ReadTicket
  how: 'restored' | 'removed' | 'retracted'
  decisions: string[]
  fields: string[]
  /** Writes the file; false where it has changed since it was read. */
  run(): boolean
}

/** The fields that `set` changes. A changed state has its time with it, which is not set back: the state changes again. */
const FIELDS = ['title', 'slug', 'state', 'queued_at', 'queued_by'] as const
type Field = (typeof FIELDS)[number]

/**
 * Returns a step for each file in which something of the change still is; none where nothing was written, or all is taken back.
 * @throws PlanError not_undone, invalid_file.
 */
export function planUndo(store: Store, change: NotedChange): UndoStep[] {
  const committed = committedFiles(store, change)
  return change.files.flatMap(noted => {
    const file = store.findFileAt(noted.path)
    if (!file) return []
    if (!file.readable) refuseFile(file)
    const isUnchanged = file.hash === hashOf(Buffer.from(noted.after))
    const made = differenceOf(noted, file.ticket)
    if (isUnchanged && !isCommitted(made, committed.get(noted.path))) return [bytesStep(store, noted, file, made)]
    if (noted.before === null) throw refusedAdd(file, isUnchanged)
    const step = decisionStep(store, change, file, made)
    return step ? [step] : []
  })
}

/** What a change of one file has added and set. */
interface Difference {
  before: Ticket | undefined
  after: Ticket
  decisions: Decision[]
  fields: Field[]
}

function differenceOf({ before, after }: FileChange, { id }: Ticket): Difference {
  const ticketIn = (text: string) => decodeTicket(Buffer.from(text), id).ticket
  const old = before === null ? undefined : ticketIn(before)
  const now = ticketIn(after)
  const known = new Set(old?.decisions.map(({ id }) => id))
  return {
    before: old,
    after: now,
    decisions: now.decisions.filter(({ id }) => !known.has(id)),
    fields: FIELDS.filter(field => old?.[field] !== now[field]),
  }
}

/** Returns the Tickets as the last commit has them. Outside git, and without a commit, there are none. */
function committedFiles({ repository }: Store, { files }: NotedChange): Map<string, Ticket> {
  const tickets = new Map<string, Ticket>()
  if (repository.gitDir === null) return tickets
  const blobs = readBlobs(
    repository.root,
    files.map(({ path }) => `HEAD:./${path}`),
  )
  for (const { path } of files) {
    const bytes = blobs.get(`HEAD:./${path}`)
    if (!Buffer.isBuffer(bytes)) continue
    try {
      tickets.set(path, decodeTicket(bytes, idFromPath(path)).ticket)
    } catch {} // what git has is no Ticket, so the change is not in it
  }
  return tickets
}

function isCommitted({ before, after, decisions, fields }: Difference, committed: Ticket | undefined): boolean {
  if (!committed) return false
  if (!before) return true
  const known = new Set(committed.decisions.map(({ id }) => id))
  if (decisions.some(({ id }) => known.has(id))) return true
  return fields.length > 0 && fields.every(field => committed[field] === after[field])
}

function bytesStep(
  store: Store,
  { before }: FileChange,
  file: ReadTicket,
  { decisions, fields }: Difference,
): UndoStep {
  const claim = before === null ? store.claims.snapshot().find(file.ticket.id) : undefined
  if (claim) {
    const message = `${file.ticket.id} was added, and ${claim.holder} has a live claim on it; release the claim first`
    throw new PlanError('not_undone', message, { ticket: file.ticket.id, path: file.path })
  }
  return {
    file,
    how: before === null ? 'removed' : 'restored',
    decisions: decisions.map(({ id }) => id),
    fields: before === null ? [] : fields,
    run: () => store.putBack(file, before === null ? null : Buffer.from(before)),
  }
}

/** Returns the step that retracts and sets back; undefined where nothing of the change is left. @throws PlanError not_undone. */
function decisionStep(
  store: Store,
  { command, at }: NotedChange,
  file: ReadTicket,
  { before, after, decisions, fields }: Difference,
): UndoStep | undefined {
  const stamp = store.stamp()
  const reason = `undo of ${command} at ${at}`
  const statuses = fileStatuses(file.ticket.decisions)
  const left = decisions.filter(({ id }) => statuses.has(id) && statuses.get(id) !== 'retracted')
  const toSet = fields.filter(field => file.ticket[field] !== before?.[field])
  if (left.length + toSet.length === 0) return undefined
  const changed = toSet.find(field => file.ticket[field] !== after[field])
  if (changed) {
    const message = `${file.ticket.id}: ${changed} was changed again since; nothing was undone. Set it with "ticketplan set"`
    throw new PlanError('not_undone', message, { ticket: file.ticket.id, path: file.path })
  }
  let ticket = left.reduce((ticket, { id }) => retractDecision(ticket, id, reason, stamp).ticket, file.ticket)
  if (toSet.length > 0) ticket = setBack(ticket, toSet, before!, stamp)
  checkedBytes(ticket, file.path)
  return {
    file,
    how: 'retracted',
    decisions: left.map(({ id }) => id),
    fields: toSet,
    run: () => store.overwrite(file, file.path, ticket),
  }
}

function setBack(ticket: Ticket, fields: readonly Field[], before: Ticket, stamp: Stamp): Ticket {
  const next: Ticket = { ...ticket }
  for (const field of fields) {
    if (before[field] === undefined) delete next[field]
    else Object.assign(next, { [field]: before[field] })
  }
  return fields.includes('state') ? { ...next, state_at: isoTime(stamp.nowMs) } : next
}

function refusedAdd({ ticket, path }: ReadTicket, isUnchanged: boolean): PlanError {
  const why = isUnchanged ? 'is committed' : 'has been changed since it was added'
  const message = `${path} ${why}, so its add is not undone; set another state with "ticketplan set ${ticket.id} --state …", or remove the file with git`
  return new PlanError('not_undone', message, { ticket: ticket.id, path })
}
