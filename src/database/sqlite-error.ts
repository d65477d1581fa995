/** What a failed SQLite statement means, and the PlanError that says it. */
import { isPlanError, PlanError } from '../model/errors.ts'

const ADVICE: Record<string, string> = {
  SQLITE_CANTOPEN: 'it cannot be opened: check the folder and its permissions',
  SQLITE_CORRUPT: 'it is damaged',
  SQLITE_FULL: 'no space left on the disk: free some and run the command again',
  SQLITE_IOERR: 'the disk reported an error: look at the system log before you go on',
  SQLITE_NOTADB: 'it is not an SQLite database',
  SQLITE_READONLY: 'it cannot be written: check the permissions and whether the file system is read-only',
}

/** The code of a failed statement, without its extension (SQLITE_IOERR_WRITE gives SQLITE_IOERR); undefined for other errors. */
export function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'SqliteError') return undefined
  const code = (error as Error & { code: string }).code
  return (
    Object.keys(ADVICE).find(known => code.startsWith(known)) ?? (code.startsWith('SQLITE_BUSY') ? 'SQLITE_BUSY' : code)
  )
}

/**
 * True where the database file itself is unusable, so that only making it anew can help. Our own statements fail with
 * SQLITE_ERROR where a table or a view is not what we made, with SQLITE_CONSTRAINT where rows contradict each other.
 */
export function isDamaged(error: unknown): boolean {
  return /^SQLITE_(?:CORRUPT|NOTADB|ERROR|CONSTRAINT)/.test(sqliteCode(error) ?? '')
}

/** True where the place cannot be written, whatever the file holds. */
export function isUnwritable(error: unknown): boolean {
  if (isPlanError(error, 'io')) return true
  const code = isPlanError(error, 'database') ? error.data.sqliteCode : sqliteCode(error)
  return ['SQLITE_READONLY', 'SQLITE_CANTOPEN', 'SQLITE_FULL', 'SQLITE_IOERR'].includes(code ?? '')
}

/** A failed statement or system call as a PlanError with the file's path; anything else unchanged. */
export function databaseError(error: unknown, path: string): unknown {
  const { syscall, code: syscallCode = '' } = (error ?? {}) as NodeJS.ErrnoException
  if (syscall) return new PlanError('io', `${path}: ${(error as Error).message}`, { path, syscallCode }, error)
  const code = sqliteCode(error)
  if (code === undefined) return error
  const detail = ADVICE[code] ?? (error as Error).message
  return new PlanError('database', `${path}: ${detail}`, { path, sqliteCode: code }, error)
}
