/**
 * Writes Ticket files.
 *
 * Invariant: a change that another program made since a file was read is never overwritten, and nothing is written through
 * a link or outside the tickets folder.
 */
import { lstatSync, readFileSync, realpathSync, unlinkSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { PlanError } from '../model/errors.ts'
import type { Ticket } from '../model/ticket.ts'
import { type Placement, syncFolder, writeFileAtomically } from './atomic-write.ts'
import { fileBatch } from './file-batch.ts'
import { ioError } from './io-error.ts'
import type { Repository } from './repository.ts'
import type { CheckedBytes } from './ticket-bytes.ts'
import { type FileStat, fileStat, hashOf, type ReadTicket } from './ticket-files.ts'

/** A Ticket file that was written by this process. `stat` was taken before it got its name, which changes `ctimeMs`. */
export interface WrittenTicket {
  path: string
  ticket: Ticket
  hash: string
  stat: FileStat
}

/** What became of the files of a batch. Where `error` is set, those in neither list are as they were. */
export interface WrittenTickets {
  /** In place, and durable unless there is an error. */
  written: WrittenTicket[]
  /** The paths of files that another program has changed since they were read: left as they are. */
  changed: string[]
  /** Why the batch ended early, or why a power cut may undo what is in place. */
  error?: unknown
}

/** Ticket files that are written together. */
export interface TicketBatch extends Disposable {
  /**
   * Writes a Ticket's bytes beside its path. `expected` is the file that was read, null for none.
   * @throws PlanError io, unsafe_path: then the file is not in the batch.
   */
  add(path: string, checked: CheckedBytes, expected: ReadTicket | null): void
  /** Makes all bytes durable. @throws PlanError io: then nothing has been replaced. */
  sync(): void
  /** Puts the files in place where they are still those that were read. Called after `sync`. Never throws. */
  place(): WrittenTickets
}

/** Returns an empty batch. Calls `checkLock`, which throws where this process has lost the write lock, before it replaces a file. */
export function ticketBatch(repository: Repository, checkLock: () => void): TicketBatch {
  const files = fileBatch()
  const added = new Map<string, { path: string } & CheckedBytes>()
  return {
    add(path, checked, expected) {
      const absolute = join(repository.root, path)
      files.add(absolute, checked.bytes, placementOf(repository, absolute, expected, checkLock))
      added.set(absolute, { path, ...checked })
    },
    sync: files.sync,
    place() {
      const { replaced, changed, error } = files.place()
      const written = replaced.map(({ path: absolute, stat }): WrittenTicket => {
        const { path, ticket, bytes } = added.get(absolute)!
        return { path, ticket, hash: hashOf(bytes), stat }
      })
      return { written, changed: changed.map(absolute => added.get(absolute)!.path), error }
    },
    [Symbol.dispose]: () => files[Symbol.dispose](),
  }
}

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
  return writeFileAtomically(absolute, bytes, placementOf(repository, absolute, expected, checkLock))
}

/** @throws PlanError io, unsafe_path. */
function placementOf(
  repository: Repository,
  absolute: string,
  expected: ReadTicket | null,
  checkLock: () => void,
): Placement {
  checkNoLink(repository, dirname(absolute))
  const stillExpected = () => {
    checkLock()
    return isExpected(absolute, expected)
  }
  return { create: expected === null, mode: expected ? findMode(absolute) : undefined, stillExpected }
}

/** Returns the permissions of the file that is to be replaced; undefined where it cannot be found. */
function findMode(absolute: string): number | undefined {
  try {
    return lstatSync(absolute, { throwIfNoEntry: false })?.mode
  } catch {
    return undefined // the last check before the file is replaced says what is wrong
  }
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
  if (!now.isFile() || !isSameStat(fileStat(now), expected.stat)) return false
  return !expected.racy || hashOf(readFileSync(absolute)) === expected.hash
}

function isSameStat(a: FileStat, b: FileStat): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.inode === b.inode
}

/** Fails where the folder is reached through a link. @throws PlanError unsafe_path, io. */
function checkNoLink(repository: Repository, folder: string): void {
  let real: string
  try {
    if (areFolders(repository.root, folder)) return
    real = realpathSync(folder)
  } catch (error) {
    throw ioError(error, folder)
  }
  const expected = join(realpathSync(repository.root), relative(repository.root, folder))
  if (real === expected) return
  const message = `${folder} leads through a link to ${real}: nothing was written; replace the link with a folder`
  throw new PlanError('unsafe_path', message, { path: folder })
}

/** True where every part of the path below the root is a folder, and no link. */
function areFolders(root: string, folder: string): boolean {
  let path = root
  return relative(root, folder)
    .split(sep)
    .every(name => {
      path = join(path, name)
      return name !== '..' && lstatSync(path, { throwIfNoEntry: false })?.isDirectory()
    })
}
