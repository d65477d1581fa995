/** Moves the claims of one local.db into another: where a folder becomes a git repository, its claims go into git's folder. */
import type { Connection } from '../database/open.ts'
import { copyLog, findLease, findMarks, listLeases, putLease, writeMarks } from './lease-rows.ts'

/**
 * Copies leases, log and marks, within the transactions of the caller; a second time changes nothing. Of two leases on one Ticket
 * the one with the greater token stays. Returns the number of leases that were copied, and the highest token of both.
 */
export function copyLeases(from: Connection, to: Connection): { copied: number; token: number } {
  let copied = 0
  for (const lease of listLeases(from)) {
    if ((findLease(to, lease.ticket_id)?.token ?? 0) >= lease.token) continue
    putLease(to, lease)
    copied++
  }
  copyLog(from, to)
  const [earlier, later] = [findMarks(from), findMarks(to)]
  const token = Math.max(earlier?.token ?? 0, later?.token ?? 0)
  const marks = later ?? earlier
  if (marks) writeMarks(to, { ...marks, token })
  return { copied, token }
}
