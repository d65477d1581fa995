/**
 * What a command and a resident say to each other, and the limits of both.
 *
 * A connection carries one request, one line of JSON, and one answer: STARTED as soon as the resident works on it, then the
 * answer as JSON, then the end. An end without an answer means: run the command yourself. Imports little: every start of a
 * command loads it.
 */
import { statSync } from 'node:fs'

/** What a stream of the asker leads to. */
interface AskedTerminal {
  isTerminal: boolean
  /** Columns. */
  width?: number | undefined
  hasColours: boolean
}

/** One command of the command line, with all that its answer depends on beside the checkout. */
export interface ResidentRequest {
  /** The program that asks; see `programIdentity`. */
  identity: string
  words: readonly string[]
  /** The absolute folder in which the command looks for the repository. */
  folder: string
  /** `TICKETPLAN_SESSION` of the asker. */
  session?: string | undefined
  /** Standard output. */
  terminal: AskedTerminal
}

/** What the command would have done. */
export interface ResidentAnswer {
  /** The exit status. */
  status: number
  /** What it would have printed, in order: the descriptor and the text. */
  writes: readonly (readonly [descriptor: 1 | 2, text: string])[]
}

/** Asks whether a resident answers at all. */
export interface ResidentPing {
  ping: true
}

/** The answer to a ping. */
export interface ResidentState {
  pid: number
  /** How many commands it has answered. */
  answered: number
}

/** The first byte of an answer. */
export const STARTED = '.'
export const MAX_REQUEST_BYTES = 64 * 1024
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024
/** How long a command waits for the first byte, and for all of an answer. */
export const WAIT_MS = { started: 100, whole: 2000 } as const

/** Returns what differs between two builds of this program, and between two versions of Node; `dist` is its folder. */
export function programIdentity(dist: string): string {
  const { dev, ino, size, mtimeMs, ctimeMs } = statSync(`${dist}/main.cjs`)
  return [process.version, dev, ino, size, mtimeMs, ctimeMs].join(' ')
}

/** Returns the answer in a text; undefined for anything else, such as half of one. */
export function parseAnswer(text: string): ResidentAnswer | undefined {
  const value = parseObject(text.slice(STARTED.length))
  if (!text.startsWith(STARTED) || !value) return undefined
  const { status, writes } = value
  if (!Number.isInteger(status) || (status as number) < 0 || (status as number) > 255) return undefined
  const isWrite = (write: unknown) =>
    Array.isArray(write) && write.length === 2 && (write[0] === 1 || write[0] === 2) && typeof write[1] === 'string'
  return Array.isArray(writes) && writes.every(isWrite) ? (value as unknown as ResidentAnswer) : undefined
}

/** Returns the request in a text; undefined for anything else. */
export function parseRequest(text: string): ResidentRequest | ResidentPing | undefined {
  const value = parseObject(text)
  if (!value) return undefined
  if (value.ping === true) return { ping: true }
  const { identity, words, folder, session, terminal } = value
  const isText = (text: unknown): text is string => typeof text === 'string'
  const isRequest =
    isText(identity) &&
    Array.isArray(words) &&
    words.every(isText) &&
    isText(folder) &&
    (session === undefined || isText(session)) &&
    isTerminal(terminal)
  return isRequest ? (value as unknown as ResidentRequest) : undefined
}

function isTerminal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { isTerminal, width, hasColours } = value as Record<string, unknown>
  return (
    typeof isTerminal === 'boolean' &&
    typeof hasColours === 'boolean' &&
    (width === undefined || (Number.isInteger(width) && (width as number) > 0))
  )
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
