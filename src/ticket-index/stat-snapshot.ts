/**
 * The stat data of all files as one row, so that a reconcile that finds no change reads one row instead of one for each file.
 *
 * Invariant: for every path that is not marked as stale, the snapshot equals the path's row in `files`. Code that changes a row
 * of `files` marks its path. No function here opens a transaction.
 */
import type { Connection } from '../database/open.ts'
import { lazy } from '../model/lazy.ts'
import { FILE_COLUMNS, type FileRow } from './file-queries.ts'
import { isUnchanged, type StatData } from './stat-data.ts'

export interface StatSnapshot {
  /**
   * Returns the paths of the listed names that may have changed. Undefined where the snapshot cannot say: files were added or
   * removed, or too many paths are stale.
   */
  findChanged(names: readonly string[], findStat: (name: string) => StatData | undefined): string[] | undefined
  /** Replaces the snapshot by one of all rows. No path is stale after it. */
  take(): void
  /** Records that the path's row no longer equals the snapshot. */
  markStale(path: string): void
}

/** With more stale paths, a new snapshot is faster. */
const MAX_STALE = 100
/** Size, mtime, ctime and inode, as float64. */
const NUMBERS_PER_FILE = 4

/** Prepares the snapshot of one connection. The prefix makes a name a path, as `CheckoutFiles` has them. */
export function prepareStatSnapshot(connection: Connection, prefix: string): StatSnapshot {
  // What writes is prepared when needed: most answers find nothing to write.
  const readSnapshot = connection.prepare<[], { paths: string; stats: Buffer }>(
    'select paths, stats from snapshot where id = 1',
  )
  const writeSnapshot = lazy(() => connection.prepare('insert or replace into snapshot values (1, ?, ?)'))
  const stalePaths = connection.prepare<[], string>('select path from snapshot_lag').pluck()
  const addStale = lazy(() => connection.prepare<[string]>('insert or ignore into snapshot_lag values (?)'))
  const clearStale = lazy(() => connection.prepare('delete from snapshot_lag'))
  const countFiles = connection.prepare<[], number>('select count(*) from files').pluck()
  const fileAt = lazy(() =>
    connection.prepare<[string], FileRow>(`select ${FILE_COLUMNS} from files where path = ?`).raw(),
  )
  const allFiles = lazy(() => connection.prepare<[], FileRow>(`select ${FILE_COLUMNS} from files order by path`).raw())

  return {
    findChanged(names, findStat) {
      const snapshot = readSnapshot.get()
      if (!snapshot || snapshot.paths !== joinNames(names) || countFiles.get() !== names.length) return undefined
      const stale = new Set(stalePaths.all())
      if (stale.size > MAX_STALE) return undefined
      const staleNames = stale.size > 0 ? names.filter(name => stale.has(prefix + name)) : []
      const staleRows = new Map(staleNames.map(name => [name, fileAt().get(prefix + name)]))
      // A listed file without a row means, the numbers being equal, that a row has no file: the snapshot is of other files.
      if ([...staleRows.values()].includes(undefined)) return undefined
      const stats = decodeStats(snapshot.stats)
      const changed = names.filter((name, position) => {
        const stat = findStat(name)
        if (!stat) return true
        const row = staleRows.get(name)
        return row ? !isUnchanged(row, stat) : !isEqualAt(stats, position, stat)
      })
      return changed.map(name => prefix + name)
    },
    take() {
      const rows = allFiles().all()
      clearStale().run()
      writeSnapshot().run(joinNames(rows.map(([path]) => path.slice(prefix.length))), encodeStats(rows))
    },
    markStale: path => void addStale().run(path),
  }
}

function joinNames(names: readonly string[]): string {
  return names.join('\0')
}

/** A racy file gets a size of NaN, which no file has: it always counts as changed. */
function encodeStats(rows: readonly FileRow[]): Buffer {
  const stats = new Float64Array(rows.length * NUMBERS_PER_FILE)
  for (const [position, [, sizeBytes, mtimeMs, ctimeMs, inode, racy]] of rows.entries())
    stats.set([racy ? Number.NaN : sizeBytes, mtimeMs, ctimeMs, inode], position * NUMBERS_PER_FILE)
  return Buffer.from(stats.buffer)
}

function decodeStats(bytes: Buffer): Float64Array {
  const { buffer, byteOffset, byteLength } = new Uint8Array(bytes) // a copy, because SQLite's bytes may not be aligned
  return new Float64Array(buffer, byteOffset, byteLength / Float64Array.BYTES_PER_ELEMENT)
}

function isEqualAt(stats: Float64Array, position: number, stat: StatData): boolean {
  const at = position * NUMBERS_PER_FILE
  return (
    stats[at] === stat.size &&
    stats[at + 1] === stat.mtimeMs &&
    stats[at + 2] === stat.ctimeMs &&
    stats[at + 3] === stat.ino
  )
}
