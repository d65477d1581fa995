/** Says what the failure of an SQLite statement means, and turns it into an error with the path of the database. */
import { isPlanError, PlanError } from '../model/errors.ts'

const ADVICE: Record<string, string> = {
  SQLITE_CANTOPEN: 'the database cannot be opened; check the folder and its permissions',
  SQLITE_CORRUPT: 'the database is damaged',
  SQLITE_FULL: 'no space left on the disk; free some and run the command again',
  SQLITE_IOERR: 'the disk reported an error; check the system log before you go on',
  SQLITE_NOTADB: 'not an SQLite database',
  SQLITE_READONLY_DBMOVED: 'the file was removed or replaced while this command used it; run the command again',
  SQLITE_READONLY: 'the database cannot be written; check the permissions, and whether the file system is read-only',
}

/** Returns the code of a failed statement without its extension (SQLITE_IOERR for SQLITE_IOERR_WRITE); undefined for other errors. */
export function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'SqliteError') return undefined
  const code = (error as Error & { code: string }).code
  return (
    Object.keys(ADVICE).find(known => code.startsWith(known)) ?? (code.startsWith('SQLITE_BUSY') ? 'SQLITE_BUSY' : code)
  )
}

/**
 * True where the database file itself is unusable and has to be replaced. Our own statements fail with SQLITE_ERROR where a
 * table or a view is not the one that we created, and with SQLITE_CONSTRAINT where rows contradict each other.
 */
export function isDamaged(error: unknown): boolean {
  return /^SQLITE_(?:CORRUPT|NOTADB|ERROR|CONSTRAINT)/.test(sqliteCode(error) ?? '')
}

/**
 * True for a failed commit whose changes are on the disk: SQLite frees locks after it has removed the rollback journal, and then
 * reports that it could not go back to a lock for reading, or to none.
 */
export function isUnlockFailure(error: unknown): boolean {
  if (sqliteCode(error) === undefined) return false
  return ['SQLITE_IOERR_UNLOCK', 'SQLITE_IOERR_RDLOCK'].includes((error as Error & { code: string }).code)
}

/** True where the file or its folder cannot be written, whatever the file contains. */
export function isUnwritable(error: unknown): boolean {
  if (isPlanError(error, 'io')) return true
  const code = isPlanError(error, 'database') ? error.data.sqliteCode : sqliteCode(error)
  return ['SQLITE_READONLY', 'SQLITE_CANTOPEN', 'SQLITE_FULL', 'SQLITE_IOERR'].includes(code ?? '')
}

/** Returns a failed statement or system call as a PlanError with the path, and any other error unchanged. */
export function databaseError(error: unknown, path: string): unknown {
  const { syscall, code: syscallCode = '' } = (error ?? {}) as NodeJS.ErrnoException
  if (syscall) return new PlanError('io', `${path}: ${(error as Error).message}`, { path, syscallCode }, error)
  const code = sqliteCode(error)
  if (code === undefined) return error
  const detail = ADVICE[code] ?? (error as Error).message
  return new PlanError('database', `${path}: ${detail}`, { path, sqliteCode: code }, error)
}
