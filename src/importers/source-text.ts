/**
 * Reads the text of a source: files or standard input, with or without a byte order mark, in lines of any ending.
 *
 * A text with conflict markers is refused with its line before anything is written: neither side of it is what the source says.
 */
import { isUtf8 } from 'node:buffer'
import { readFileSync, statSync } from 'node:fs'
import { ioError } from '../files/io-error.ts'
import { pause } from '../files/pause.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { isTimestamp, parseMoment } from '../model/text.ts'

const BOM = '\ufeff'
const MARKER = /^(?:<{7}|\|{7}|={7}|>{7})(?: |\r?$)/
const DESCRIPTOR = /^\/dev\/fd\/(\d+)$/

/** Returns the open file that a path names: 0 for `-` and `/dev/stdin`; undefined for an ordinary path. */
export function descriptorOf(path: string): number | undefined {
  if (path === '-' || path === '/dev/stdin') return 0
  const number = DESCRIPTOR.exec(path)?.[1]
  return number === undefined ? undefined : Number(number)
}

/** Reads a file, or standard input for `-`. @throws PlanError import_source where it cannot be read. */
export function readSource(path: string): Buffer {
  const descriptor = descriptorOf(path)
  try {
    if (descriptor !== undefined) return readDescriptor(descriptor)
    if (statSync(path).isFile()) return readFileSync(path)
  } catch (error) {
    const known = ioError(error, path) // names the path
    const message = isPlanError(known) ? known.message : `${path}: ${(error as Error).message}`
    throw new PlanError('import_source', message, { path, place: null }, error)
  }
  return refuseSource(path, `${path} is not a file; name the file with the records, for example .beads/issues.jsonl`)
}

function readDescriptor(descriptor: number): Buffer {
  for (;;) {
    try {
      return readFileSync(descriptor)
    } catch (error) {
      // A program may have left the pipe in non-blocking mode. Nothing has been read then.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      pause(20)
    }
  }
}

/** Yields the lines that are not empty, each with its number; a line that is not UTF-8 has no text. */
export function* sourceLines(bytes: Buffer, path: string): Generator<{ number: number; text: string | undefined }> {
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const newline = bytes.indexOf(10, start)
    const end = newline === -1 ? bytes.length : newline
    const line = bytes.subarray(start, end)
    const text = isUtf8(line) ? withoutBom(line.toString('utf8')) : undefined
    if (text !== undefined && MARKER.test(text)) refuseMarkers(path, number)
    if (text === undefined || text.trim()) yield { number, text }
    start = end + 1
  }
}

/** Returns the text without a byte order mark. */
export function withoutBom(text: string): string {
  return text.startsWith(BOM) ? text.slice(1) : text
}

/** @throws PlanError import_source where a line of the text is a conflict marker. */
export function checkMarkers(text: string, path: string): void {
  const line = text.split('\n').findIndex(line => MARKER.test(line))
  if (line !== -1) refuseMarkers(path, line + 1)
}

function refuseMarkers(path: string, line: number): never {
  const message = `${path}:${line}: conflict markers; resolve the conflict in the source, then import it. Nothing was written`
  throw new PlanError('import_source', message, { path, place: { line, column: 1 } })
}

/** Refuses a source as a whole: nothing of it is imported. @throws PlanError import_source. */
export function refuseSource(path: string, message: string): never {
  throw new PlanError('import_source', message, { path, place: null })
}

const LINE_BREAKS = /\s*[\t-\r\u0085\u2028\u2029]\s*/g
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g

/** Returns a text as one line without control characters. */
export function oneLineOf(text: string): string {
  return text.replace(LINE_BREAKS, ' ').replace(CONTROLS, '').trim()
}

/** Converts a time with a time zone to the form of Ticket files; undefined for anything else. */
export function timeOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(?:Z|[+-]\d\d:?\d\d)$/.test(value)) return undefined
  const time = new Date(value)
  // JavaScript reads 30 February as 2 March.
  if (Number.isNaN(time.getTime()) || !isTimestamp(`${value.slice(0, 10)}T00:00:00.000Z`)) return undefined
  const iso = time.toISOString()
  return isTimestamp(iso) ? iso : undefined
}

/** Converts a date, or a time with or without a zone, to the form of Ticket files; without a zone it is UTC. */
export function momentOf(value: unknown): string | undefined {
  return typeof value === 'string' ? (timeOf(value) ?? parseMoment(value) ?? parseMoment(`${value}Z`)) : undefined
}
