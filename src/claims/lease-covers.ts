/**
 * What a clone notes about the leases that a server keeps: until when they count as live without an answer, and the highest token.
 *
 * A cover begins when the request was sent, which is before the server began the lease: it ends no later than the lease. It goes
 * by this machine's clocks alone, so that no clock of another machine matters.
 */
import { dirname } from 'node:path'
import { readFencingMark, writeFencingMark } from '../database/fencing-mark.ts'
import type { LocalDatabase } from '../database/local-database.ts'
import { statementsOf } from '../database/statements.ts'
import { isBeforeExpiry, type LeaseClock, type LeaseTimes, leaseTimes, type Moment } from './lease-clock.ts'

export interface LeaseCovers {
  /** Returns the highest token that this clone has noted; 0 where there is none. */
  highestToken(): number
  /** Notes a token. @throws PlanError busy, io. */
  noteToken(token: number): void
  /** Notes a lease that the server has confirmed, with when the request was sent. @throws PlanError busy, database, io. */
  note(ticket: string, token: number, ttlMs: number, sent: Moment): void
  /**
   * Finds until when a lease counts as live, and whether that is over by this machine's clocks; undefined where nothing is noted.
   * @throws PlanError busy, database, io.
   */
  find(ticket: string, token: number): { until: string; isOver: boolean } | undefined
}

/** Returns the notes of a clone. */
export function leaseCovers(local: LocalDatabase, clock: LeaseClock): LeaseCovers {
  const folder = dirname(local.path)
  const highestToken = () => readFencingMark(folder)
  return {
    highestToken,
    noteToken(token) {
      local.locked(() => {
        if (highestToken() < token) writeFencingMark(folder, token)
      })
    },
    note(ticket, token, ttlMs, sent) {
      const { renewed_at, expires_at, boot, expires_tick } = leaseTimes(ttlMs, sent)
      local.write(connection => {
        statementsOf(connection)('insert or replace into covers values (?, ?, ?, ?, ?, ?, ?)').run(
          ...[ticket, token, renewed_at, expires_at, boot, expires_tick, ttlMs],
        )
      })
    },
    find: (ticket, token) =>
      local.read(connection => {
        if (!connection) return undefined
        const cover = statementsOf(connection)<[string, number], LeaseTimes>(
          'select renewed_at, expires_at, boot, expires_tick, ttl_ms from covers where ticket_id = ? and token = ?',
        ).get(ticket, token)
        return cover && { until: cover.expires_at, isOver: !isBeforeExpiry(cover, clock()) }
      }),
  }
}
