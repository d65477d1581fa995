/**
 * The store of one checkout: files, index and claims behind one object, with clock, ids and author passed in.
 *
 * Invariants: a read reflects every file change that finished before it began. A write holds the clone's one write lock: the
 * file is read, changed by a pure function, checked, written durably, and only then entered in the index; a change that another
 * program makes in between is read again, never overwritten. The index never writes a file.
 */
import { join } from 'node:path'
import type { Claims } from '../claims/claims.ts'
import { leaseClock } from '../claims/lease-clock.ts'
import { leaseCovers } from '../claims/lease-covers.ts'
import { localClaims } from '../claims/local-claims.ts'
import { localDatabase } from '../database/local-database.ts'
import { BUSY_TIMEOUT_MS, monotonicMs } from '../files/pause.ts'
import { findRepository, type Repository } from '../files/repository.ts'
import { givenClaims } from '../fleet/given-claims.ts'
import { alternatives } from '../model/alternatives.ts'
import type { Stamp } from '../model/change.ts'
import { PlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import { isObject } from '../model/objects.ts'
import type { Phase, States } from '../model/states.ts'
import { LIMITS } from '../model/text.ts'
import { cloneWarnings } from '../setup/clone-check.ts'
import type { Progress } from '../ticket-index/reconcile.ts'
import type { TicketIndex } from '../ticket-index/ticket-index.ts'
import { afterMove, findMoveProblem, whileOutsideGit } from './before-git.ts'
import { type ChangeNoter, changeNoter } from './change-noter.ts'
import { type Checkout, openCheckout } from './checkout.ts'
import { guardedEditor, type HoldGuard } from './hold-guard.ts'
import { type Reads, storeReads } from './reads.ts'
import { stampSource } from './stamp-source.ts'
import { claimsRefused, type StoreFleet, storeFleet } from './store-fleet.ts'
import { type TicketEditor, ticketEditor } from './ticket-editor.ts'

export type { View } from './reads.ts'

/** How a plan is opened. Every option but `root` has a default that suits a program. */
export interface OpenOptions {
  /** A folder of the checkout; the repository is found from it. Default: the working directory. */
  root?: string
  /** The author of decisions. Default: `$TICKETPLAN_ACTOR`, else git's `user.name`. */
  actor?: string
  /** The wall clock, in milliseconds since 1970. */
  now?: () => number
  /** Returns a ULID for a decision that is made at that time; must grow within a process. */
  newId?: (timeMs: number) => string
  /** Receives a sentence about what a person should know and no answer contains: a rebuilt index, for example. */
  onNotice?: (message: string) => void
  /** Called during long work with the number of files done, and of all. */
  onProgress?: Progress
  /** How long to wait for a lock before the error "busy", in milliseconds. Default 15,000. */
  busyTimeoutMs?: number
}

/** The options, with the type that `typeof` gives for a value. */
const OPTIONS = {
  root: 'string',
  actor: 'string',
  now: 'function',
  newId: 'function',
  onNotice: 'function',
  onProgress: 'function',
  busyTimeoutMs: 'number',
} as const satisfies Record<keyof OpenOptions, string>

export interface Store extends TicketEditor, Reads, Omit<ChangeNoter, 'noteWrites'> {
  readonly repository: Repository
  readonly index: TicketIndex
  /** In a repository with a fleet: as they were given last, refused before. */
  readonly claims: Claims
  /** Set where the clone has joined a fleet and the caller can wait for its server. */
  readonly fleet: StoreFleet | undefined
  /** The path of local.db, the database of this clone. */
  readonly localPath: string
  readonly progress: Progress | undefined
  /** The session of a holder who names none; undefined where there is none. */
  readonly session: string | undefined
  /** False where answers must not show the token of a claim. */
  readonly showsTokens: boolean
  /** Set where holds that others recorded must not be lifted. */
  readonly holdGuard: HoldGuard | undefined
  now(): number
  /** The meaning of states under the current configuration. */
  readonly states: States
  phaseOf(state: string): Phase
  notify(message: string): void
  /** Runs the action while no other process of this clone writes. Changes of claims in it are undone where it throws. */
  locked<T>(action: () => T): T
  /** Returns author, time and ids for a change that is made now. @throws PlanError no_actor, invalid_input. */
  stamp(): Stamp
  close(): void
}

/** What the edges of the program set. */
interface EdgeOptions {
  /** The session of its own. Default: `$TICKETPLAN_SESSION`. */
  session?: string
  /** False for clients who must not act for a holder. */
  showsTokens?: boolean
  /** Refuses changes that lift holds of others. */
  holdGuard?: HoldGuard
  /** True for a caller that can wait for the server of a fleet. */
  waits?: boolean
}

/** Opens the store around a folder. Databases are opened when first needed. @throws PlanError invalid_input, bad_config, io. */
export function openStore(
  options: OpenOptions = {},
  {
    session = checkedSession(process.env.TICKETPLAN_SESSION),
    showsTokens = true,
    holdGuard,
    waits = false,
  }: EdgeOptions = {},
): Store {
  checkOptions(options)
  const timeoutMs = options.busyTimeoutMs ?? BUSY_TIMEOUT_MS
  const now = options.now ?? Date.now
  const notify = options.onNotice ?? (() => {})
  const progress = options.onProgress
  const found = findRepository(options.root)
  const local = whileOutsideGit(found, localDatabase(join(found.localDir, 'local.db'), timeoutMs, notify))
  const clock = leaseClock(options.now)
  const refused = claimsRefused(found)
  const given = refused && givenClaims(refused, monotonicMs)
  const claims = given ?? afterMove(findMoveProblem(found, local, timeoutMs, notify), localClaims(local, clock))
  const checkout = openCheckout(found, local, timeoutMs, notify)
  const { readRows, ...reads } = storeReads(checkout, claims, now, progress)
  const fleet =
    given && waits
      ? storeFleet(found, given, leaseCovers(local, clock), clock, timeoutMs, () => unsettledTickets(checkout))
      : undefined
  const stamp = stampSource(found.root, options.actor, now, options.newId)
  const { noteWrites, ...notes } = changeNoter(checkout, stamp, notify)
  const editor = ticketEditor(checkout, readRows, cloneNotices(checkout, notify), noteWrites)
  return {
    ...(holdGuard ? guardedEditor(editor, holdGuard, reads) : editor),
    ...reads,
    ...notes,
    get repository() {
      return checkout.repository
    },
    get index() {
      return checkout.index
    },
    claims,
    fleet,
    localPath: local.path,
    progress,
    session,
    showsTokens,
    holdGuard,
    now,
    get states() {
      return checkout.states
    },
    phaseOf: state => checkout.states.phaseOf(state),
    notify,
    locked: checkout.locked,
    stamp,
    close: checkout.close,
  }
}

/** Lists the Tickets that are not terminal, by the rows as they are; none where there are no rows yet. */
function unsettledTickets({ index }: Checkout): readonly string[] {
  try {
    return index.peek(queries => queries.unsettled())
  } catch {
    return [] // the read that follows says what is wrong
  }
}

/** Returns a function that notifies once of what is wrong with git in this clone. Called after a write. */
function cloneNotices(checkout: Checkout, notify: (message: string) => void): () => void {
  return lazy(() => {
    for (const message of cloneWarnings(checkout.repository)) notify(message)
  })
}

/** Returns the session that `TICKETPLAN_SESSION` names, undefined where it is empty. @throws PlanError invalid_input. */
export function checkedSession(session: string | undefined): string | undefined {
  if (!session) return undefined
  if (!/\p{Cc}/u.test(session) && Buffer.byteLength(session) <= LIMITS.lineBytes) return session
  throw new PlanError('invalid_input', 'TICKETPLAN_SESSION must be one line of at most 1 KiB', { field: 'session' })
}

function checkOptions(options: unknown): void {
  if (!isObject(options)) throw new PlanError('invalid_input', 'the options must be an object', { field: 'options' })
  for (const [field, value] of Object.entries(options)) {
    const type = Object.hasOwn(OPTIONS, field) ? OPTIONS[field as keyof OpenOptions] : undefined
    if (type === undefined) {
      const message = `unknown option ${field}${alternatives(field, Object.keys(OPTIONS), 'the options')}`
      throw new PlanError('invalid_input', message, { field })
    }
    if (value === undefined || (typeof value === type && !Number.isNaN(value))) continue
    throw new PlanError('invalid_input', `the option ${field} must be a ${type}`, { field })
  }
}
