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
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isPlanError, PlanError } from '../model/errors.ts'
import { ioError } from './io-error.ts'

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

/**
 * Writes the file durably. Returns `changed`, and leaves the target unchanged, where it is not the expected one.
 * @throws PlanError io.
 */
export function writeFileAtomically(path: string, bytes: Uint8Array, placement: Placement): 'replaced' | 'changed' {
  const folder = dirname(path)
  const temp = join(folder, `.${basename(path)}.${randomName()}.tmp`)
  let file: number | null = null
  let isTempLeft = false
  try {
    file = openSync(temp, 'wx')
    isTempLeft = true
    writeAll(file, bytes)
    if (placement.mode !== undefined) fchmodSync(file, placement.mode & 0o777)
    fsyncSync(file)
    const { size } = fstatSync(file)
    if (size !== bytes.length) {
      throw Object.assign(new Error(`${size} of ${bytes.length} bytes were written`), { code: 'EIO' })
    }
    closeSync(file)
    file = null
    if (!placement.stillExpected()) return 'changed'
    if (placement.create) {
      try {
        linkSync(temp, path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'changed'
        if (!['EPERM', 'ENOTSUP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
        renameSync(temp, path) // no hard links on this file system: only the write lock keeps two creators apart
        isTempLeft = false
      }
    } else {
      renameSync(temp, path)
      isTempLeft = false
    }
    syncRenamed(folder, path)
    return 'replaced'
  } catch (error) {
    throw ioError(error, path)
  } finally {
    if (file !== null) quietly(() => closeSync(file!))
    if (isTempLeft) quietly(() => unlinkSync(temp))
  }
}

/**
 * Replaces a file by renaming a new one over it, without fsync: a reader sees the old bytes or the new bytes, and a power
 * cut may bring the old ones back. For files of one writer at a time that are not Tickets. @throws the system's error.
 */
export function replaceFile(path: string, bytes: string | Uint8Array): void {
  const temp = `${path}.tmp`
  try {
    writeFileSync(temp, bytes)
    renameSync(temp, path)
  } catch (error) {
    quietly(() => rmSync(temp, { force: true }))
    throw error
  }
}

/** Returns twelve hexadecimal digits. */
function randomName(): string {
  const { randomBytes } = process.getBuiltinModule('node:crypto') // loaded when something is written
  return randomBytes(6).toString('hex')
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written)
  }
}

/** @throws PlanError io, which says that the file is in place all the same. */
function syncRenamed(folder: string, path: string): void {
  try {
    syncFolder(folder)
  } catch (error) {
    const known = ioError(error, folder)
    if (!isPlanError(known, 'io')) throw known
    const message = `${known.message}; ${path} is written, but a power cut may undo that`
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
