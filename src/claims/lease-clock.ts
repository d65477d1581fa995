/**
 * The time of leases: two clocks, and the rules by which a lease expires.
 *
 * The wall clock can be set; the machine's clock since boot cannot, and all processes share it. Within one boot a lease goes by
 * that clock alone: a wall clock that is set a day forward or back changes nothing. A lease of another boot goes by the wall
 * clock alone: after a reboot, and where another kernel wrote it (a container, a virtual machine, a shared disk), the two clocks
 * since boot have nothing in common.
 */
import { readFileSync } from 'node:fs'
import { lazy } from '../model/lazy.ts'
import { isoTime } from '../model/text.ts'

/** One reading of the clocks. */
export interface Moment {
  /** The wall clock, in ms since 1970. */
  wallMs: number
  /** Identifies the boot. Readings of different boots cannot be compared. */
  boot: string
  /** Ms since that boot, or of any clock that never goes backwards within it. */
  tick: number
}

export type LeaseClock = () => Moment

/** When a lease was last renewed and when it expires, by both clocks. */
export interface LeaseTimes {
  renewed_at: string
  /** By the wall clock. */
  expires_at: string
  boot: string
  /** By the clock of that boot. */
  expires_tick: number
  ttl_ms: number
}

/** The boot of a caller's own clock, which is a wall clock only. */
const CALLERS_CLOCK = 'given'
/** A boot without an id. It is equal to no boot, not even to itself. */
const UNKNOWN_BOOT = ''
const BOOT_ID = /^[0-9a-f-]{36}$/

/** Returns the machine's clocks. A wall clock of the caller's own, as in tests, is used for both clocks. */
export function leaseClock(now: (() => number) | undefined): LeaseClock {
  if (now) {
    let latest = -Infinity
    return () => {
      latest = Math.max(latest, now())
      return { wallMs: latest, boot: CALLERS_CLOCK, tick: latest }
    }
  }
  return () => ({ wallMs: Date.now(), boot: bootId(), tick: Number(process.hrtime.bigint() / 1000n) / 1000 })
}

const bootId = lazy(() => {
  // Elsewhere only a clock that has gone backwards shows a reboot; the name keeps two machines apart.
  if (process.platform !== 'linux') return `${process.platform} ${process.getBuiltinModule('node:os').hostname()}`
  try {
    const id = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return BOOT_ID.test(id) ? id : UNKNOWN_BOOT
  } catch {
    return UNKNOWN_BOOT // a sandbox can hide it
  }
})

/** Returns the times of a lease that is taken or renewed at the moment. */
export function leaseTimes(ttlMs: number, { wallMs, boot, tick }: Moment): LeaseTimes {
  return {
    renewed_at: isoTime(wallMs),
    expires_at: isoTime(wallMs + ttlMs),
    boot,
    expires_tick: tick + ttlMs,
    ttl_ms: ttlMs,
  }
}

/** True before the lease expires: by the clock since boot where its boot is this one, else by the wall clock. */
export function isBeforeExpiry(lease: LeaseTimes, moment: Moment): boolean {
  const isSameBoot = lease.boot === moment.boot && lease.boot !== UNKNOWN_BOOT
  // A clock that is earlier than at the last renewal is that of another boot with the same name.
  if (isSameBoot && moment.tick >= lease.expires_tick - lease.ttl_ms) return moment.tick < lease.expires_tick
  return moment.wallMs < Date.parse(lease.expires_at)
}

/** True for a moment of a caller's own clock, which can go backwards. */
export function isCallersMoment({ boot }: Moment): boolean {
  return boot === CALLERS_CLOCK
}

/**
 * Returns the moment, but for a caller's own clock never one before the latest that was seen. A machine's clock of one boot
 * cannot go backwards.
 */
export function notBefore(moment: Moment, latest: Moment | undefined): Moment {
  if (!latest || !isCallersMoment(moment)) return moment
  const tick = latest.boot === CALLERS_CLOCK ? Math.max(moment.tick, latest.tick) : moment.tick
  return { ...moment, tick, wallMs: Math.max(moment.wallMs, latest.wallMs) }
}
