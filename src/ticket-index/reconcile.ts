/**
 * Makes the rows of the index equal to the Ticket files: all of them, those that changed, or those that are named.
 *
 * Invariant: after any sequence of changes the rows are what a rebuild would make. Stat data only say where to look;
 * content hashes decide. A file is read while the index's write lock is held, so an older reading never replaces a newer.
 * Must never write a Ticket file.
 */
import { lstatSync, type Stats } from 'node:fs'
import type { Connection } from '../database/open.ts'
import type { Repository } from '../files/repository.ts'
import { findTicketFile, listTicketPaths, type QuarantinedFile } from '../files/ticket-files.ts'
import type { Phase } from '../model/phase.ts'
import type { FileRow } from './query.ts'
import { type IndexedFile, pathKey, prepareRowWriter } from './rows.ts'

/** Told now and then during long work: how many files of how many are done. */
export type Progress = (done: number, total: number) => void

/** What a reconcile found and did. */
export interface Reconciled {
  /** Files whose content in the index changed, was added or was removed. */
  changed: number
  /** True where every row was made anew. */
  rebuilt: boolean
  /** True where a row was written, be it only with new stat data. */
  wrote: boolean
}

/** Keeps one connection's rows equal to the files of one checkout. */
export interface Reconciler {
  /** Looks at the stat data of every file, and reads those that may have changed. */
  reconcile(progress?: Progress): Reconciled
  /** Reads the files at these paths, whatever the index holds of them. */
  apply(paths: readonly string[]): Reconciled
  /** Makes every row anew, in one transaction: a reader sees the old rows or the new. */
  rebuild(progress?: Progress): Reconciled
  /** The folders that the last look at all files went into. */
  folders(): readonly string[]
}

/** A file this young, in ms, may change again without a change of its stat data. Two figures: for clocks in ticks, and in seconds. */
const RACY_MS = { ticks: 50, seconds: 2100 }
/** With more rows that changed since, the snapshot is taken anew. */
const SNAPSHOT_LAG = 100
/** From so many changed files on, making all rows anew is faster. */
const REBUILD_FROM = 1000

export function prepareReconciler(
  connection: Connection,
  repository: Repository,
  phaseOf: (state: string) => Phase,
): Reconciler {
  const rows = prepareRowWriter(connection, phaseOf)
  const derivation = JSON.stringify([repository.config.ticketsDir, repository.config.states])
  const knownFiles = connection
    .prepare<[], FileRow>('select path, size_bytes, mtime_ms, ctime_ms, inode, racy from files order by path')
    .raw()
  const knownFile = connection.prepare<[string], { hash: string; quarantined: string | null }>(
    'select hash, code as quarantined from files left join quarantine using (path) where path = ?',
  )
  const pathsOfKey = connection.prepare<[string], string>('select path from files where id_key = ?').pluck()
  const storedDerivation = connection.prepare<[], string>("select value from meta where key = 'derivation'").pluck()
  const rowCount = connection.prepare<[], number>('select count(*) from files').pluck()
  const fileRow = connection
    .prepare<[string], FileRow>('select path, size_bytes, mtime_ms, ctime_ms, inode, racy from files where path = ?')
    .raw()
  const readSnapshot = connection.prepare<[], Snapshot>('select paths, stats from snapshot where id = 1')
  const writeSnapshot = connection.prepare('insert or replace into snapshot values (1, ?, ?)')
  const lagging = connection.prepare<[], string>('select path from snapshot_lag').pluck()
  const addLag = connection.prepare<[string]>('insert or ignore into snapshot_lag values (?)')
  const clearLag = connection.prepare('delete from snapshot_lag')
  const storeDerivation = connection.prepare("insert or replace into meta values ('derivation', ?)")

  let folders: string[] = []
  const list = () => {
    folders = []
    return listTicketPaths(repository, folders)
  }
  const read = (path: string): { file: IndexedFile; racy: boolean } | undefined => {
    const now = Date.now()
    const file = findTicketFile(repository.root, path)
    return file && { file, racy: isRacy(file.stat.mtimeMs, file.stat.ctimeMs, now) }
  }

  /** Of the same files as in the snapshot, those that may have changed; undefined where files came or went, or it lags too far behind. */
  const changedSinceSnapshot = (listed: string[]): string[] | undefined => {
    const snapshot = readSnapshot.get()
    if (!snapshot || snapshot.paths !== listed.join('\0') || rowCount.get() !== listed.length) return undefined
    const lag = new Set(lagging.all())
    if (lag.size > SNAPSHOT_LAG) return undefined
    const { buffer, byteOffset, byteLength } = new Uint8Array(snapshot.stats) // a copy, aligned for numbers
    const stats = new Float64Array(buffer, byteOffset, byteLength / 8)
    return listed.filter((path, position) => {
      const stat = findStat(`${repository.root}/${path}`)
      if (!stat) return true
      if (lag.has(path)) {
        const row = fileRow.get(path)
        return row === undefined || !isSame(row, stat)
      }
      const at = position * 4
      return (
        stats[at] !== stat.size ||
        stats[at + 1] !== stat.mtimeMs ||
        stats[at + 2] !== stat.ctimeMs ||
        stats[at + 3] !== stat.ino
      )
    })
  }
  const takeSnapshot = () => {
    const known = knownFiles.all()
    const stats = new Float64Array(known.length * 4)
    for (const [position, [, sizeBytes, mtimeMs, ctimeMs, inode, racy]] of known.entries()) {
      stats.set([racy ? Number.NaN : sizeBytes, mtimeMs, ctimeMs, inode], position * 4)
    }
    clearLag.run()
    writeSnapshot.run(known.map(([path]) => path).join('\0'), Buffer.from(stats.buffer))
  }

  const rebuild = (progress?: Progress): Reconciled => {
    connection
      .transaction(() => {
        const indexes = connection
          .prepare<[], { name: string; sql: string }>(
            "select name, sql from sqlite_master where type = 'index' and sql is not null",
          )
          .all()
        for (const { name } of indexes) connection.exec(`drop index "${name}"`)
        for (const table of ['files', 'tickets', 'file_decisions', 'quarantine'])
          connection.exec(`delete from ${table}`)
        const listed = list()
        const others = pathsByKey(listed)
        const gone: string[] = []
        for (const [done, path] of listed.entries()) {
          const found = read(path)
          if (found) rows.insert(unlessDuplicate(found.file, others.get(pathKey(path))), found.racy)
          else gone.push(path)
          if (progress && done % 500 === 0) progress(done, listed.length)
        }
        for (const { sql } of indexes) connection.exec(sql)
        takeSnapshot()
        if (gone.length > 0) apply(gone) // what was taken for a double of a file that has moved is looked at again
        storeDerivation.run(derivation)
        progress?.(listed.length, listed.length)
      })
      .immediate()
    return { changed: rowCount.get()!, rebuilt: true, wrote: true }
  }

  const apply = (paths: readonly string[]): Reconciled => {
    let changed = 0
    connection
      .transaction(() => {
        const group = new Set(paths)
        for (const path of paths) for (const sibling of pathsOfKey.all(pathKey(path))) group.add(sibling)
        const found = new Map([...group].map(path => [path, read(path)]))
        const others = pathsByKey([...found].filter(([, reading]) => reading).map(([path]) => path))
        const insertions: (() => void)[] = []
        for (const [path, reading] of found) {
          addLag.run(path)
          const known = knownFile.get(path)
          const file = reading && unlessDuplicate(reading.file, others.get(pathKey(path)))
          if (file && known && isUnchanged(known, file)) {
            rows.touch(path, file.stat, reading.racy)
            continue
          }
          if (!file && !known) continue
          changed++
          rows.remove(path)
          if (file) insertions.push(() => rows.insert(file, reading.racy))
        }
        for (const insert of insertions) insert() // after every removal: a Ticket may have moved to another path
      })
      .immediate()
    return { changed, rebuilt: false, wrote: true }
  }

  return {
    rebuild,
    apply,
    folders: () => folders,
    reconcile(progress) {
      if (storedDerivation.get() !== derivation) return rebuild(progress)
      const listed = list()
      const quick = changedSinceSnapshot(listed)
      const suspects = quick ?? changedPaths(repository.root, listed, knownFiles.all())
      if (suspects.length === 0) {
        if (!quick) connection.transaction(takeSnapshot).immediate()
        return { changed: 0, rebuilt: false, wrote: false }
      }
      if (suspects.length >= REBUILD_FROM && suspects.length > listed.length / 2) return rebuild(progress)
      return apply(suspects)
    },
  }
}

type Snapshot = { paths: string; stats: Buffer }

/** Paths whose stat data differ, that are new, gone or racy. Both lists are in the order of their paths. */
function changedPaths(root: string, listed: string[], known: FileRow[]): string[] {
  const suspects: string[] = []
  let next = 0
  for (const path of listed) {
    while (next < known.length && known[next]![0] < path) suspects.push(known[next++]![0])
    const row = known[next]
    if (row === undefined || row[0] !== path) {
      suspects.push(path)
      continue
    }
    next++
    const stat = findStat(`${root}/${path}`)
    if (!stat || !isSame(row, stat)) suspects.push(path)
  }
  while (next < known.length) suspects.push(known[next++]![0])
  return suspects
}

/** True where the stat data are those of the row, and the row's file was old enough for them to tell. */
export function isSame([, sizeBytes, mtimeMs, ctimeMs, inode, racy]: FileRow, stat: Stats): boolean {
  return (
    sizeBytes === stat.size && mtimeMs === stat.mtimeMs && ctimeMs === stat.ctimeMs && inode === stat.ino && racy === 0
  )
}

/** Undefined where there is nothing, or nothing that may be looked at: reading the file tells why. */
export function findStat(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** True where a later change may leave the times as they are. */
export function isRacy(mtimeMs: number, ctimeMs: number, nowMs: number): boolean {
  const latest = Math.max(mtimeMs, ctimeMs)
  return latest + (latest % 1000 === 0 ? RACY_MS.seconds : RACY_MS.ticks) >= nowMs
}

function isUnchanged(known: { hash: string; quarantined: string | null }, file: IndexedFile): boolean {
  const quarantined = file.readable ? null : file.code
  return known.hash === file.hash && known.quarantined === quarantined && quarantined !== 'duplicate_id'
}

function pathsByKey(all: string[]): Map<string, string[]> {
  const paths = new Map<string, string[]>()
  for (const path of all) {
    const key = pathKey(path)
    const known = paths.get(key)
    if (known) known.push(path)
    else paths.set(key, [path])
  }
  return paths
}

/** A readable file, unless another file bears the same id: then neither can be believed, and both are quarantined. */
function unlessDuplicate(file: IndexedFile, paths: string[] | undefined): IndexedFile {
  const others = paths?.filter(path => path !== file.path) ?? []
  if (!file.readable || others.length === 0) return file
  const conflicts = file.ticket.decisions.flatMap(decision =>
    decision.kind === 'conflicts_with' ? [decision.target] : [],
  )
  return {
    readable: false,
    path: file.path,
    code: 'duplicate_id',
    message: `the id stands in another file too, where case does not count: ${others.sort().join(', ')}`,
    place: null,
    mentions: conflicts.sort(),
    hash: file.hash,
    stat: file.stat,
  } satisfies QuarantinedFile
}
