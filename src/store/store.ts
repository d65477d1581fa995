/**
 * The store of one checkout: files, index and local database behind one object, with clock, ids and author passed in.
 *
 * The invariants stand here. A read reflects every file change that finished before it began. A write happens under the
 * clone's one write lock: the file is read, changed by a pure function, checked, written durably, and only then noted in the
 * index; what another program changed in between is read again, never overwritten. The index never writes a file.
 */
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Claims, LiveClaims } from '../claims/claims.ts'
import { leaseClock } from '../claims/lease-clock.ts'
import { localClaims } from '../claims/local-claims.ts'
import { localDatabase } from '../database/local-database.ts'
import { statKey } from '../files/file-system.ts'
import { BUSY_TIMEOUT_MS } from '../files/pause.ts'
import { CONFIG_FILE, checkTicketsDir, findRepository, type Repository } from '../files/repository.ts'
import { findGitConfig } from '../git/git.ts'
import type { Stamp } from '../model/change.ts'
import { PlanError } from '../model/errors.ts'
import type { Facts } from '../model/facts.ts'
import { lazy } from '../model/lazy.ts'
import type { TicketId } from '../model/names.ts'
import { type Phase, phaseFunction } from '../model/phase.ts'
import { LIMITS } from '../model/text.ts'
import type { IndexQueries, TicketRow } from '../ticket-index/query.ts'
import type { Progress, Reconciled } from '../ticket-index/reconcile.ts'
import { type TicketIndex, ticketIndex } from '../ticket-index/ticket-index.ts'
import { indexFacts } from './index-facts.ts'
import { resolveName } from './resolve-name.ts'
import { type TicketEditor, ticketEditor } from './ticket-editor.ts'
import { type Watcher, watcherTrust } from './watcher-trust.ts'

/** How a plan is opened; all but `root` have a default. */
export interface OpenOptions {
  /** A folder of the checkout; the repository around it is found from here. Default: the working directory. */
  root?: string
  /** The author of decisions. Default: `$TICKETPLAN_ACTOR`, else git's `user.name`. */
  actor?: string
  /** The wall clock, in milliseconds since 1970. */
  now?: () => number
  /** A ULID for a decision made at that time; must grow within a process. */
  newId?: (timeMs: number) => string
  /** Told, in a sentence, what a person should know and no answer says: an index made anew, for example. */
  onNotice?: (message: string) => void
  /** Told during work that may take long: how many files of how many are done. */
  onProgress?: Progress
  /** How long to wait for a lock before "busy", in milliseconds. Default 15,000. */
  busyTimeoutMs?: number
}

const OPTIONS = [
  'root',
  'actor',
  'now',
  'newId',
  'onNotice',
  'onProgress',
  'busyTimeoutMs',
] as const satisfies (keyof OpenOptions)[]

/** One moment's answers: a snapshot of the index and of the live claims. */
export interface View {
  queries: IndexQueries
  claims: LiveClaims
  facts: Facts
  /** The Ticket that an id or a slug names. @throws PlanError unknown_ticket, ambiguous_slug. */
  resolve(name: string): { id: TicketId; row: TicketRow | null }
}

export interface Store extends TicketEditor {
  readonly repository: Repository
  readonly index: TicketIndex
  /** The path of local.db, the database of this clone. */
  readonly localPath: string
  readonly claims: Claims
  now(): number
  phaseOf(state: string): Phase
  notify(message: string): void
  readonly progress: Progress | undefined
  /** Runs the action over what the files hold now. */
  read<T>(action: (view: View) => T): T
  /**
   * The same, for an answer that rests on few Tickets. While a watcher's word can be taken, only their files are looked at.
   * The action must have no effects: it may run more than once.
   */
  readFew<T>(action: (view: View) => T): T
  /** Runs the action over what the index holds, be it out of date. */
  peek<T>(action: (view: View) => T): T
  /** Takes the word of a watcher, until the function that it gives is called. */
  trust(watcher: Watcher): () => void
  /** Makes the index equal to the files. */
  reconcile(): Reconciled
  /** Makes the index anew. */
  rebuild(): Reconciled
  /** Runs the action while no other process of this clone writes. */
  locked<T>(action: () => T): T
  /** The author, time and ids for a change that is made now. @throws PlanError no_actor. */
  stamp(): Stamp
  close(): void
}

/** Opens the store around a folder. Databases are opened when first needed. @throws PlanError bad_config, io. */
export function openStore(options: OpenOptions = {}): Store {
  const misspelt = Object.keys(options).find(key => !(OPTIONS as readonly string[]).includes(key))
  if (misspelt !== undefined) {
    const message = `unknown option ${misspelt}; the options are ${OPTIONS.join(', ')}`
    throw new PlanError('invalid_input', message, { field: misspelt })
  }
  let repository = findRepository(options.root ?? process.cwd())
  const configPath = join(repository.root, CONFIG_FILE)
  let configStamp = statKey(statSync(configPath, { throwIfNoEntry: false }))
  const timeoutMs = options.busyTimeoutMs ?? BUSY_TIMEOUT_MS
  const now = options.now ?? Date.now
  // Loaded when the first decision is made: reading needs no ids.
  const ulid = lazy(() => (createRequire(import.meta.url)('ulid') as typeof import('ulid')).monotonicFactory())
  const newId = options.newId ?? (timeMs => ulid()(timeMs))
  const notify = options.onNotice ?? (() => {})
  let phaseOf = phaseFunction(repository.config.states)
  const local = localDatabase(join(repository.localDir, 'local.db'), timeoutMs, notify)
  const claims = localClaims(local, leaseClock(options.now))
  let index = ticketIndex(repository, phaseOf, local, timeoutMs, notify)
  let actor: string | undefined
  let underLock = false
  const trust = watcherTrust()

  /** Takes over a configuration that was changed, before anything is asked of it. */
  const refreshConfig = () => {
    const stamp = statKey(statSync(configPath, { throwIfNoEntry: false }))
    if (underLock || stamp === configStamp) return
    repository = findRepository(repository.root)
    configStamp = stamp
    phaseOf = phaseFunction(repository.config.states)
    index.close()
    index = ticketIndex(repository, phaseOf, local, timeoutMs, notify)
  }

  const viewOf = (queries: IndexQueries): View => {
    const snapshot = claims.snapshot()
    return {
      queries,
      claims: snapshot,
      facts: indexFacts(queries, snapshot, repository.config.pools),
      resolve: name => resolveName(queries, name),
    }
  }
  /** The index, under the configuration of now, over a tickets folder that is there. */
  const fresh = () => {
    refreshConfig()
    checkTicketsDir(repository)
    return index
  }
  /** Runs work that looks at all files, and takes note that it was done. */
  const checking = <T>(work: (index: TicketIndex) => T): T => {
    const index = fresh()
    return trust.recordScan(index, () => work(index))
  }
  const read = <T>(action: (view: View) => T): T => {
    return checking(index => index.read(queries => action(viewOf(queries)), options.onProgress))
  }
  const readFew = <T>(action: (view: View) => T): T => {
    refreshConfig()
    const generation = underLock ? undefined : trust.trustedGeneration()
    try {
      const few = generation === undefined ? undefined : index.readFew(generation, queries => action(viewOf(queries)))
      if (few) return few.answer
    } catch (error) {
      if (!(error instanceof PlanError)) throw error // else asked again: what is not known may stand in a file that is not yet read
    }
    return read(action)
  }
  const editor = ticketEditor({
    repository: () => repository,
    index: () => index,
    read: action => checking(index => index.read(action, options.onProgress)),
  })

  const store: Store = {
    ...editor,
    get repository() {
      return repository
    },
    get index() {
      return index
    },
    localPath: local.path,
    claims,
    now,
    phaseOf: state => phaseOf(state),
    notify,
    progress: options.onProgress,
    read,
    readFew,
    peek: action => index.peek(queries => action(viewOf(queries))),
    trust: checks.trust,
    reconcile: () => checking(index => index.reconcile(options.onProgress)),
    rebuild: () => checking(index => index.rebuild(options.onProgress)),
    locked(action) {
      if (underLock) return action()
      fresh() // fails before anything is made where nothing is set up
      return local.locked(() => {
        fresh() // the configuration may have changed while we waited
        underLock = true
        try {
          return action()
        } finally {
          underLock = false
        }
      })
    },
    stamp() {
      actor ??= options.actor || process.env.TICKETPLAN_ACTOR || findGitConfig(repository.root, 'user.name')
      if (!actor) {
        throw new PlanError(
          'no_actor',
          'nobody to record as the author: give --actor <name>, set TICKETPLAN_ACTOR, or set user.name in git',
          {},
        )
      }
      if (/\p{Cc}/u.test(actor) || Buffer.byteLength(actor) > LIMITS.lineBytes) {
        throw new PlanError('invalid_input', "the actor's name must be one line of at most 1 KiB", { field: 'actor' })
      }
      return { by: actor, nowMs: now(), newId }
    },
    close() {
      index.close()
      local.close()
    },
  }
  return store
}
