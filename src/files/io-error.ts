/** Turns failures of the operating system into errors with the path and what to do. */
import { PlanError } from '../model/errors.ts'

const ADVICE: Record<string, string> = {
  EACCES: 'permission denied; check its owner and mode',
  EDQUOT: 'the disk quota is used up; free some space and run the command again',
  EIO: 'the disk reported an error; check the system log before you go on',
  EMFILE: 'too many open files; raise the limit (ulimit -n) or close some',
  ENFILE: 'too many open files on this machine',
  ENOENT: 'no such file or folder',
  ENOSPC: 'no space left on the disk; free some and run the command again',
  ENOTDIR: 'a part of the path is not a folder',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
}

/** Returns a failed system call as a PlanError with the path, and any other error unchanged. */
export function ioError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (
    !(error instanceof Error) ||
    error instanceof PlanError ||
    typeof code !== 'string' ||
    !/^E[A-Z0-9]+$/.test(code)
  ) {
    return error
  }
  return new PlanError('io', `${path}: ${ADVICE[code] ?? error.message}`, { path, syscallCode: code }, error)
}

/**
 * Returns the error of any system call as a PlanError, and any other error unchanged: for the edges, where no caller has
 * named the path. A call on an open file knows no path.
 */
export function systemError(error: unknown): unknown {
  const { syscall, path } = (error ?? {}) as NodeJS.ErrnoException
  return typeof syscall === 'string' ? ioError(error, path ?? syscall) : error
}
