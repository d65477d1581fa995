/**
 * Finds the events since a known state: changes of files, claims and verdicts.
 *
 * Pure but for reads of the store: the caller replaces the known state once it has the events, so a failure loses none. Does not
 * reconcile; the rows must be up to date.
 */
import type { LiveClaims } from '../claims/claims.ts'
import type { Store, View } from '../store/store.ts'
import { type ClaimChange, compareClaims, type KnownClaims, readClaims } from './claim-changes.ts'
import { compareFiles, type KnownFiles, readFiles, type TicketChange } from './ticket-changes.ts'
import {
  compareVerdicts,
  type KnownVerdicts,
  readVerdicts,
  type TracedChange,
  type VerdictChange,
} from './verdict-changes.ts'

/** One change of one Ticket. */
export interface TicketEvent extends Omit<TicketChange, 'path' | 'change'> {
  /** The Ticket's file, from the root; null where it has none. */
  path: string | null
  change: TicketChange['change'] | ClaimChange['change']
  /** New verdicts on queued Tickets that this change caused, as far as the reasons show it. */
  verdicts: VerdictChange[]
}

/** What a listener knows. */
export interface KnownState {
  /** The version and the generation of the index, read before the rest. */
  version: string
  generation: number
  files: KnownFiles
  claims: KnownClaims
  /** True where the claims could not be read: `claims` are then those known before. */
  areClaimsUnknown: boolean
  verdicts: KnownVerdicts
}

/** Returns the state as it is now. */
export function readState(store: Store): KnownState {
  const version = store.index.version() // before the rows: a later change then counts as unknown
  const generation = store.index.generation()
  return store.peek(view => ({
    version,
    generation,
    files: readFiles(view.queries),
    claims: readClaims(view.claims),
    areClaimsUnknown: view.claims.unknown !== null,
    verdicts: readVerdicts(view),
  }))
}

/** True where rows or claims may have changed since the known state, through any process. */
export function isOutdated(store: Store, known: KnownState): boolean {
  return store.index.version() !== known.version || haveChanged(store.claims.snapshot(), known)
}

/** True where claims have changed, or are known no longer, or again. Unknown claims have not ended. */
function haveChanged(claims: LiveClaims, known: KnownState): boolean {
  if ((claims.unknown !== null) !== known.areClaimsUnknown) return true
  return claims.unknown === null && compareClaims(known.claims, readClaims(claims)).length > 0
}

/** Returns the verdicts of a known state where they are those of the view too: no row and no claim has changed since. */
export function knownVerdicts(store: Store, view: View, known: KnownState): KnownVerdicts | undefined {
  const isCurrent = store.index.version() === known.version && !haveChanged(view.claims, known)
  return isCurrent ? known.verdicts : undefined
}

/** Returns the events since the known state, files first, then claims; and the state as it is now. */
export function findEvents(store: Store, known: KnownState): { events: TicketEvent[]; now: KnownState } {
  const version = store.index.version()
  const generation = store.index.generation()
  return store.peek(view => {
    const files = compareFiles(known.files, view.queries)
    const areClaimsUnknown = view.claims.unknown !== null
    const claims = areClaimsUnknown ? known.claims : readClaims(view.claims)
    const claimChanges = compareClaims(known.claims, claims)
    // Without a change, rows were only written again. A new generation may come from a new configuration.
    const canVerdictsDiffer =
      files.changes.length > 0 || haveChanged(view.claims, known) || generation !== known.generation
    const verdicts = canVerdictsDiffer ? readVerdicts(view) : known.verdicts
    const events = [
      ...files.changes.map((change): TicketEvent => ({ ...change, verdicts: [] })),
      ...claimChanges.map(({ ticket, change }) => eventOf(ticket, change, view)),
    ]
    return {
      events: withVerdicts(events, compareVerdicts(known.verdicts, verdicts), view),
      now: { version, generation, files: files.now, claims, areClaimsUnknown, verdicts },
    }
  })
}

/**
 * Adds each new verdict to the event that caused it: that of the Ticket itself, else that of a Ticket which its reasons name,
 * else the last event. Without any event the configuration has changed: then the verdict gets an event of its own.
 */
function withVerdicts(events: TicketEvent[], changes: TracedChange[], view: View): TicketEvent[] {
  const all = [...events]
  const firstOf = new Map(events.map(event => [event.ticket, event] as const).reverse())
  for (const { named, ...change } of changes) {
    const cause = [change.ticket, ...named].flatMap(ticket => firstOf.get(ticket) ?? [])[0] ?? events.at(-1)
    if (cause) cause.verdicts.push(change)
    else all.push({ ...eventOf(change.ticket, 'changed', view), verdicts: [change] })
  }
  return all
}

/** Returns an event without a change of the file's content. */
function eventOf(ticket: string, change: TicketEvent['change'], { queries }: View): TicketEvent {
  return { ticket, path: queries.ticket(ticket)?.path ?? null, change, decisions: [], removed: [], verdicts: [] }
}
