/**
 * index.db as an owned resource: opened, kept equal to the files, replaced where it is unusable, asked.
 *
 * Invariant: an answer is never taken from an index that is known to differ from the files. A damaged, foreign or
 * other-version index is made anew, with a word about it; where none can be written, the index lives in memory for this
 * process, with a word about that. Any other failure rises.
 */
import { join } from 'node:path'
import { busyError, type LocalDatabase } from '../database/local-database.ts'
import { type Connection, connect, fileState, migrate, removeDatabase, type Statement } from '../database/open.ts'
import { databaseError, isDamaged, isUnwritable, sqliteCode } from '../database/sqlite-error.ts'
import { inodeOf } from '../files/file-system.ts'
import type { Repository } from '../files/repository.ts'
import { PlanError } from '../model/errors.ts'
import type { Phase } from '../model/phase.ts'
import { type IndexQueries, prepareQueries } from './query.ts'
import { type Progress, prepareReconciler, type Reconciled, type Reconciler } from './reconcile.ts'
import { type NotingQueries, notingQueries } from './tracked-queries.ts'

export interface TicketIndex {
  readonly path: string
  /** True where the index is in memory because its file cannot be written. */
  readonly inMemory: boolean
  /** Makes the rows equal to the files, then runs the action over one snapshot of them. */
  read<T>(action: (queries: IndexQueries) => T, progress?: Progress): T
  /**
   * Runs the action over one snapshot of the rows, and looks only at the files that its answer rests on. For rows that were
   * equal to the files when `mark` was taken, and of which somebody watches the rest. Undefined where they are other rows by now, or
   * where the answer rests on too much.
   */
  readFew<T>(mark: number, action: (queries: IndexQueries) => T): { answer: T } | undefined
  /** The folders that the last look at all files went into. */
  folders(): readonly string[]
  /** Names the database that is open: another number for another one. */
  mark(): number
  /** Changes whenever rows may have changed, whoever changed them. */
  version(): string
  /** Runs the action over one snapshot of the rows as they are. */
  peek<T>(action: (queries: IndexQueries) => T): T
  reconcile(progress?: Progress): Reconciled
  rebuild(progress?: Progress): Reconciled
  /** Brings the rows of files that were just written up to date. A failure only leaves that to the next reconcile. */
  noteWritten(paths: readonly string[]): void
  /** Null where the rows are what a rebuild would make, else what is wrong. Does not reconcile first. */
  findMismatch(): string | null
  /** Writes a copy of the index to a path where nothing is. */
  copyTo(path: string): void
  close(): void
}

interface OpenIndex {
  connection: Connection
  queries: IndexQueries
  noting: NotingQueries
  reconciler: Reconciler
  inode: number | null
  mark: number
  dataVersion: Statement<[], number>
  /** Runs the action over one snapshot. Prepared once: making such a function costs as much as a query. */
  inSnapshot(action: () => unknown): unknown
}

/** So many times are files that changed meanwhile read and an answer made again, before all files are looked at. */
const ATTEMPTS = 5

let marks = 0

/** Ready to open the index; nothing is opened yet. `notify` is told, in a sentence, what a person should know. */
export function ticketIndex(
  repository: Repository,
  phaseOf: (state: string) => Phase,
  local: LocalDatabase,
  timeoutMs: number,
  notify: (message: string) => void,
): TicketIndex {
  const path = join(repository.indexDir, 'index.db')
  let opened: OpenIndex | undefined
  let inMemory = false
  let ownWrites = 0

  const close = () => {
    opened?.connection.close()
    opened = undefined
  }
  const adopt = (connection: Connection): OpenIndex => {
    const queries = prepareQueries(connection)
    return {
      connection,
      queries,
      noting: notingQueries(queries, repository.root, repository.config.ticketsDir),
      reconciler: prepareReconciler(connection, repository, phaseOf),
      inode: inMemory ? null : inodeOf(path),
      mark: ++marks,
      dataVersion: connection.prepare<[], number>('pragma data_version').pluck(),
      inSnapshot: connection.transaction((action: () => unknown) => action()).deferred,
    }
  }
  /** Takes note of what this process itself wrote, which SQLite's own counter leaves out. */
  const noted = (reconciled: Reconciled): Reconciled => {
    if (reconciled.wrote) ownWrites++
    return reconciled
  }
  const useMemory = (error: unknown): OpenIndex => {
    close()
    inMemory = true
    const why = (databaseError(error, path) as Error).message
    notify(`the index cannot be written (${why}); this answer comes from the Ticket files, read anew into memory`)
    opened = adopt(emptyIndex())
    return opened
  }
  const emptyIndex = (): Connection => {
    const connection = connect(':memory:', 'index', timeoutMs)
    migrate(connection, 'index')
    return connection
  }
  const open = (): OpenIndex => {
    if (opened && !inMemory && inodeOf(path) !== opened.inode) close()
    if (opened) return opened
    try {
      opened = openFile()
      return opened
    } catch (error) {
      if (!isUnwritable(error)) throw error
      return useMemory(error)
    }
  }
  /** The index of the file, after replacing one that is of no use. */
  const openFile = (): OpenIndex => {
    const usable = tryFile()
    if (typeof usable !== 'string') return usable
    return local.locked(() => {
      const again = tryFile() // somebody may have replaced it while we waited for the lock
      if (typeof again !== 'string') return again
      notify(`the index was ${again} and has been made anew from the Ticket files`)
      removeDatabase(path)
      const fresh = tryFile()
      if (typeof fresh !== 'string') return fresh
      throw new Error(`${path}: a new index is ${fresh}`)
    })
  }
  /** The index of the file, or why the file is of no use. */
  const tryFile = (): OpenIndex | string => {
    let connection: Connection | undefined
    try {
      connection = connect(path, 'index', timeoutMs)
      const state = fileState(connection, 'index')
      if (state === 'new') migrate(connection, 'index')
      if (state === 'new' || state === 'ours') return adopt(connection)
      connection.close()
      return state === 'foreign'
        ? 'not one of ticketplan'
        : `written by ${state === 'newer' ? 'a later' : 'an earlier'} version`
    } catch (error) {
      connection?.close()
      if (isDamaged(error)) return 'damaged'
      throw error
    }
  }
  /** Removes the open index, which is damaged, unless somebody has replaced it already. */
  const discard = () => {
    const damaged = opened?.inode
    close()
    local.locked(() => {
      if (inodeOf(path) === damaged) removeDatabase(path)
    })
    notify('the index was damaged and has been made anew from the Ticket files')
  }
  /** Runs the action on the open index; a damaged one is replaced once, an unwritable one left for one in memory. */
  const withIndex = <T>(action: (index: OpenIndex) => T): T => {
    const startedAt = performance.now()
    let recover: () => void
    try {
      return action(open())
    } catch (error) {
      if (sqliteCode(error) === 'SQLITE_BUSY') throw busyError(path, Math.round(performance.now() - startedAt))
      if (inMemory) throw databaseError(error, path)
      // A PlanError is about something else that the action needed: a Ticket file, local.db.
      if (error instanceof PlanError) throw error
      if (isUnwritable(error)) recover = () => useMemory(error)
      else if (isDamaged(error)) recover = discard
      else throw databaseError(error, path)
    }
    try {
      recover()
      return action(open())
    } catch (error) {
      throw databaseError(error, path)
    }
  }

  const findMismatch = (connection: Connection, queries: IndexQueries): string | null => {
    const integrity = connection.pragma('integrity_check(1)', { simple: true })
    if (integrity !== 'ok') return `SQLite finds it damaged: ${integrity}`
    using fresh = disposable(emptyIndex())
    if (schemaText(connection) !== schemaText(fresh.connection)) return 'its tables are not those of this version'
    prepareReconciler(fresh.connection, repository, phaseOf).rebuild()
    const same = prepareQueries(fresh.connection).content() === queries.content()
    return same ? null : 'its rows differ from the Ticket files'
  }

  return {
    path,
    get inMemory() {
      return inMemory
    },
    read: (action, progress) =>
      withIndex(({ connection, queries, reconciler }) => {
        noted(reconciler.reconcile(progress))
        return connection.transaction(() => action(queries)).deferred()
      }),
    readFew: <T>(mark: number, action: (queries: IndexQueries) => T) =>
      withIndex(opened => {
        if (opened.mark !== mark || opened.connection.inTransaction) return undefined
        const { noting, reconciler, dataVersion } = opened
        for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
          let changed: string[] | null = null
          const answer = opened.inSnapshot(() => {
            noting.begin(`${ownWrites} ${dataVersion.get()}`) // the first to read: from here on it is one snapshot
            const answer = action(noting.queries)
            changed = noting.findChanged() // after the answer, so that no file can change between a look at it and its rows
            return answer
          }) as T
          if (changed === null) return undefined
          if ((changed as string[]).length === 0) return { answer }
          noted(reconciler.apply(changed))
        }
        return undefined
      }),
    folders: () => withIndex(({ reconciler }) => reconciler.folders()),
    mark: () => withIndex(({ mark }) => mark),
    version: () => withIndex(({ mark, dataVersion }) => `${mark} ${ownWrites} ${dataVersion.get()}`),
    peek: <T>(action: (queries: IndexQueries) => T) =>
      withIndex(({ queries, inSnapshot }) => inSnapshot(() => action(queries)) as T),
    reconcile: progress => withIndex(({ reconciler }) => noted(reconciler.reconcile(progress))),
    rebuild: progress =>
      withIndex(({ connection, reconciler }) => {
        using fresh = disposable(emptyIndex())
        if (inMemory || schemaText(connection) === schemaText(fresh.connection))
          return noted(reconciler.rebuild(progress))
        discard()
        return noted(open().reconciler.rebuild(progress))
      }),
    noteWritten(paths) {
      try {
        withIndex(({ reconciler }) => noted(reconciler.apply(paths)))
      } catch (error) {
        notify(`the Ticket file is written, the index is not (${(error as Error).message}); the next command mends it`)
      }
    },
    findMismatch: () =>
      withIndex(({ connection, queries }) => {
        // Between a writer's file and its rows the two differ rightly; under the lock nobody is between them.
        if (!inMemory) return local.locked(() => findMismatch(connection, queries))
        return findMismatch(connection, queries)
      }),
    copyTo: target => withIndex(({ connection }) => connection.prepare('vacuum into ?').run(target)),
    close,
  }
}

function schemaText(connection: Connection): string {
  return JSON.stringify(
    connection.prepare('select type, name, tbl_name, sql from sqlite_master order by name').raw().all(),
  )
}

function disposable(connection: Connection) {
  return { connection, [Symbol.dispose]: () => void connection.close() }
}
