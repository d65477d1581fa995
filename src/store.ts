/**
 * The store of one checkout: files, index and local database behind one object, with clock, ids and author passed in.
 *
 * The invariants stand here. A read reflects every file change that finished before it began. A write happens under the
 * clone's one write lock: the file is read, changed by a pure function, checked, written durably, and only then noted in the
 * index; what another program changed in between is read again, never overwritten. The index never writes a file.
 */
import { lstatSync, type Stats, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, sep } from 'node:path'
import { type Acquired, acquireLease, type LeaseRequest, type LiveClaims, liveClaims } from './claims/claims.ts'
import { leaseClock, type Moment } from './claims/lease-clock.ts'
import { indexFacts } from './consult/facts.ts'
import { readFencingMark, writeFencingMark } from './database/fencing-mark.ts'
import { BUSY_TIMEOUT_MS } from './database/open.ts'
import { databaseError, isDamaged } from './database/sqlite-error.ts'
import { type LocalDatabase, localDatabase } from './database/write-lock.ts'
import { findGitConfig } from './files/git.ts'
import { CONFIG_FILE, checkTicketsDir, findRepository, type Repository } from './files/repository.ts'
import { checkedBytes } from './files/ticket-bytes.ts'
import {
  findTicketFile,
  type QuarantinedFile,
  type ReadTicket,
  refuseFile,
  writeTicketFile,
} from './files/ticket-files.ts'
import type { Stamp } from './model/change.ts'
import { PlanError } from './model/errors.ts'
import type { Facts } from './model/facts.ts'
import { lazy } from './model/lazy.ts'
import { type Phase, phaseFunction } from './model/phase.ts'
import { LIMITS } from './model/text.ts'
import type { Ticket } from './model/ticket.ts'
import { idKey, isTicketId, type TicketId } from './model/ticket-id.ts'
import type { IndexQueries, TicketRow } from './ticket-index/query.ts'
import { isRacy, type Progress, type Reconciled } from './ticket-index/reconcile.ts'
import { resolveName, unknownTicket } from './ticket-index/resolve-name.ts'
import { type TicketIndex, ticketIndex } from './ticket-index/ticket-index.ts'

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

/** Somebody who hears of changes to the files of the tickets folder, and has all of them checked now and then. */
export interface Watcher {
  /** True while it hears of every change, as far as anybody can know. */
  isHearing(): boolean
  /** When it last heard of one, by `performance.now()`. */
  heardAt: number
  /** For how long after a full check its word is taken. */
  trustedMs: number
}

export interface Store {
  readonly repository: Repository
  readonly index: TicketIndex
  readonly local: LocalDatabase
  now(): number
  /** The clocks that leases go by. */
  moment(): Moment
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
  /** The claims of now. */
  claims(): LiveClaims
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
  /** The Ticket file that a name stands for, read from the disk; undefined where a valid id has no file. */
  findFile(name: string): { id: TicketId; file: ReadTicket | undefined }
  /** The same, for a Ticket that must be there. */
  getFile(name: string): ReadTicket
  /**
   * Changes one Ticket file: reads it, asks `change` for the new Ticket, writes it durably. Called inside `locked`. Where
   * `change` gives the same Ticket back nothing is written.
   */
  edit<T extends { ticket: Ticket }>(path: string, change: (ticket: Ticket) => T): T
  /** Writes a new Ticket file. Called inside `locked`. False where the path is taken. */
  create(ticket: Ticket): boolean
  /** Writes a Ticket over the file that was read, in canonical form. Called inside `locked`. False where it has changed. */
  overwrite(file: ReadTicket | null, path: string, ticket: Ticket): boolean
  /** Notes written files in the index. */
  noteWritten(paths: readonly string[]): void
  /** Takes or renews a lease. Called inside `locked`, and part of its transaction. */
  acquire(request: LeaseRequest): Acquired
  /** The path of a new Ticket's file, from the root. */
  pathOf(id: TicketId): string
  close(): void
}

/** Other programs that change the same file again and again get this many chances before the write gives up. */
const ATTEMPTS = 20

/** Opens the store around a folder. Databases are opened when first needed. @throws PlanError bad_config, io. */
export function openStore(options: OpenOptions = {}): Store {
  const misspelt = Object.keys(options).find(key => !(OPTIONS as readonly string[]).includes(key))
  if (misspelt !== undefined) {
    const message = `unknown option ${misspelt}; the options are ${OPTIONS.join(', ')}`
    throw new PlanError('invalid_input', message, { field: misspelt })
  }
  let repository = findRepository(options.root ?? process.cwd())
  const configPath = join(repository.root, CONFIG_FILE)
  let configStamp = stampOf(statSync(configPath, { throwIfNoEntry: false }))
  const timeoutMs = options.busyTimeoutMs ?? BUSY_TIMEOUT_MS
  const now = options.now ?? Date.now
  const moment = leaseClock(options.now)
  // Loaded when the first decision is made: reading needs no ids.
  const ulid = lazy(() => (createRequire(import.meta.url)('ulid') as typeof import('ulid')).monotonicFactory())
  const newId = options.newId ?? (timeMs => ulid()(timeMs))
  const notify = options.onNotice ?? (() => {})
  let phaseOf = phaseFunction(repository.config.states)
  const local = localDatabase(join(repository.localDir, 'local.db'), timeoutMs, notify)
  let index = ticketIndex(repository, phaseOf, local, timeoutMs, notify)
  let actor: string | undefined
  let underLock = false
  const watchers = new Set<Watcher>()
  /** The last full check: when it began, over which database, and what the tickets folder was then; that is empty if it was too young. */
  let checked: { at: number; mark: number; folder: string } | undefined

  /** Takes over a configuration that was changed, before anything is asked of it. */
  const refreshConfig = () => {
    const stamp = stampOf(statSync(configPath, { throwIfNoEntry: false }))
    if (underLock || stamp === configStamp) return
    repository = findRepository(repository.root)
    configStamp = stamp
    phaseOf = phaseFunction(repository.config.states)
    index.close()
    index = ticketIndex(repository, phaseOf, local, timeoutMs, notify)
  }

  const readClaims = (): LiveClaims => {
    try {
      return liveClaims(local.reader(), moment())
    } catch (error) {
      if (isDamaged(error) && !underLock) {
        local.close() // opened anew it is set aside
        return liveClaims(local.reader(), moment())
      }
      throw databaseError(error, local.path) // not to be taken for a failure of the index
    }
  }
  const viewOf = (queries: IndexQueries): View => {
    const claims = readClaims()
    return {
      queries,
      claims,
      facts: indexFacts(queries, claims, repository.config.pools),
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
    const at = performance.now()
    const stat = watchers.size > 0 ? lstatSync(repository.ticketsDir, { throwIfNoEntry: false }) : undefined
    const folder = stat && !isRacy(stat.mtimeMs, stat.ctimeMs, Date.now()) ? stampOf(stat) : ''
    const result = work(index)
    if (watchers.size > 0) checked = { at, mark: index.mark(), folder }
    return result
  }
  const read = <T>(action: (view: View) => T): T => {
    return checking(index => index.read(queries => action(viewOf(queries)), options.onProgress))
  }
  /**
   * The database over which nothing but the files that an answer rests on needs to be looked at; undefined where all must be. The
   * folder's own times tell of files that were added, replaced or removed before the watcher could hear of them.
   */
  const trustedMark = (): number | undefined => {
    if (underLock || watchers.size === 0) return undefined
    refreshConfig()
    if (!checked?.folder) return undefined
    const { at, mark, folder } = checked
    const isTrusted = ({ isHearing, heardAt, trustedMs }: Watcher) =>
      isHearing() && heardAt < at && performance.now() < at + trustedMs
    if (![...watchers].some(isTrusted)) return undefined
    return stampOf(lstatSync(repository.ticketsDir, { throwIfNoEntry: false })) === folder ? mark : undefined
  }
  const readFew = <T>(action: (view: View) => T): T => {
    const mark = trustedMark()
    try {
      const few = mark === undefined ? undefined : index.readFew(mark, queries => action(viewOf(queries)))
      if (few) return few.answer
    } catch (error) {
      if (!(error instanceof PlanError)) throw error // else asked again: what is not known may stand in a file that is not yet read
    }
    return read(action)
  }
  const pathOf = (id: TicketId) => `${relative(repository.root, repository.ticketsDir).split(sep).join('/')}/${id}.json`

  /** The one file that bears the id, read; a file in its way is refused. */
  const readById = (id: TicketId, paths: readonly string[]): ReadTicket | undefined => {
    const files = [...new Set([pathOf(id), ...paths])]
      .map(path => findTicketFile(repository.root, path))
      .filter((file): file is ReadTicket | QuarantinedFile => file !== undefined)
    if (files.length > 1) {
      const all = files.map(({ path }) => path).join(', ')
      const message = `the id ${id} stands in more than one file, where case does not count: ${all}; keep one of them`
      throw new PlanError('invalid_file', message, { path: files[0]!.path, refusal: 'duplicate_id', place: null })
    }
    const file = files[0]
    if (file && !file.readable) refuseFile(file)
    return file?.ticket.id === id ? file : undefined
  }
  const findFile = (name: string) => {
    checkTicketsDir(repository)
    if (isTicketId(name)) {
      // The file itself says what is true now; the index is only asked where else the id may stand.
      const file = readById(
        name,
        index.peek(queries => queries.pathsOfKey(idKey(name))),
      )
      if (file) return { id: name, file }
    }
    const { id, paths } = read(({ queries, resolve }) => {
      const byKey = isTicketId(name) ? queries.pathsOfKey(idKey(name)) : []
      if (byKey.length > 0 || (isTicketId(name) && queries.ticketsBySlug(name).length === 0))
        return { id: name as TicketId, paths: byKey }
      const { id, row } = resolve(name)
      return { id, paths: row ? [row.path] : [] }
    })
    return { id, file: readById(id, paths) }
  }

  const overwrite = (file: ReadTicket | null, path: string, ticket: Ticket): boolean => {
    const bytes = checkedBytes(ticket, path)
    return writeTicketFile(repository, path, bytes, file) === 'replaced'
  }

  const store: Store = {
    get repository() {
      return repository
    },
    get index() {
      return index
    },
    local,
    now,
    moment,
    phaseOf: state => phaseOf(state),
    notify,
    progress: options.onProgress,
    read,
    readFew,
    peek: action => index.peek(queries => action(viewOf(queries))),
    claims: readClaims,
    trust(watcher) {
      watchers.add(watcher)
      return () => {
        watchers.delete(watcher)
      }
    },
    reconcile: () => checking(index => index.reconcile(options.onProgress)),
    rebuild: () => checking(index => index.rebuild(options.onProgress)),
    locked(action) {
      if (underLock) return action()
      fresh() // fails before anything is made where nothing is set up
      return local.locked(() => {
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
    findFile,
    getFile(name) {
      const { id, file } = findFile(name)
      return file ?? read(view => unknownTicket(view.queries, id))
    },
    edit(path, change) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const file = findTicketFile(repository.root, path)
        if (!file) throw new PlanError('unknown_ticket', `${path} is gone`, { ticket: path, similar: [] })
        if (!file.readable) refuseFile(file)
        const changed = change(file.ticket)
        if (changed.ticket === file.ticket) return changed
        if (overwrite(file, path, changed.ticket)) {
          store.noteWritten([path])
          return changed
        }
      }
      throw new PlanError(
        'contended',
        `${path} is being changed by another program again and again: nothing was written`,
        { path },
      )
    },
    create(ticket) {
      const path = pathOf(ticket.id)
      if (!overwrite(null, path, ticket)) return false
      store.noteWritten([path])
      return true
    },
    overwrite,
    noteWritten: paths => index.noteWritten(paths),
    acquire(request) {
      return local.locked(connection => {
        const acquired = acquireLease(connection, request, moment(), readFencingMark(repository.localDir))
        if (acquired.status === 'acquired') writeFencingMark(repository.localDir, acquired.claim.token)
        return acquired
      })
    },
    pathOf,
    close() {
      index.close()
      local.close()
    },
  }
  return store
}

/** Changes with every change of the file or folder; empty where there is none. */
function stampOf(stat: Stats | undefined): string {
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}` : ''
}
