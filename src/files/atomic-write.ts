/**
 * Replaces a file so that it always holds its old bytes or its new bytes, complete.
 *
 * Order: a new file beside the target, exclusively created; all bytes; fsync; a check of its size; a last check of the
 * target; rename; fsync of the folder. When `writeFileAtomically` returns, the new bytes survive a crash or a power cut. A
 * crash before the rename leaves the old bytes and perhaps a temporary file, which nothing reads. A failed fsync is never
 * retried: what the kernel then holds is unknown.
 */
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isPlanError, PlanError } from '../model/errors.ts'
import { ioError } from './io-error.ts'
import { createNewStateFile } from './state-folder.ts'

const TEMP = /^\..+\.[0-9a-f]{12}\.tmp$/

/** True for the name of a temporary file of `writeFileAtomically`; a crash may leave one behind. */
export function isTempName(name: string): boolean {
  return TEMP.test(name)
}

/** How to put the new file in place. */
export interface Placement {
  /** True for a new file: then an existing one is never replaced, whichever program created it. */
  create: boolean
  /** The permissions of the file that is replaced. */
  mode?: number
  /** Called right before the rename. False cancels the write, and the target is unchanged. */
  stillExpected(): boolean
}

/** New bytes of a file, in a temporary file beside it. Each step is made once, in this order. */
export interface StagedFile {
  readonly path: string
  /** Makes the bytes durable. Returns the stat data of the file that will be in place. @throws PlanError io. */
  sync(): Stats
  /**
   * Puts the bytes in place; the name is durable after an fsync of the folder. Returns `changed`, and leaves the target
   * unchanged, where it is not the expected one. @throws PlanError io.
   */
  place(): 'replaced' | 'changed'
  /** Removes the temporary file where there still is one. Never throws. */
  discard(): void
}

/**
 * Writes the file durably. Returns `changed`, and leaves the target unchanged, where it is not the expected one.
 * @throws PlanError io.
 */
export function writeFileAtomically(path: string, bytes: Uint8Array, placement: Placement): 'replaced' | 'changed' {
  const staged = stageFile(path, bytes, placement)
  try {
    staged.sync()
    const outcome = staged.place()
    if (outcome === 'replaced') syncRenamed(dirname(path), [path])
    return outcome
  } finally {
    staged.discard()
  }
}

/** Writes the bytes to a temporary file beside the target, which stays open until `sync` or `discard`. @throws PlanError io. */
export function stageFile(path: string, bytes: Uint8Array, placement: Placement): StagedFile {
  const temp = join(dirname(path), `.${basename(path)}.${randomName()}.tmp`)
  let file: number | null = null
  let isTempLeft = false
  const discard = () => {
    if (file !== null) quietly(() => closeSync(file!))
    if (isTempLeft) quietly(() => unlinkSync(temp))
    file = null
    isTempLeft = false
  }
  const orDiscard = <T>(action: () => T): T => {
    try {
      return action()
    } catch (error) {
      discard()
      throw ioError(error, path)
    }
  }
  orDiscard(() => {
    file = openSync(temp, 'wx')
    isTempLeft = true
    writeAll(file, bytes)
    if (placement.mode !== undefined) fchmodSync(file, placement.mode & 0o777)
  })
  return {
    path,
    discard,
    sync: () =>
      orDiscard(() => {
        fsyncSync(file!)
        const stat = fstatSync(file!)
        if (stat.size !== bytes.length) {
          throw Object.assign(new Error(`${stat.size} of ${bytes.length} bytes were written`), { code: 'EIO' })
        }
        const synced = file!
        file = null
        closeSync(synced)
        return stat
      }),
    place: () =>
      orDiscard(() => {
        if (!placement.stillExpected()) return 'changed'
        const created = placement.create ? linkNew(temp, path) : 'no_links'
        if (created !== 'no_links') return created
        renameSync(temp, path)
        isTempLeft = false
        return 'replaced'
      }),
  }
}

/** Gives a file a new name, never an existing one's. On a file system without hard links it does nothing. @throws the system's error. */
function linkNew(temp: string, path: string): 'replaced' | 'changed' | 'no_links' {
  try {
    linkSync(temp, path)
    return 'replaced'
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return 'changed'
    if (['EPERM', 'ENOTSUP', 'ENOSYS'].includes(code)) return 'no_links' // only the write lock keeps two creators apart
    throw error
  }
}

/**
 * Replaces a file by renaming a new one over it, without fsync: a reader sees the old bytes or the new bytes, and a power
 * cut may bring the old ones back. Follows no link. For files of one writer at a time that are not Tickets. @throws the system's error.
 */
export function replaceFile(path: string, bytes: string | Uint8Array): void {
  const temp = `${path}.tmp`
  try {
    rmSync(temp, { force: true }) // of a process that was killed, or a link
    createNewStateFile(temp, bytes)
    renameSync(temp, path)
  } catch (error) {
    quietly(() => rmSync(temp, { force: true }))
    throw error
  }
}

/** Returns twelve hexadecimal digits. */
function randomName(): string {
  // Exclusive creation keeps names apart; a name that cannot be guessed would add nothing.
  return Math.floor(Math.random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0')
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written)
  }
}

/**
 * Makes the names of files that were put into a folder survive a power cut.
 * @throws PlanError io, which says that the files are in place all the same.
 */
export function syncRenamed(folder: string, paths: readonly string[]): void {
  try {
    syncFolder(folder)
  } catch (error) {
    const known = ioError(error, folder)
    if (!isPlanError(known, 'io')) throw known
    const written = paths.length === 1 ? `${paths[0]} is` : `${paths.length} files in it are`
    const message = `${known.message}; ${written} written, but a power cut may undo that`
    throw new PlanError('io', message, known.data, error)
  }
}

/** Makes the names in a folder survive a power cut. @throws the system's error. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return // a folder cannot be opened there, and the journal keeps the order
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

// A failed clean-up must not hide the failure that it follows.
function quietly(action: () => void): void {
  try {
    action()
  } catch {}
}
