/**
 * Asks the resident of a worktree to answer a reading command, in place of loading the program.
 *
 * The resident is an accelerator and never an authority: whatever keeps it from answering, the command runs the ordinary way.
 */
import { writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { exchange } from '../resident/ask.ts'
import { CAN_RESIDE, findPlace, OFF_VARIABLE } from '../resident/place.ts'
import {
  MAX_REQUEST_BYTES,
  parseAnswer,
  programIdentity,
  type ResidentAnswer,
  type ResidentRequest,
} from '../resident/wire.ts'
import { splitWords } from './command-words.ts'
import { isReading } from './reading-commands.ts'
import { terminalOf } from './terminal-of.ts'

/** Returns the answer of the resident; undefined where there is none, or none in time. `dist` is the folder of this program. */
export async function askResident(words: readonly string[], dist: string): Promise<ResidentAnswer | undefined> {
  if (!CAN_RESIDE || process.env[OFF_VARIABLE]) return undefined
  const line = splitWords(words)
  if ('withoutValue' in line || !isReading(line)) return undefined
  try {
    const folder = resolve(line.global.folder ?? '.')
    const place = findPlace(folder)
    if (!place) return undefined
    const request: ResidentRequest = {
      identity: programIdentity(dist),
      words,
      folder,
      session: process.env.TICKETPLAN_SESSION,
      terminal: line.global.json ? { isTerminal: false, hasColours: false } : terminalOf(1),
    }
    const text = `${JSON.stringify(request)}\n`
    if (Buffer.byteLength(text) > MAX_REQUEST_BYTES) return undefined
    return parseAnswer((await exchange(place, text)) ?? '')
  } catch {
    return undefined // the ordinary way finds what is wrong, and says it
  }
}

/** What is left of an answer. */
export interface UnprintedAnswer {
  status: number
  writes: [descriptor: 1 | 2, bytes: Buffer][]
}

/** Prints an answer. Returns what could not be printed in one go; undefined where all is printed. */
export function printAnswer({ status, writes }: ResidentAnswer): UnprintedAnswer | undefined {
  for (const [at, [descriptor, text]] of writes.entries()) {
    const bytes = Buffer.from(text)
    const written = writeSome(descriptor, bytes)
    if (written === bytes.length) continue
    const later = writes.slice(at + 1).map(([descriptor, text]) => [descriptor, Buffer.from(text)] as [1 | 2, Buffer])
    return { status, writes: [[descriptor, bytes.subarray(written)], ...later] }
  }
  return undefined
}

function writeSome(descriptor: 1 | 2, bytes: Buffer): number {
  try {
    return writeSync(descriptor, bytes)
  } catch {
    return 0
  }
}
