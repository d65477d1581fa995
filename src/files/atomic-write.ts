/**
 * Replaces a file so that it always holds its old bytes or its new bytes, whole.
 *
 * Order: a new file beside the target, exclusively created; every byte; fsync; its size checked; a last look at the
 * target; rename; fsync of the folder. When `writeFileAtomically` returns, the new bytes survive a crash or a power cut. A
 * crash before the rename leaves the old bytes and perhaps a temporary file, which nothing reads. A failed fsync is never
 * tried again: what the kernel then holds is unknown.
 */
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ioError } from './io-error.ts'

const TEMP = /^\..+\.[0-9a-f]{12}\.tmp$/

/** True for the name of a temporary file of this writer; after a crash one may be left behind. */
export function isTempName(name: string): boolean {
  return TEMP.test(name)
}

/** How to put the new file in place. */
export interface Placement {
  /** Must the target be new? Then an existing one is never replaced, whoever made it. */
  create: boolean
  /** The permissions of the file that is replaced. */
  mode?: number
  /** Asked right before the rename; false abandons the write, and the target stays as it is. */
  stillExpected(): boolean
}

/** Writes the file; `replaced` where it is done, `changed` where somebody else's change was in the way. @throws PlanError io. */
export function writeFileAtomically(path: string, bytes: Uint8Array, placement: Placement): 'replaced' | 'changed' {
  const folder = dirname(path)
  const temp = join(folder, `.${basename(path)}.${randomName()}.tmp`)
  let open: number | null = null
  let tempLeft = false
  try {
    open = openSync(temp, 'wx')
    tempLeft = true
    writeAll(open, bytes)
    if (placement.mode !== undefined) fchmodSync(open, placement.mode & 0o777)
    fsyncSync(open)
    const { size } = fstatSync(open)
    if (size !== bytes.length) {
      throw Object.assign(new Error(`${size} of ${bytes.length} bytes were written`), { code: 'EIO' })
    }
    closeSync(open)
    open = null
    if (!placement.stillExpected()) return 'changed'
    if (placement.create) {
      try {
        linkSync(temp, path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'changed'
        if (!['EPERM', 'ENOTSUP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
        renameSync(temp, path) // a file system without hard links: the write lock alone keeps two creators apart
        tempLeft = false
      }
    } else {
      renameSync(temp, path)
      tempLeft = false
    }
    syncFolder(folder)
    return 'replaced'
  } catch (error) {
    throw ioError(error, path)
  } finally {
    if (open !== null) quietly(() => closeSync(open!))
    if (tempLeft) quietly(() => unlinkSync(temp))
  }
}

/** Twelve hexadecimal digits. */
function randomName(): string {
  const { randomBytes } = process.getBuiltinModule('node:crypto') // loaded when something is written
  return randomBytes(6).toString('hex')
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written)
  }
}

/** Makes the names in a folder survive a power cut. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return // a folder cannot be opened there, and the journal keeps the order
  const open = openSync(folder, 'r')
  try {
    fsyncSync(open)
  } finally {
    closeSync(open)
  }
}

// Cleaning up after a failure must not hide the failure itself.
function quietly(action: () => void): void {
  try {
    action()
  } catch {}
}
