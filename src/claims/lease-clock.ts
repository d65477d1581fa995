/**
 * The time that leases go by.
 *
 * The wall clock can be set; the machine's clock since boot cannot, and all processes share it. Within one boot a lease is
 * measured by that clock alone: a wall clock set forward or back a day changes nothing. After a reboot the wall clock has to
 * help out, bounded by the time since boot. Every use notes the latest times seen, and no reading is earlier than those.
 */
import { readFileSync } from 'node:fs'
import { lazy } from '../model/lazy.ts'

/** One reading of the clocks. */
export interface Moment {
  /** Wall clock, ms since 1970. */
  wallMs: number
  /** Names the boot; readings of different boots cannot be compared. */
  boot: string
  /** Ms since that boot, or of any clock that never runs backwards within it. */
  tick: number
}

export type LeaseClock = () => Moment

/**
 * The machine's clocks. With a wall clock of the caller's own, as tests have it, that is the only clock there is: then it
 * stands for the boot's clock too.
 */
export function leaseClock(now: (() => number) | undefined): LeaseClock {
  if (now) {
    let latest = -Infinity
    return () => {
      latest = Math.max(latest, now())
      return { wallMs: latest, boot: 'given', tick: latest }
    }
  }
  return () => ({ wallMs: Date.now(), boot: bootId(), tick: Number(process.hrtime.bigint() / 1000n) / 1000 })
}

const bootId = lazy(() => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return process.platform // a clock that has run backwards then tells of a reboot
  }
})
