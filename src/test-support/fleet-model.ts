/** A plain model of the claims of a fleet: what each call must answer, over values in memory. */

const MINUTE = 60_000

/** What a step of the test does. */
export type FleetStep =
  | {
      do: 'acquire'
      ticket: string
      holder: string
      session: string | null
      machine: string
      presents: 'nothing' | 'token' | 'other'
      isFresh: boolean
      /** The Tickets whose leases the caller took for expired. */
      expired: string[]
      asked: string[] | null
      askedPools: string[]
      pool: string | null
      conflicts: string[] | null
      area: string | null
      floor: number
    }
  | { do: 'renew'; ticket: string; isOwn: boolean; ttlMs: number | null }
  | { do: 'release'; ticket: string; by: 'token' | 'other' | 'force'; state: string | null }
  | { do: 'pass'; ms: number }

export interface ModelLease {
  ticket: string
  holder: string
  session: string | null
  machine: string
  token: number
  pool: string | null
  conflicts: string[]
  area: string | null
  taken: number
  expiresAt: number
  ttlMs: number
  ended: null | 'released' | 'forced' | 'lapsed'
}

/** The claims, and how they change. */
export interface FleetModel {
  nowMs: number
  changes: number
  token: number
  leases: Map<string, ModelLease>
  releases: Map<string, string>
}

/** Returns the model of an empty fleet. */
export function newFleetModel(nowMs: number): FleetModel {
  return { nowMs, changes: 0, token: 0, leases: new Map(), releases: new Map() }
}

/** Ends what has expired, as every call that changes claims does first. */
export function lapse(model: FleetModel): void {
  for (const lease of model.leases.values())
    if (lease.ended === null && lease.expiresAt <= model.nowMs) lease.ended = 'lapsed'
}

/** Returns the status that `acquire` must have, and makes the change. */
export function acquireInModel(
  model: FleetModel,
  step: Extract<FleetStep, { do: 'acquire' }>,
  changes: number,
  presented: number | undefined,
): 'acquired' | 'renewed' | 'held' | 'changed' {
  lapse(model)
  const { ticket, holder, session, machine } = step
  const last = model.leases.get(ticket)
  const live = last?.ended === null ? last : undefined
  const isSameHolder = live?.holder === holder && live.session === session && live.machine === machine
  const isOwn = live !== undefined && (presented === undefined ? isSameHolder : presented === live.token)
  if (live && !isOwn) return 'held'
  const pool = step.pool ?? (isOwn ? live!.pool : null)
  const conflicts = step.conflicts ?? (isOwn ? live!.conflicts : [])
  const area = step.area ?? (isOwn ? live!.area : null)
  const taken = [...model.leases.values()].filter(
    other =>
      other.ended === null && other.ticket !== ticket && (other.taken > changes || step.expired.includes(other.ticket)),
  )
  const isInTheWay = (other: ModelLease) =>
    step.asked === null ||
    step.asked.includes(other.ticket) ||
    (other.pool !== null && step.askedPools.includes(other.pool)) ||
    other.conflicts.includes(ticket) ||
    other.area !== null
  const keepsPlace = isOwn && live!.pool === pool
  const wasTaken = !isOwn && last !== undefined && last.taken > changes
  if (!keepsPlace && (wasTaken || taken.some(isInTheWay))) return 'changed'
  const isSame = keepsPlace && live!.area === area && live!.conflicts.join() === conflicts.join()
  if (!isSame) model.changes++
  if (!isOwn) model.token = Math.max(model.token, step.floor, Math.floor(model.nowMs / 1000)) + 1
  model.leases.set(ticket, {
    ticket,
    holder,
    session,
    machine,
    token: isOwn ? live!.token : model.token,
    pool,
    conflicts,
    area,
    taken: isSame ? live!.taken : model.changes,
    expiresAt: model.nowMs + MINUTE,
    ttlMs: MINUTE,
    ended: null,
  })
  return isOwn ? 'renewed' : 'acquired'
}

/** Returns the status that `renew` must have, and makes the change. */
export function renewInModel(model: FleetModel, ticket: string, token: number, ttlMs: number | null): string {
  lapse(model)
  const lease = model.leases.get(ticket)
  if (lease?.ended !== null || lease.token !== token) return 'stale_token'
  lease.ttlMs = ttlMs ?? lease.ttlMs
  lease.expiresAt = model.nowMs + lease.ttlMs
  return 'kept'
}

/** Returns the status that `release` must have, and makes the change; without a token by force. */
export function releaseInModel(model: FleetModel, ticket: string, token: number | null, state: string | null): string {
  lapse(model)
  const lease = model.leases.get(ticket)
  if (lease?.ended === 'released' && lease.token === token) return 'kept'
  const isAllowed =
    token === null ? lease?.ended === null || lease?.ended === 'lapsed' : lease?.ended === null && lease.token === token
  if (!lease || !isAllowed) return 'stale_token'
  lease.ended = token === null ? 'forced' : 'released'
  model.changes++
  lease.taken = model.changes
  if (state !== null) model.releases.set(ticket, state)
  return 'kept'
}
