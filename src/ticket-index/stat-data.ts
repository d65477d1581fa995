/**
 * Compares the stat data of files with the rows of the index.
 *
 * Equal stat data mean the same content, except for racy files (racy-times.ts). Different stat data only mean that the file
 * must be read: its hash decides.
 */
import { lstatSync, type Stats } from 'node:fs'
import type { FileRow } from './file-queries.ts'

/** The stat data of a file, under the names of Node. */
export type StatData = Pick<Stats, 'size' | 'mtimeMs' | 'ctimeMs' | 'ino'>

const OPTIONS = { throwIfNoEntry: false } as const // one for all files: a call is made for each

/** Returns the stat data at a path; undefined where there is nothing, or where stat fails: reading the file says why. */
export function findStat(path: string): Stats | undefined {
  try {
    return lstatSync(path, OPTIONS)
  } catch {
    return undefined
  }
}

/** True where the stat data equal those of the row, and the file was not racy when it was read. */
export function isUnchanged([, sizeBytes, mtimeMs, ctimeMs, inode, racy]: FileRow, stat: StatData): boolean {
  return (
    sizeBytes === stat.size && mtimeMs === stat.mtimeMs && ctimeMs === stat.ctimeMs && inode === stat.ino && racy === 0
  )
}

/** Returns the paths that may have changed: new, gone, racy, or with other stat data. Both lists are sorted by path. */
export function findChangedPaths(
  listed: readonly string[],
  rows: readonly FileRow[],
  findStat: (path: string) => StatData | undefined,
): string[] {
  const changed: string[] = []
  let next = 0
  for (const path of listed) {
    while (next < rows.length && rows[next]![0] < path) changed.push(rows[next++]![0])
    const row = rows[next]
    if (row === undefined || row[0] !== path) {
      changed.push(path)
      continue
    }
    next++
    const stat = findStat(path)
    if (!stat || !isUnchanged(row, stat)) changed.push(path)
  }
  while (next < rows.length) changed.push(rows[next++]![0])
  return changed
}
