/**
 * The index of one checkout: rows that equal the Ticket files, and queries over them.
 *
 * Invariant: no answer comes from rows that are known to differ from the files. The index is derived: it may be deleted at any
 * time, and a failure to write it never fails the write of a Ticket. Must not write a Ticket file.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalDatabase } from '../database/local-database.ts'
import type { Connection } from '../database/open.ts'
import { isDamaged } from '../database/sqlite-error.ts'
import type { Repository } from '../files/repository.ts'
import type { WrittenTicket } from '../files/ticket-writing.ts'
import { findSparseIndex, listLeftOutFiles } from '../git/left-out-files.ts'
import { lazy } from '../model/lazy.ts'
import type { States } from '../model/states.ts'
import { type IndexFile, indexFile } from './index-file.ts'
import type { IndexedFile } from './indexed-file.ts'
import { openInMemory, type PreparedIndex, prepareIndex } from './prepared-index.ts'
import type { IndexQueries } from './query.ts'
import type { Progress, Reconciled } from './reconcile.ts'

export interface TicketIndex {
  readonly path: string
  /** True where the index is in memory because its file cannot be written. */
  readonly inMemory: boolean
  /** Makes the rows equal to the files, then runs the action over one snapshot of them. */
  read<T>(action: (queries: IndexQueries) => T, progress?: Progress): T
  /**
   * Runs the action over one snapshot, and checks only the files on which its answer depends. The rows must have equalled the
   * files at a full scan in that generation, and a watcher must have listened since. The action may run more than once.
   * Undefined where the generation is another one by now, or where the answer depends on too many files.
   */
  readFew<T>(generation: number, action: (queries: IndexQueries) => T): { answer: T } | undefined
  /** Runs the action over one snapshot of the rows, which may be out of date. */
  peek<T>(action: (queries: IndexQueries) => T): T
  /** Makes the rows of the files at some paths equal to the files. */
  apply(paths: readonly string[]): void
  /** Changes whenever rows may depend on something else than before, beside the files: another database, other settings. */
  basis(): string
  /** The folders of the last full scan, and git's own files on which it depended. */
  folders(): readonly string[]
  /** A number that changes whenever a different database is opened. */
  generation(): number
  /** Changes whenever a row may have changed, in any process. */
  version(): string
  reconcile(progress?: Progress): Reconciled
  rebuild(progress?: Progress): Reconciled
  /**
   * Updates the rows of files that were just written; `written` has what this process wrote, by path. A failure leaves that to
   * the next reconcile, with a notice.
   */
  update(paths: readonly string[], written?: ReadonlyMap<string, WrittenTicket>): void
  /**
   * Reads a file that git's index has and a sparse checkout leaves out; undefined for any other path.
   * @throws PlanError no_git, git_failed, io.
   */
  findLeftOut(path: string): IndexedFile | undefined
  /** True where git's index has Ticket files that a sparse checkout leaves out. @throws PlanError no_git, git_failed, io. */
  hasLeftOut(): boolean
  /** Returns what is wrong with the index, or null where its rows equal those of a rebuild. Does not reconcile first. */
  findMismatch(): string | null
  /** Writes a copy of the index to a path where no file exists. */
  copyTo(path: string): void
  close(): void
}

/** Returns the index of a repository; nothing is opened yet. `notify` receives messages for a person, one sentence each. */
export function ticketIndex(
  repository: Repository,
  states: States,
  local: LocalDatabase,
  timeoutMs: number,
  notify: (message: string) => void,
): TicketIndex {
  const prepare = (connection: Connection) => prepareIndex(connection, repository, states)
  const file = indexFile({ path: join(repository.indexDir, 'index.db'), local, timeoutMs, notify, prepare })
  const schema = lazy(() => schemaOfThisVersion(timeoutMs))
  return {
    path: file.path,
    get inMemory() {
      return file.inMemory
    },
    read: (action, progress) =>
      file.use(({ queries, reconciler, inSnapshot }) => {
        reconciler.reconcile(progress)
        return inSnapshot(() => action(queries))
      }),
    readFew: (generation, action) => file.use(index => readTracked(index, generation, action)),
    peek: action => file.use(({ queries, inSnapshot }) => inSnapshot(() => action(queries))),
    apply: paths => void file.use(({ reconciler }) => reconciler.apply(paths)),
    basis: () => file.use(({ generation, reconciler }) => `${generation} ${reconciler.basis()}`),
    folders: () => file.use(({ reconciler }) => reconciler.folders()),
    generation: () => file.use(({ generation }) => generation),
    version: () => file.use(({ generation, version }) => `${generation} ${version()}`),
    reconcile: progress => file.use(({ reconciler }) => reconciler.reconcile(progress)),
    rebuild: progress =>
      file.use(({ connection, reconciler }) => {
        if (file.inMemory || schemaOf(connection) === schema()) return reconciler.rebuild(progress)
        file.discard()
        return file.use(({ reconciler }) => reconciler.rebuild(progress))
      }),
    update(paths, written) {
      try {
        file.use(({ reconciler }) => reconciler.apply(paths, written))
      } catch (error) {
        const reason = (error as Error).message
        notify(
          `the Ticket file is written, but the index could not be updated (${reason}); the next command repairs the index`,
        )
      }
    },
    ...leftOutFiles(repository, file),
    findMismatch: () =>
      file.use(index => {
        // A writer changes a file before its rows; the lock keeps the check from running between the two.
        if (file.inMemory) return compareWithRebuild(index, schema())
        return local.locked(() => compareWithRebuild(index, schema()))
      }),
    copyTo: target => file.use(({ connection }) => connection.prepare('vacuum into ?').run(target)),
    close: file.close,
  }
}

/** Answers about files that a sparse checkout leaves out. */
function leftOutFiles(repository: Repository, file: IndexFile): Pick<TicketIndex, 'findLeftOut' | 'hasLeftOut'> {
  return {
    findLeftOut: path =>
      file.use(({ files }) => {
        files.refresh()
        return files.isLeftOut(path) ? files.read(path)?.file : undefined
      }),
    hasLeftOut() {
      const { gitDir, root, config } = repository
      if (!gitDir || !findSparseIndex(gitDir)) return false
      // Where there is no index yet, nothing is created before it is known that there are Tickets.
      if (!existsSync(file.path)) return listLeftOutFiles(root, [config.ticketsDir]).length > 0
      return file.use(({ files }) => {
        files.refresh()
        return files.hasLeftOut()
      })
    },
  }
}

/** How often changed files are read and an answer is computed again, before the caller must do a full scan. */
const ATTEMPTS = 5

/** Implements `TicketIndex.readFew`. */
function readTracked<T>(
  { connection, tracked, reconciler, inSnapshot, version, generation }: PreparedIndex,
  expectedGeneration: number,
  action: (queries: IndexQueries) => T,
): { answer: T } | undefined {
  if (generation !== expectedGeneration || connection.inTransaction) return undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { answer, changed } = inSnapshot(() => {
      tracked.begin(version()) // the first read: it fixes the snapshot
      const answer = action(tracked.queries)
      return { answer, changed: tracked.findChanged() } // after the answer, so that no file changes between check and rows
    })
    if (changed === null) return undefined
    if (changed.length === 0) return { answer }
    reconciler.apply(changed)
  }
  return undefined
}

/** Returns how the index differs from a rebuilt one with a schema; null where they are equal. */
function compareWithRebuild({ connection, reconciler }: PreparedIndex, schema: string): string | null {
  const damage = findDamage(connection)
  if (damage !== null) return `SQLite finds it damaged: ${damage}`
  if (schemaOf(connection) !== schema) return 'its tables differ from those of this version'
  return reconciler.equalsRebuild() ? null : 'its rows differ from the Ticket files'
}

/** Returns what SQLite's own check finds, or why it fails: it cannot read every damaged file. */
function findDamage(connection: Connection): string | null {
  try {
    const result = connection.pragma('integrity_check(1)', { simple: true }) as string
    return result === 'ok' ? null : result
  } catch (error) {
    if (!isDamaged(error)) throw error
    return (error as Error).message
  }
}

function schemaOf(connection: Connection): string {
  const rows = connection.prepare('select type, name, tbl_name, sql from sqlite_master order by name').raw().all()
  return JSON.stringify(rows)
}

function schemaOfThisVersion(timeoutMs: number): string {
  const connection = openInMemory(timeoutMs)
  try {
    return schemaOf(connection)
  } finally {
    connection.close()
  }
}
