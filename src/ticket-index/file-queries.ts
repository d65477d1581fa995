/** Queries for the files below the tickets folder: their paths, stat data and hashes, and those in quarantine. */
import type { Prepare } from '../database/statements.ts'

/** The path of a file and its stat data. `racy` is 1 where these may not show a later change. */
export type FileRow = [path: string, sizeBytes: number, mtimeMs: number, ctimeMs: number, inode: number, racy: number]

/** The columns of a `FileRow`, in its order. */
export const FILE_COLUMNS = 'path, size_bytes, mtime_ms, ctime_ms, inode, racy'

/** A row of `quarantine`. */
export interface QuarantineRow {
  path: string
  code: string
  message: string
  line: number | null
  column: number | null
  mentions: string
}

/** The hash of a file's bytes, and the code of its refusal; null where the file is readable. */
export type FileState = [path: string, hash: string, refusal: string | null]

/** Returns the queries over files. An id key is an id in lower case: see `idKey`. */
export function fileQueries(statement: Prepare) {
  return {
    /** Paths of all files, readable or not, with the id key. */
    pathsOfKey: (key: string) =>
      statement<[string], { path: string }>('select path from files where id_key = ? order by path')
        .all(key)
        .map(row => row.path),
    /** All files, readable or not, with the id key. */
    filesOfKey: (key: string) =>
      statement<[string], FileRow>(`select ${FILE_COLUMNS} from files where id_key = ?`, true).all(key),
    fileAt: (path: string) =>
      statement<[string], FileRow>(`select ${FILE_COLUMNS} from files where path = ?`, true).get(path),
    quarantined: () => statement<[], QuarantineRow>('select * from quarantine order by path').all(),
    /** Paths of readable files that are not in canonical form. */
    notCanonical: () =>
      statement<[], { path: string }>(
        'select path from files where canonical = 0 and path not in (select path from quarantine) order by path',
      )
        .all()
        .map(row => row.path),
    /** The state of every file, unordered. */
    fileStates: () =>
      statement<[], FileState>(
        'select f.path, f.hash, q.code from files f left join quarantine q using (path)',
        true,
      ).all(),
  }
}
