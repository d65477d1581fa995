/**
 * Follows the fields of a source record into one Ticket. Pure.
 *
 * Invariant: a field changes only if the source changed it since its last import, as "source" in the Ticket file keeps it. Where
 * both sides changed the state the later one wins; of a title there is no time, so the source wins. The report says so.
 */
import { FORMAT } from '../model/format.ts'
import { isObject, withoutUndefined } from '../model/objects.ts'
import type { Phase } from '../model/states.ts'
import type { Ticket } from '../model/ticket.ts'
import type { Imported, ImportedTicket } from './import-collector.ts'
import type { Origin } from './imported-id.ts'
import { timeOf } from './source-text.ts'

/** The state that a Ticket gets when its record is gone, and the source's word that is kept for it. */
const GONE = { state: 'cancelled', word: 'gone' }

/** The Ticket's state group. */
type StateGroup = Pick<Ticket, 'state' | 'state_at' | 'queued_at' | 'queued_by'>

/** Returns what a Ticket file keeps of its source; undefined for a Ticket that no source brought. */
export function sourceOf(ticket: Ticket | undefined): Record<string, unknown> | undefined {
  const source = ticket?.source
  return isObject(source) && typeof source.system === 'string' ? source : undefined
}

/** True where the kept source is this one. */
export function isFrom(source: Record<string, unknown>, { system, name }: Origin): boolean {
  return source.system === system && source.name === name
}

/** True where the Ticket has a later record of the source. */
export function isOlder(ticket: Ticket | undefined, { updatedAt }: ImportedTicket): boolean {
  const known = timeOf(sourceOf(ticket)?.updated_at)
  return known !== undefined && updatedAt !== undefined && updatedAt < known
}

/** Returns the Ticket as it follows the record, with its decisions, and what the report says. */
export function followFields(
  current: Ticket | undefined,
  record: ImportedTicket,
  imported: Pick<Imported, 'origin'>,
  phaseOf: (state: string) => Phase,
): { ticket: Ticket; notes: string[] } {
  const { id, fields, word, rest, placeInQueue } = record
  const { system, name } = imported.origin
  const mapped = fields.state === word ? undefined : fields.state
  const source: Record<string, unknown> = withoutUndefined({
    ...rest,
    system,
    name,
    id,
    state: word,
    mapped,
    title: fields.title,
  })
  const withPlace = (ticket: Ticket): Ticket =>
    ticket.queued_at === undefined && placeInQueue !== undefined && phaseOf(ticket.state) === 'queued'
      ? { ...ticket, queued_at: placeInQueue }
      : ticket
  if (!current)
    return { ticket: withPlace(withoutUndefined({ decisions: [], format: FORMAT, id, ...fields, source })), notes: [] }
  const before = sourceOf(current)
  const notes: string[] = []
  const title = followTitle(current, before, fields.title, notes)
  if (record.isSnapshotTime && before && isSameBut(before, source, 'updated_at')) source.updated_at = before.updated_at
  const group = followState(current, before, record, notes)
  const created_at = fields.created_at ?? (before ? undefined : current.created_at)
  return { ticket: withPlace(withoutUndefined({ ...current, created_at, title, ...group, source })), notes }
}

function followTitle(
  { id, title: ours }: Ticket,
  before: Record<string, unknown> | undefined,
  theirs: string,
  notes: string[],
): string {
  const base = before ? (before.title ?? ours) : undefined
  if (theirs === base) return ours
  if (ours !== base && ours !== theirs) notes.push(`Ticket ${id}: the source's title replaced ${JSON.stringify(ours)}`)
  return theirs
}

function followState(
  current: Ticket,
  before: Record<string, unknown> | undefined,
  { word, fields, updatedAt }: ImportedTicket,
  notes: string[],
): StateGroup {
  const { id, state, state_at, queued_at, queued_by } = current
  const ours: StateGroup = withoutUndefined({ state, state_at, queued_at, queued_by })
  const isQueuedLater = fields.queued_at !== undefined && fields.queued_at > (queued_at ?? '')
  const theirs: StateGroup = {
    state: fields.state,
    state_at: fields.state_at,
    // The place in the queue is kept once it is set, unless the source queued the Ticket again.
    queued_at: isQueuedLater || queued_at === undefined ? fields.queued_at : queued_at,
    queued_by: isQueuedLater ? fields.queued_by : (queued_by ?? fields.queued_by),
  } as StateGroup
  const known = typeof before?.state === 'string' ? before.state : undefined
  // What the last import made of the source's word; `--queued` may have been another one then.
  const base = known === GONE.word ? GONE.state : typeof before?.mapped === 'string' ? before.mapped : known
  // An import that kept no state is taken as unchanged here since.
  const isChangedHere = before ? base !== undefined && state !== base : true
  const isMoved = before && known !== undefined ? word !== known || fields.state !== base : fields.state !== state
  if (!isMoved) {
    const isSameRecord = before !== undefined && timeOf(before.updated_at) === updatedAt
    return isChangedHere || isSameRecord || (state_at ?? '') > (fields.state_at ?? '') ? ours : theirs
  }
  if (!isChangedHere || state === fields.state) return theirs
  const isOursLater = (state_at ?? '') > (fields.state_at ?? '')
  const [kept, lost] = isOursLater ? [state, fields.state] : [fields.state, state]
  notes.push(`Ticket ${id}: changed here and at the source; the later state "${kept}" replaced "${lost}"`)
  return isOursLater ? ours : theirs
}

/** Returns the Ticket as cancelled since its record is gone. If the record comes back, the state follows it again. */
export function cancelGone(ticket: Ticket, now: string): Ticket {
  const { mapped: _, ...source } = sourceOf(ticket) ?? {}
  return { ...ticket, state: GONE.state, state_at: now, source: { ...source, state: GONE.word } }
}

function isSameBut(a: Record<string, unknown>, b: Record<string, unknown>, name: string): boolean {
  const text = (value: Record<string, unknown>) =>
    JSON.stringify(Object.entries({ ...value, [name]: null }).sort(([x], [y]) => (x < y ? -1 : 1)))
  return text(a) === text(b)
}
