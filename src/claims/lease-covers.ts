/**
 * What a clone notes about the leases that a server keeps: until when they count as live without an answer, and the highest token.
 *
 * A cover begins when the request was sent, which is before the server began the lease: it ends no later than the lease. It goes
 * by this machine's clocks alone, so that no clock of another machine matters. The covers are in one file, which is replaced
 * without fsync: after a power cut that loses it, a renewal without an answer does not say until when the lease may be live.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readFencingMark, writeFencingMark } from '../database/fencing-mark.ts'
import type { LocalDatabase } from '../database/local-database.ts'
import { replaceFile } from '../files/atomic-write.ts'
import { ioError } from '../files/io-error.ts'
import { checkStateFiles } from '../files/state-folder.ts'
import { isBeforeExpiry, type LeaseClock, type LeaseTimes, leaseTimes, type Moment } from './lease-clock.ts'

/** The file beside local.db: pairs of a Ticket and its cover, the last noted one last. */
const NAME = 'fleet-covers.json'
/** How many covers are kept. */
const MOST_COVERS = 1000

type Cover = LeaseTimes & { token: number }

export interface LeaseCovers {
  /** Returns the highest token that this clone has noted; 0 where there is none. */
  highestToken(): number
  /** Notes a token. @throws PlanError busy, io. */
  noteToken(token: number): void
  /** Notes a lease that the server has confirmed, with when the request was sent. @throws PlanError busy, unsafe_path, io. */
  note(ticket: string, token: number, ttlMs: number, sent: Moment): void
  /**
   * Finds until when a lease counts as live, and whether that is over by this machine's clocks; undefined where nothing is noted.
   * @throws PlanError unsafe_path.
   */
  find(ticket: string, token: number): { until: string; isOver: boolean } | undefined
}

/** Returns the notes of a clone. */
export function leaseCovers(local: LocalDatabase, clock: LeaseClock): LeaseCovers {
  const folder = dirname(local.path)
  const path = join(folder, NAME)
  const highestToken = () => readFencingMark(folder)
  return {
    highestToken,
    noteToken(token) {
      local.locked(() => {
        if (highestToken() < token) writeFencingMark(folder, token)
      })
    },
    note(ticket, token, ttlMs, sent) {
      local.locked(() => {
        const covers = readCovers(path)
        covers.delete(ticket)
        covers.set(ticket, { token, ...leaseTimes(ttlMs, sent) })
        writeCovers(path, [...covers].slice(-MOST_COVERS))
      })
    },
    find(ticket, token) {
      const cover = readCovers(path).get(ticket)
      if (cover?.token !== token) return undefined
      return { until: cover.expires_at, isOver: !isBeforeExpiry(cover, clock()) }
    },
  }
}

function readCovers(path: string): Map<string, Cover> {
  checkStateFiles([path])
  try {
    return new Map(JSON.parse(readFileSync(path, 'utf8')) as [string, Cover][])
  } catch {
    return new Map() // none yet, or lost in a power cut
  }
}

function writeCovers(path: string, covers: [string, Cover][]): void {
  try {
    replaceFile(path, JSON.stringify(covers))
  } catch (error) {
    throw ioError(error, path)
  }
}
