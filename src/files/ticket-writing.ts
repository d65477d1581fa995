/**
 * Writes one Ticket file.
 *
 * Invariant: a change that another program made since the file was read is never overwritten, and nothing is written through
 * a link or outside the tickets folder.
 */
import { existsSync, lstatSync, readFileSync, realpathSync, unlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { PlanError } from '../model/errors.ts'
import { syncFolder, writeFileAtomically } from './atomic-write.ts'
import { ioError } from './io-error.ts'
import type { Repository } from './repository.ts'
import { type FileStat, fileStat, hashOf, type ReadTicket } from './ticket-files.ts'

/**
 * Writes a Ticket's bytes to its path, if the file there is still the one that was read (`expected`, or null for none).
 * Calls `checkLock`, which throws where this process has lost the write lock, right before. Durable when it returns `replaced`.
 * `changed` means that another program was faster, and nothing was written.
 * @throws PlanError io, unsafe_path.
 */
export function writeTicketFile(
  repository: Repository,
  path: string,
  bytes: Uint8Array,
  expected: ReadTicket | null,
  checkLock: () => void = () => {},
): 'replaced' | 'changed' {
  const absolute = join(repository.root, path)
  checkNoLink(repository, dirname(absolute))
  const stillExpected = () => {
    checkLock()
    return isExpected(absolute, expected)
  }
  const mode = expected && existsSync(absolute) ? lstatSync(absolute).mode : undefined
  return writeFileAtomically(absolute, bytes, { create: expected === null, mode, stillExpected })
}

/**
 * Removes a Ticket file that is still the one that was read. Returns false, and leaves it, where it is not.
 * @throws PlanError io, unsafe_path.
 */
export function removeTicketFile(
  repository: Repository,
  path: string,
  expected: ReadTicket,
  checkLock: () => void,
): boolean {
  const absolute = join(repository.root, path)
  checkNoLink(repository, dirname(absolute))
  checkLock()
  if (!isExpected(absolute, expected)) return false
  try {
    unlinkSync(absolute)
    syncFolder(dirname(absolute))
  } catch (error) {
    throw ioError(error, absolute)
  }
  return true
}

function isExpected(absolute: string, expected: ReadTicket | null): boolean {
  const now = lstatSync(absolute, { throwIfNoEntry: false })
  if (!expected || !now) return !expected && !now
  if (!now.isFile()) return false
  return isSameStat(fileStat(now), expected.stat) && hashOf(readFileSync(absolute)) === expected.hash
}

function isSameStat(a: FileStat, b: FileStat): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.inode === b.inode
}

/** Fails where the folder is reached through a link. */
function checkNoLink(repository: Repository, folder: string): void {
  let real: string
  try {
    real = realpathSync(folder)
  } catch (error) {
    throw ioError(error, folder)
  }
  const expected = join(realpathSync(repository.root), relative(repository.root, folder))
  if (real === expected) return
  const message = `${folder} leads through a link to ${real}: nothing was written; replace the link with a folder`
  throw new PlanError('unsafe_path', message, { path: folder })
}
