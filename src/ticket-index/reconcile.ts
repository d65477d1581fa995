/**
 * Makes the rows of the index equal to the Ticket files: all of them, those that changed, or those at given paths.
 *
 * Invariant: after any sequence of changes the rows equal those of a rebuild. Stat data only select the files to read; hashes
 * decide. A file is read while this process holds the index's write lock, so an older reading never replaces a newer one.
 * Never writes a Ticket file.
 */
import type { Connection } from '../database/open.ts'
import { statementsOf } from '../database/statements.ts'
import type { Repository } from '../files/repository.ts'
import type { WrittenTicket } from '../files/ticket-writing.ts'
import { lazy } from '../model/lazy.ts'
import type { States } from '../model/states.ts'
import { type BulkRows, prepareBulkRows } from './bulk-rows.ts'
import type { CheckoutFiles } from './checkout-files.ts'
import { FILE_COLUMNS, type FileRow } from './file-queries.ts'
import { groupByKey, type IndexedFile, pathKey, quarantineDuplicate } from './indexed-file.ts'
import { equalsRebuild } from './row-comparison.ts'
import { prepareRowUpdate, type RowUpdate } from './row-updates.ts'
import { prepareRowWriter, type RowWriter } from './rows.ts'
import { findChangedPaths } from './stat-data.ts'
import { prepareStatSnapshot, type StatSnapshot } from './stat-snapshot.ts'

/** Called now and then during long work, with the number of files done and of all files. */
export type Progress = (done: number, total: number) => void

/** What a reconcile did. */
export interface Reconciled {
  /** The number of files whose content in the index changed, was added or was removed. */
  changed: number
  /** True where every row was rebuilt. */
  rebuilt: boolean
}

/** Keeps one connection's rows equal to the files of one checkout. */
export interface Reconciler {
  /** Scans the stat data of all files, and reads those that may have changed. */
  reconcile(progress?: Progress): Reconciled
  /** Reads the files at these paths, whatever the index holds of them. `written` has what this process has just written, by path. */
  apply(paths: readonly string[], written?: ReadonlyMap<string, WrittenTicket>): Reconciled
  /** Changes whenever rows may depend on something else than before, beside the files of the work tree. */
  basis(): string
  /** Rebuilds every row in one transaction: a reader sees the old rows or the new ones. */
  rebuild(progress?: Progress): Reconciled
  /** True where the rows equal those of a rebuild. Changes none, but for those of files that this process may not read. */
  equalsRebuild(): boolean
  /** The folders of the last full scan, and git's own files on which it depended. */
  folders(): readonly string[]
  /** Grows whenever this reconciler has changed a row. */
  writes(): number
}

/** With at least as many changed files, a rebuild is faster. */
const REBUILD_FROM = 1000
/** The number of files between two calls of `Progress`. */
const PROGRESS_STEP = 500

/** Prepares the reconciler of a connection. */
export function prepareReconciler(
  connection: Connection,
  { config }: Repository,
  states: States,
  files: CheckoutFiles,
): Reconciler {
  // Prepared when something has changed: most answers find nothing to write.
  const rows = lazy(() => prepareRowWriter(connection, states, config.areas))
  const snapshot = prepareStatSnapshot(connection, files.prefix)
  const update = lazy(() => prepareRowUpdate(connection, states, config.areas))
  const applyFiles = lazy(() => prepareApply(connection, files, { ...rows(), update: update() }, snapshot))
  const statement = statementsOf(connection)
  const derivation = preparedDerivation(connection, config)
  const allFiles = () => statement<[], FileRow>(`select ${FILE_COLUMNS} from files order by path`, true).all()
  let folders: string[] = []
  let writes = 0
  const scan = () => {
    folders = []
    return files.listNames(folders)
  }
  const pathOf = (name: string) => files.prefix + name
  const inTransaction = transactionOf(connection)
  const apply: Reconciler['apply'] = (paths, written) => {
    const changed = inTransaction(() => {
      files.refresh()
      const count = applyFiles()(paths, written)
      files.save()
      return count
    })
    writes++
    return { changed, rebuilt: false }
  }
  const rebuild = (progress?: Progress): Reconciled => {
    inTransaction(() => {
      files.refresh()
      const listed = scan().map(pathOf)
      const bulk = prepareBulkRows(connection, states, config.areas)
      const missing = replaceRows(connection, files, listed, bulk, progress)
      snapshot.take()
      if (missing.length > 0) applyFiles()(missing) // a file that took a missing one for its duplicate is read again
      derivation.store()
      files.save()
      progress?.(listed.length, listed.length)
    })
    writes++
    const { count } = statement<[], { count: number }>('select count(*) as count from files').get()!
    return { changed: count, rebuilt: true }
  }
  const reconcile = (progress?: Progress): Reconciled => {
    if (!derivation.isStored()) return rebuild(progress)
    files.refresh()
    const names = scan()
    const bySnapshot = files.scanning(findStat => snapshot.findChanged(names, findStat))
    const changed = bySnapshot ?? findChangedPaths(names.map(pathOf), allFiles(), files.findStat)
    if (changed.length >= REBUILD_FROM && changed.length > names.length / 2) return rebuild(progress)
    if (changed.length > 0) return apply(changed)
    if (!bySnapshot || files.isUnsaved())
      inTransaction(() => {
        if (!bySnapshot) snapshot.take()
        files.save()
      })
    return { changed: 0, rebuilt: false }
  }
  return {
    basis: derivation.basis,
    apply,
    rebuild,
    reconcile,
    // Rows that another process read from a file that this one may not read are no difference.
    equalsRebuild: () => equalsRebuild(connection, files, states, config.areas, path => apply([path])),
    folders: () => folders,
    writes: () => writes,
  }
}

/** Returns what runs an action in a transaction. Made once: making a transaction takes as long as a query. */
function transactionOf(connection: Connection): <T>(action: () => T) => T {
  const transaction = lazy(() => connection.transaction((action: () => unknown) => action()).immediate)
  return <T>(action: () => T) => transaction()(action) as T
}

/**
 * Reads and stores the settings on which rows depend. Rows of other settings are rebuilt. The basis has the list of left-out
 * files too.
 */
function preparedDerivation(connection: Connection, config: Repository['config']) {
  const current = JSON.stringify([config.ticketsDir, config.states, config.areas])
  const stored = connection.prepare<[], string>("select value from meta where key = 'derivation'").pluck()
  const store = connection.prepare<[string]>("insert or replace into meta values ('derivation', ?)")
  const basis = "select value from meta where key in ('derivation', 'left_out') order by key"
  return {
    isStored: () => stored.get() === current,
    store: () => store.run(current),
    basis: () => statementsOf(connection)<[], [string]>(basis, true).all().join('\n'),
  }
}

/**
 * Returns a function that makes the rows of the files at some paths, and of files with the same ids, equal to the files. It
 * returns the number of files whose content changed. Called in a transaction.
 */
function prepareApply(
  connection: Connection,
  files: CheckoutFiles,
  rows: RowWriter & { update: RowUpdate },
  snapshot: StatSnapshot,
) {
  const knownFile = connection.prepare<[string], KnownFile>(
    'select hash, code as refusal from files left join quarantine using (path) where path = ?',
  )
  const pathsOfKey = connection.prepare<[string], string>('select path from files where id_key = ?').pluck()

  return (paths: readonly string[], written?: ReadonlyMap<string, WrittenTicket>): number => {
    const siblings = paths.flatMap(path => pathsOfKey.all(pathKey(path)))
    const all = [...new Set([...paths, ...siblings])]
    files.prefetch(all)
    const readings = new Map(all.map(path => [path, files.read(path, written?.get(path))]))
    const groups = groupByKey([...readings].filter(([, reading]) => reading).map(([path]) => path))
    const insertions: (() => void)[] = []
    let changed = 0
    for (const [path, reading] of readings) {
      snapshot.markStale(path)
      const known = knownFile.get(path)
      const file = reading && quarantineDuplicate(reading.file, groups.get(pathKey(path)))
      if (!file && !known) continue
      if (file && known && hasSameContent(known, file)) {
        rows.updateStat(path, file.stat, reading.racy)
        continue
      }
      changed++
      if (known) {
        if (file?.readable && rows.update(file, reading!.racy)) continue
        rows.remove(path)
      }
      if (file) insertions.push(() => rows.insert(file, reading.racy))
    }
    for (const insert of insertions) insert() // after all removals: a Ticket may have moved to another path
    return changed
  }
}

/** The hash of a file and the code of its refusal, null where it was readable. */
interface KnownFile {
  hash: string
  refusal: string | null
}

/** True where the rows of the file would be the same again. Those of a duplicate also depend on other files. */
function hasSameContent(known: KnownFile, file: IndexedFile): boolean {
  const refusal = file.readable ? null : file.code
  return known.hash === file.hash && known.refusal === refusal && refusal !== 'duplicate_id'
}

/** Replaces all rows by those of the listed files; returns the paths that have no file any more. */
function replaceRows(
  connection: Connection,
  files: CheckoutFiles,
  listed: readonly string[],
  rows: BulkRows,
  progress?: Progress,
): string[] {
  // Creating the secondary indexes after the rows is faster than updating them with each row.
  const indexes = connection
    .prepare<[], { name: string; sql: string }>(
      "select name, sql from sqlite_master where type = 'index' and sql is not null",
    )
    .all()
  for (const { name } of indexes) connection.exec(`drop index "${name}"`)
  const tables = ['files', 'tickets', 'file_decisions', 'area_patterns', 'quarantine']
  for (const table of tables) connection.exec(`delete from ${table}`)
  const groups = groupByKey(listed)
  const missing: string[] = []
  files.prefetch(listed)
  for (const [done, path] of listed.entries()) {
    const reading = files.read(path)
    if (reading) rows.insert(quarantineDuplicate(reading.file, groups.get(pathKey(path))), reading.racy)
    else missing.push(path)
    if (done % PROGRESS_STEP === 0) progress?.(done, listed.length)
  }
  rows.flush()
  for (const { sql } of indexes) connection.exec(sql)
  return missing
}
