/**
 * The Ticket files on the disk: list with stat data, read, write.
 *
 * Invariant: a file that cannot be read as a Ticket is described, never skipped, never changed. Links are not followed,
 * and nothing outside the tickets folder is read or written.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  type Stats,
} from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { decodeTicket } from '../model/canonical-json.ts'
import { type Place, PlanError, type RefusalCode } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import { Refusal } from '../model/strict-json.ts'
import { LIMITS } from '../model/text.ts'
import type { Ticket } from '../model/ticket.ts'
import { isTempName, writeFileAtomically } from './atomic-write.ts'
import { ioError } from './io-error.ts'
import type { Repository } from './repository.ts'

/** What stat says of a file; equal stat data of two moments means the same content, but for very recent changes. */
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
}

/** A file that is refused, with the reason. `mentions` are Tickets that its text seems to be in conflict with. */
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

/** The id that a file's name stands for. */
export function idFromPath(path: string): string {
  return basename(path).slice(0, -'.json'.length)
}

/**
 * The path of every file that is or should be a Ticket, and of every link, in the order of the paths' code units. From the
 * root, with "/".
 * @param folders takes the absolute paths of the folders that were looked into.
 * @throws PlanError io.
 */
export function listTicketPaths({ root, ticketsDir }: Repository, folders: string[] = []): string[] {
  const paths: string[] = []
  listFolder(ticketsDir, `${relative(root, ticketsDir).split(sep).join('/')}/`, paths, folders)
  return paths.sort()
}

function listFolder(folder: string, prefix: string, paths: string[], folders: string[]): void {
  folders.push(folder)
  try {
    for (const name of readdirSync(folder)) {
      if (name.startsWith('.')) continue
      if (name.endsWith('.json')) paths.push(prefix + name)
      else {
        const stat = lstatSync(`${folder}${sep}${name}`, { throwIfNoEntry: false })
        if (stat?.isSymbolicLink() || (!stat && name.includes('\ufffd'))) paths.push(prefix + name)
        else if (stat?.isDirectory()) listFolder(join(folder, name), `${prefix}${name}/`, paths, folders)
      }
    }
  } catch (error) {
    throw ioError(error, folder)
  }
}

/** Temporary files that a crash left below the tickets folder, as paths from the root. */
export function listOrphans({ root, ticketsDir }: Repository): string[] {
  const orphans: string[] = []
  const look = (folder: string) => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      if (isTempName(name)) orphans.push(relative(root, path).split(sep).join('/'))
      else if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) look(path) // never through a link
    }
  }
  look(ticketsDir)
  return orphans.sort()
}

/** Of a file in a folder that may not be entered: no file has these, so it is looked at again each time. */
const UNKNOWN_STAT: FileStat = { sizeBytes: 0, mtimeMs: 0, ctimeMs: 0, inode: 0 }

/** The stat data of a Stats object. */
function fileStat(stat: Stats): FileStat {
  return { sizeBytes: stat.size, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs, inode: stat.ino }
}

/**
 * Reads one file, its stat data taken before its bytes. Undefined where there is nothing at the path.
 * @param path from the root, as `listTicketPaths` gives it.
 */
export function findTicketFile(root: string, path: string): ReadTicket | QuarantinedFile | undefined {
  const absolute = join(root, path)
  let stat: Stats | undefined
  const refused = (
    code: RefusalCode,
    message: string,
    place: Place | null = null,
    bytes?: Uint8Array,
  ): QuarantinedFile => ({
    readable: false,
    path,
    code,
    message,
    place,
    mentions: bytes ? conflictMentions(bytes) : [ANY_TICKET],
    hash: bytes ? hashOf(bytes) : '',
    stat: stat ? fileStat(stat) : UNKNOWN_STAT,
  })
  try {
    stat = lstatSync(absolute, { throwIfNoEntry: false })
    if (!stat && isUnspeakable(absolute)) return refused('id_mismatch', "the file's name is not valid UTF-8")
    if (!stat || isBelowLink(root, path)) return undefined
    if (stat.isSymbolicLink()) return refused('symbolic_link', 'a symbolic link: links are not followed')
    if (!stat.isFile()) return refused('not_a_regular_file', 'not a regular file')
    if (stat.size > LIMITS.fileBytes) return refused('too_large', `larger than ${LIMITS.fileBytes} bytes`)
    // Not blocking, and not through a link: a FIFO or a link may have taken the place since.
    const open = openSync(absolute, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    let bytes: Buffer
    try {
      stat = fstatSync(open)
      if (!stat.isFile()) return refused('not_a_regular_file', 'not a regular file')
      bytes = readFileSync(open)
    } finally {
      closeSync(open)
    }
    try {
      return {
        readable: true,
        path,
        ...decodeTicket(bytes, idFromPath(path)),
        hash: hashOf(bytes),
        stat: fileStat(stat),
      }
    } catch (error) {
      if (error instanceof Refusal) return refused(error.code, error.message, error.place, bytes)
      throw error
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'ELOOP') return refused('symbolic_link', 'a symbolic link: links are not followed')
    if (code === 'EACCES' || code === 'EPERM') return refused('unreadable', 'permission denied')
    throw ioError(error, absolute)
  }
}

// Loaded when a file is read: a command that finds the index up to date reads none.
const crypto = lazy(() => process.getBuiltinModule('node:crypto'))

/** True where a folder on the way, below the topmost one, is a link: what lies behind it is not ours, the link itself is listed. */
/** True for a file whose name's bytes are no text: a folder lists it, with U+FFFD in their place, and nothing can open it by that. */
function isUnspeakable(absolute: string): boolean {
  return basename(absolute).includes('\ufffd') && readdirSync(dirname(absolute)).includes(basename(absolute))
}

function isBelowLink(root: string, path: string): boolean {
  const folders = path.split('/').slice(0, -1)
  for (let depth = 2; depth <= folders.length; depth++) {
    if (!lstatSync(join(root, ...folders.slice(0, depth))).isDirectory()) return true
  }
  return false
}

function hashOf(bytes: Uint8Array): string {
  return crypto().hash('sha256', bytes, 'base64url')
}

/** Stands for "any Ticket" among the mentions of a file whose text could not be read at all. */
export const ANY_TICKET = '*'

/** Tickets with which the text of an unreadable file may be in conflict: every target in a text that speaks of conflicts. */
function conflictMentions(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/\\u00([0-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  if (!text.includes('conflicts_with')) return []
  const targets = [...text.matchAll(/"target"\s*:\s*"([A-Za-z0-9._-]{1,64})"/g)].map(match => match[1]!)
  return [...new Set(targets)].sort()
}

/** Throws what a quarantined file deserves when a command needs it. */
export function refuseFile(file: QuarantinedFile): never {
  const place = file.place ? `:${file.place.line}:${file.place.column}` : ''
  const advice = file.code === 'conflict_markers' ? '' : ': mend it by hand, or bring back an earlier version from git'
  throw new PlanError('invalid_file', `${file.path}${place}: ${file.message}; the file is left as it is${advice}`, {
    path: file.path,
    refusal: file.code,
    place: file.place,
  })
}

/**
 * Writes a Ticket's bytes to its path, if the file there is still the one that was read (`expected`, or null for none).
 * Durable when it returns `replaced`; `changed` means that another program was faster, and nothing was written.
 * @throws PlanError io, unsafe_path.
 */
export function writeTicketFile(
  repository: Repository,
  path: string,
  bytes: Uint8Array,
  expected: ReadTicket | null,
): 'replaced' | 'changed' {
  const absolute = join(repository.root, path)
  checkFolder(repository, dirname(absolute))
  const stillExpected = () => {
    const now = lstatSync(absolute, { throwIfNoEntry: false })
    if (!expected || !now) return !expected && !now
    if (!now.isFile()) return false
    const same = sameStat(fileStat(now), expected.stat)
    return same && hashOf(readFileSync(absolute)) === expected.hash
  }
  const mode = expected && existsSync(absolute) ? lstatSync(absolute).mode : undefined
  return writeFileAtomically(absolute, bytes, { create: expected === null, mode, stillExpected })
}

/** True where the stat data tell no difference. */
export function sameStat(a: FileStat, b: FileStat): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.inode === b.inode
}

function checkFolder(repository: Repository, folder: string): void {
  let real: string
  try {
    real = realpathSync(folder)
  } catch (error) {
    throw ioError(error, folder)
  }
  const expected = join(realpathSync(repository.root), relative(repository.root, folder))
  if (real === expected) return
  throw new PlanError('unsafe_path', `${folder} leads through a link to ${real}: nothing is written there`, {
    path: folder,
  })
}

/** Another text after every change of the file or folder that the stat data are of; empty where there is none. */
export function stampOf(stat: Stats | undefined): string {
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}` : ''
}
