/**
 * Reads one Ticket file.
 *
 * Invariant: a file that cannot be read as a Ticket is described, never skipped, never changed. Links are not followed, and
 * nothing outside the tickets folder is read.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync, type Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { decodeTicket } from '../model/canonical-json.ts'
import type { Place, RefusalCode } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import { Refusal } from '../model/strict-json.ts'
import { LIMITS } from '../model/text.ts'
import type { Ticket } from '../model/ticket.ts'
import { ioError } from './io-error.ts'
import { ANY_TICKET, conflictMentions } from './quarantine.ts'
import { isRacy } from './racy-times.ts'

/** The stat data of a file. Equal stat data at two moments mean equal content, except for very recent changes. */
export interface FileStat {
  sizeBytes: number
  mtimeMs: number
  ctimeMs: number
  inode: number
}

/** A Ticket file, read. `hash` is over its bytes. */
export interface ReadTicket {
  readable: true
  path: string
  ticket: Ticket
  canonical: boolean
  hash: string
  stat: FileStat
  /** True where the stat data may not show a change that was made after the reading. */
  racy: boolean
}

/** A file that is refused, with the reason. `mentions` are Tickets that it may be in conflict with. */
export interface QuarantinedFile {
  readable: false
  path: string
  code: RefusalCode
  message: string
  place: Place | null
  mentions: string[]
  hash: string
  stat: FileStat
}

/** For a file in a folder that may not be entered. No file has this stat data, so the file is checked again each time. */
const UNKNOWN_STAT: FileStat = { sizeBytes: 0, mtimeMs: 0, ctimeMs: 0, inode: 0 }

// Loaded when a file is read: a command that finds the index up to date reads none.
const crypto = lazy(() => process.getBuiltinModule('node:crypto'))

/** Why a file called X.JSON is refused: where case does not count it is X.json, and elsewhere it is not. */
export const WRONG_ENDING =
  'the name of a Ticket file must end in ".json", in lower case; rename it, for example with "git mv"'

/** Returns the id in a file's name. */
export function idFromPath(path: string): string {
  return basename(path).slice(0, -'.json'.length)
}

/**
 * Reads one file. Its stat data is taken before its bytes. Returns undefined where nothing is at the path.
 * @param path from the root, as `listTicketPaths` returns it.
 * @throws PlanError io.
 */
export function findTicketFile(root: string, path: string): ReadTicket | QuarantinedFile | undefined {
  const nowMs = Date.now() // before the file is read
  const found = findBytes(root, path)
  if (!found) return undefined
  const { stat } = found
  if ('code' in found) {
    return { readable: false, path, ...found, place: null, mentions: [ANY_TICKET], hash: '' }
  }
  return readTicket(path, found.bytes, stat, isRacy(stat.mtimeMs, stat.ctimeMs, nowMs))
}

/** Reads the bytes of the file at a path. `racy` is false where equal stat data prove that the file has these bytes. */
export function readTicket(path: string, bytes: Buffer, stat: FileStat, racy = true): ReadTicket | QuarantinedFile {
  if (!path.endsWith('.json')) {
    const mentions = conflictMentions(bytes)
    return {
      readable: false,
      path,
      code: 'id_mismatch',
      message: WRONG_ENDING,
      place: null,
      mentions,
      hash: hashOf(bytes),
      stat,
    }
  }
  try {
    return { readable: true, path, ...decodeTicket(bytes, idFromPath(path)), hash: hashOf(bytes), stat, racy }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code, message, place } = error
    return { readable: false, path, code, message, place, mentions: conflictMentions(bytes), hash: hashOf(bytes), stat }
  }
}

type Found = { stat: FileStat; bytes: Buffer } | Refused
interface Refused {
  stat: FileStat
  code: RefusalCode
  message: string
}

/** Without blocking and without following a link: a FIFO or a link may be in the place of the file. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const BUFFER_BYTES = 65_536
/** For the bytes of one file after the other: nearly every file fits. */
const sharedBuffer = lazy(() => Buffer.allocUnsafeSlow(BUFFER_BYTES))

/**
 * Reads the bytes of a regular file, or says why they were not read. Returns undefined where nothing is at the path. The bytes
 * are valid until the next call.
 */
function findBytes(root: string, path: string): Found | undefined {
  const absolute = `${root}/${path}`
  let file: number | undefined
  try {
    if (isBelowLink(root, path)) return undefined
    // Opening fails for a link, but not where the system has no such flag.
    if (!constants.O_NOFOLLOW && lstatSync(absolute).isSymbolicLink()) return whyUnread(absolute)
    file = openSync(absolute, OPEN_FLAGS)
    const stat = fstatSync(file)
    return refusalOf(stat) ?? { stat: fileStat(stat), bytes: readBytes(file, stat.size) }
  } catch (error) {
    return whyUnread(absolute, error)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Reads a file from its start to a length; less where it has become shorter. */
function readBytes(file: number, length: number): Buffer {
  const buffer = length <= BUFFER_BYTES ? sharedBuffer() : Buffer.allocUnsafeSlow(length)
  let end = 0
  while (end < length) {
    const read = readSync(file, buffer, end, length - end, null)
    if (read === 0) break
    end += read
  }
  return buffer.subarray(0, end)
}

/** Says why a path could not be opened or read, by what is there now. Undefined where nothing is. @throws PlanError io. */
function whyUnread(absolute: string, failure?: unknown): Refused | undefined {
  let stat: Stats | undefined
  try {
    stat = lstatSync(absolute, { throwIfNoEntry: false })
    if (!stat && isUndecodable(absolute)) return refused(stat, 'id_mismatch', "the file's name is not valid UTF-8")
  } catch (error) {
    if (isGone(error)) return undefined
    if (isDenied(error)) return refused(stat, 'unreadable', 'permission denied')
    throw ioError(error, absolute)
  }
  if (!stat || isGone(failure)) return undefined
  const refusal = refusalOf(stat)
  if (refusal) return refusal
  if (isDenied(failure)) return refused(stat, 'unreadable', 'permission denied')
  throw ioError(failure, absolute)
}

function refused(stat: Stats | undefined, code: RefusalCode, message: string): Refused {
  return { stat: stat ? fileStat(stat) : UNKNOWN_STAT, code, message }
}

/** Returns why a file is refused by its stat data alone; undefined where it may be read. */
function refusalOf(stat: Stats): Refused | undefined {
  if (stat.isSymbolicLink()) return refused(stat, 'symbolic_link', 'a symbolic link: links are not followed')
  if (!stat.isFile()) return refused(stat, 'not_a_regular_file', 'not a regular file')
  if (stat.size > LIMITS.fileBytes) return refused(stat, 'too_large', `larger than ${LIMITS.fileBytes} bytes`)
  return undefined
}

function isGone(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function isDenied(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  return code === 'EACCES' || code === 'EPERM'
}

/**
 * True for a file whose name is not valid UTF-8. Its folder lists it with U+FFFD in place of the bytes, and no path opens it.
 */
function isUndecodable(absolute: string): boolean {
  return basename(absolute).includes('\ufffd') && readdirSync(dirname(absolute)).includes(basename(absolute))
}

/**
 * True where a folder on the path, below the topmost one, is a link. What is behind a link is not read: the link itself is
 * listed.
 */
function isBelowLink(root: string, path: string): boolean {
  const folders = path.split('/').slice(0, -1)
  for (let depth = 2; depth <= folders.length; depth++) {
    if (!lstatSync(join(root, ...folders.slice(0, depth))).isDirectory()) return true
  }
  return false
}

/** Returns the hash of a file's bytes, as it is kept in the index. */
export function hashOf(bytes: Uint8Array): string {
  return crypto().hash('sha256', bytes, 'base64url')
}

/** Returns the part of a stat result that shows a change. */
export function fileStat(stat: Stats): FileStat {
  return { sizeBytes: stat.size, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs, inode: stat.ino }
}
