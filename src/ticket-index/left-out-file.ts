/** A Ticket file that only git's index has: its stat data, and what it is read as. Pure. */
import { dirname } from 'node:path'
import { ANY_TICKET } from '../files/quarantine.ts'
import { type FileStat, readTicket } from '../files/ticket-files.ts'
import type { LeftOutFile } from '../git/left-out-files.ts'
import type { RefusalCode } from '../model/errors.ts'
import { isTicketFileName } from '../model/names.ts'
import { LIMITS } from '../model/text.ts'
import type { IndexedFile } from './indexed-file.ts'
import type { StatData } from './stat-data.ts'

/** True for a file that a scan of the work tree would list: see `listTicketPaths`. */
export function isTicketFile({ path, mode }: LeftOutFile, ticketsDir: string): boolean {
  const names = path.slice(ticketsDir.length + 1).split('/')
  return !names.some(name => name.startsWith('.')) && (isTicketFileName(path) || mode === '120000')
}

/**
 * Returns stat data that differ for each mode and blob, and from those of every file in a work tree: the size is negative.
 * @param objects for a blob that the clone has not fetched, a value that differs once it may have been.
 */
export function leftOutStat({ mode, blob }: LeftOutFile, objects: number | 'fetched' | null = null): StatData {
  const digits = (from: number) => Number.parseInt(blob.slice(from, from + 13), 16) // 52 bits, which a float64 holds
  return {
    size: -Number(mode),
    mtimeMs: digits(0),
    ctimeMs: digits(13),
    // Only a missing blob has a negative number here.
    ino: objects === null ? digits(26) : objects === 'fetched' ? -1 : -2 - objects,
  }
}

/** True for the stat data of a left-out file. */
export function isLeftOutStat({ sizeBytes }: Pick<FileStat, 'sizeBytes'>): boolean {
  return sizeBytes < 0
}

/** Reads a left-out file from the bytes of its blob, undefined where the clone has not fetched them. */
export function readLeftOut(
  { path, mode }: LeftOutFile,
  bytes: Buffer | 'too_large' | undefined,
  { size: sizeBytes, mtimeMs, ctimeMs, ino: inode }: StatData,
): IndexedFile {
  const stat: FileStat = { sizeBytes, mtimeMs, ctimeMs, inode }
  const refused = (code: RefusalCode, message: string): IndexedFile => {
    return { readable: false, path, code, message, place: null, mentions: [ANY_TICKET], hash: '', stat }
  }
  if (mode === '120000') return refused('symbolic_link', 'a symbolic link: links are not followed')
  if (!mode.startsWith('100')) return refused('not_a_regular_file', 'not a regular file')
  if (bytes === 'too_large') return refused('too_large', `larger than ${LIMITS.fileBytes} bytes`)
  if (bytes) return readTicket(path, bytes, stat)
  const message = `the sparse checkout leaves the file out, and this partial clone has not fetched it; run "git sparse-checkout add ${dirname(path)}"`
  return refused('not_fetched', message)
}
