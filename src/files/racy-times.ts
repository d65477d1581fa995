/**
 * The age up to which the times of a file do not show every change.
 *
 * Equal stat data at two moments mean the same content, except for very young ("racy") files: a second change within one tick
 * of the clock leaves the times as they are.
 */

/** Up to this age, in ms, a file is racy. File systems have clocks in ticks, or in full seconds. */
const RACY_MS = { ticks: 50, seconds: 2100 }

/** True where a later change may leave the times as they are. */
export function isRacy(mtimeMs: number, ctimeMs: number, nowMs: number): boolean {
  const latest = Math.max(mtimeMs, ctimeMs)
  return latest + (latest % 1000 === 0 ? RACY_MS.seconds : RACY_MS.ticks) >= nowMs
}
