/**
 * Writes a planned import into the Ticket files, a few at a time.
 *
 * Invariant: a file is read again under the write lock, so what others change meanwhile is kept. A file that a change does not
 * alter is not written. Between two chunks the lock goes to the commands that wait for it.
 */
import { checkedBytes } from '../files/ticket-bytes.ts'
import { hashOf, type ReadTicket } from '../files/ticket-files.ts'
import { encodeTicket } from '../model/canonical-json.ts'
import { count } from '../model/count.ts'
import type { Decision } from '../model/decision.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { byId } from '../model/order.ts'
import { isoTime } from '../model/text.ts'
import { type Ticket, ticketProblem } from '../model/ticket.ts'
import type { Store } from '../store/store.ts'
import type { FileState } from '../ticket-index/file-queries.ts'
import { followEdges, type MovedEdge } from './follow-edges.ts'
import { cancelGone, followFields } from './follow-fields.ts'
import type { Dropped, Imported, SkippedRecord } from './import-collector.ts'
import { ticketsPrint } from './last-imports.ts'
import { type Change, type ImportOptions, type ImportPlan, planImport, unreadable } from './plan-import.ts'

/** How many files are made durable together, under one hold of the write lock, and for how long they are prepared, in milliseconds, at most. */
const CHUNK = 200
const HOLD_MS = 100
/** How often a file that other programs change meanwhile is read again. */
const ATTEMPTS = 20

/** What an import did, or with `dryRun` would do. */
export interface WrittenImport {
  tickets: number
  decisions: number
  written: number
  retracted: number
  /** The files that were written, in the order of the source. */
  changes: FileChange[]
  gone: string[]
  cancelled: string[]
  skipped: Record<string, number>
  skippedRecords: SkippedRecord[]
  dropped: Dropped[]
  warnings: string[]
  /** What the Ticket files are now, where a second import would change nothing and report the same; else undefined. */
  settled: string | undefined
}

/** Plans and writes an import; with `dryRun` it writes nothing. */
export function writeImport(store: Store, imported: Imported, options: Options): WrittenImport {
  const plan = planImport(store, imported, options)
  const { changes } = plan
  const total: Totals = { written: 0, retracted: 0, changes: [], hashes: new Map(), notes: 0 }
  for (let done = 0; done < changes.length; ) {
    const rest = changes.slice(done, done + CHUNK)
    done += options.dryRun ? checkAll(store, rest, plan, total) : writeOrSay(store, rest, plan, total)
    store.progress?.(done, changes.length)
  }
  const { tickets, decisions, gone, cancelled, skipped, skippedRecords, dropped, warnings } = plan
  const { written, retracted } = total
  const settled = isSettled(total, plan, options) ? printAfter(plan, total) : undefined
  return {
    tickets,
    decisions,
    written,
    retracted,
    changes: total.changes,
    gone,
    cancelled,
    skipped,
    skippedRecords,
    dropped,
    warnings,
    settled,
  }
}

/** True where a second import would have nothing to write, and the same to say. */
function isSettled({ written, notes }: Totals, { gone }: ImportPlan, { dryRun, prune }: Options): boolean {
  return written === 0 || (!dryRun && notes === 0 && !(prune && gone.length > 0))
}

/** Returns what the Ticket files are if no other program has changed one since the import was planned. */
function printAfter({ files }: ImportPlan, { hashes }: Totals): string {
  const others = files.filter(([path]) => !hashes.has(path))
  const own = [...hashes].map(([path, hash]): FileState => [path, hash, null])
  return ticketsPrint([...others, ...own])
}

type Options = ImportOptions & { dryRun: boolean }

/** What one file got. */
export interface FileChange {
  ticket: string
  change: 'new' | 'changed'
  /** Edges that the source no longer states. */
  retracted: number
  /** The decisions that it got, with the retractions of these edges. */
  decisions: Decision[]
  /** The edges that these retractions are about. */
  moved: MovedEdge[]
}

interface Totals {
  written: number
  retracted: number
  changes: FileChange[]
  /** The hash of each file that was written, by path. */
  hashes: Map<string, string>
  /** How many lines of the report are about what this import changed. */
  notes: number
}

/** Checks the changes without writing; returns their number. */
function checkAll(store: Store, changes: Change[], plan: ImportPlan, total: Totals): number {
  for (const change of changes)
    orReport(change, plan, () => {
      const prepared = prepare(store, change, plan)
      const hash = prepared.ticket ? hashOf(checkedBytes(prepared.ticket, change.path)) : null
      countChange(change, prepared, hash, plan, total)
    })
  return changes.length
}

/** Writes some of the changes under the write lock; returns how many are done. An error says what had been written. */
function writeOrSay(store: Store, changes: Change[], plan: ImportPlan, total: Totals): number {
  try {
    return store.locked(() => writeSome(store, changes, plan, total))
  } catch (error) {
    if (total.written === 0 || !(error instanceof PlanError)) throw error
    const files = `${count(total.written, 'file')} of ${plan.changes.length} were written`
    const message = `${error.message}; ${files} before that; run the import again to finish it`
    throw new PlanError(error.code, message, error.data, error)
  }
}

/** Writes changes until the lock has been held long enough; returns how many are done. Called under the write lock. */
function writeSome(store: Store, changes: Change[], plan: ImportPlan, total: Totals): number {
  using batch = store.batch()
  const until = performance.now() + HOLD_MS
  const added: { change: Change; prepared: Prepared }[] = []
  let done = 0
  for (const change of changes) {
    if (done > 0 && performance.now() > until) break
    orReport(change, plan, () => {
      const prepared = prepare(store, change, plan)
      if (prepared.ticket) batch.add(prepared.file, change.path, prepared.ticket)
      added.push({ change, prepared })
    })
    done++
  }
  const { written, changed, error } = batch.write()
  store.indexWritten(written.map(({ path }) => path))
  const hashes = new Map(written.map(({ path, hash }) => [path, hash]))
  const isChanged = new Set(changed)
  for (const { change, prepared } of added) {
    const hash = hashes.get(change.path)
    if (hash !== undefined || !prepared.ticket) countChange(change, prepared, hash ?? null, plan, total)
    else if (!error && isChanged.has(change.path)) orReport(change, plan, () => writeOne(store, change, plan, total))
  }
  if (error) throw error
  return done
}

/** Writes a change of a file that another program has changed meanwhile. Called under the write lock. */
function writeOne(store: Store, change: Change, plan: ImportPlan, total: Totals): void {
  const prepared = write(store, change, plan)
  if (prepared.ticket) store.indexWritten([change.path])
  const hash = prepared.ticket ? hashOf(Buffer.from(encodeTicket(prepared.ticket))) : null
  countChange(change, prepared, hash, plan, total)
}

/** A Ticket to write, null where the file has all of it already, and what the report says of it. */
interface Prepared {
  file: ReadTicket | null
  ticket: Ticket | null
  retracted: number
  /** The decisions that are added. */
  added: Decision[]
  moved: MovedEdge[]
  notes: string[]
}

function write(store: Store, change: Change, plan: ImportPlan): Prepared {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const prepared = prepare(store, change, plan)
    if (!prepared.ticket || store.overwrite(prepared.file, change.path, prepared.ticket)) return prepared
  }
  const message = `another program keeps changing ${change.path}; run the import again`
  throw new PlanError('contended', message, { path: change.path })
}

/** The errors of one file that are reported. Any other error ends the import. */
const REPORTED = [
  'contended',
  'invalid_file',
  'invalid_input',
  'limit',
  'newer_format',
  'not_checked_out',
  'unknown_ticket',
] as const

/** Adds a change to the totals. `hash` is that of the new bytes, null where the file had all of it already. */
function countChange(
  { id, path }: Change,
  { file, retracted, added, moved, notes }: Prepared,
  hash: string | null,
  plan: ImportPlan,
  total: Totals,
): void {
  plan.warnings.push(...notes)
  total.notes += notes.length
  if (hash === null) return
  total.hashes.set(path, hash)
  total.written++
  total.retracted += retracted
  total.changes.push({ ticket: id, change: file ? 'changed' : 'new', retracted, decisions: added, moved })
}

/** Runs the action; adds a line to the report where the change is not possible. */
function orReport({ id, fields, decisions }: Change, plan: ImportPlan, action: () => void): void {
  try {
    action()
  } catch (error) {
    // A RangeError is a value that is nested too deeply to be encoded, or that contains itself.
    if (!(error instanceof RangeError) && !REPORTED.some(code => isPlanError(error, code))) throw error
    if (fields !== null && fields !== 'gone') plan.tickets--
    plan.decisions -= decisions.length
    const lost = decisions.length ? ` (with ${count(decisions.length, 'decision')})` : ''
    plan.dropped.push({ source: `Ticket ${id}`, message: `not changed${lost}: ${(error as Error).message}` })
  }
}

/**
 * Returns the Ticket to write and the file that it replaces.
 * @throws PlanError invalid_file, unknown_ticket.
 */
function prepare(
  store: Store,
  { path, id, fields, decisions, isRetractable }: Change,
  { imported }: ImportPlan,
): Prepared {
  const file = store.findFileAt(path) ?? null
  if (file && !file.readable) {
    throw new PlanError('invalid_file', unreadable(path), { path, refusal: file.code, place: file.place })
  }
  if (!file && (fields === null || fields === 'gone')) {
    const message = `${path} was deleted during the import; run the import again`
    throw new PlanError('unknown_ticket', message, { ticket: id, similar: [] })
  }
  const followed =
    fields === null
      ? { ticket: file!.ticket, notes: [] }
      : fields === 'gone'
        ? { ticket: cancelGone(file!.ticket, isoTime(store.now())), notes: [] }
        : followFields(file?.ticket, fields, imported, store.phaseOf)
  const present = followed.ticket.decisions
  const known = new Set(present.map(({ id }) => id))
  const edges = imported.isExact
    ? { added: decisions.filter(({ id }) => !known.has(id)), retracted: 0, moved: [], notes: [] }
    : followEdges({ origin: imported.origin, holder: id, present, wanted: decisions, isRetractable })
  const ticket = { ...followed.ticket, decisions: [...present, ...edges.added].sort(byId) }
  const notes = [...followed.notes, ...edges.notes]
  const isSame = file && ticketProblem(ticket) === null && encodeTicket(ticket) === encodeTicket(file.ticket)
  const { added, retracted, moved } = edges
  return { file, ticket: isSame ? null : ticket, retracted, added, moved, notes }
}
