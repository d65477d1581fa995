/** Pools as callers name them, against those that ticketplan.json limits. */
import { PlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'

/** @throws PlanError unknown_pool where pools are configured and this is none of them. */
export function checkPool(store: Store, pool: string | undefined): void {
  const { pools } = store.repository.config
  if (pool === undefined || Object.hasOwn(pools, pool) || Object.keys(pools).length === 0) return
  const known = Object.keys(pools).sort()
  throw new PlanError('unknown_pool', `no pool "${pool}" in ticketplan.json; the pools are ${known.join(', ')}`, {
    pool,
    pools: known,
  })
}

/** A warning for a pool that the configuration does not limit. */
export function poolWarnings(store: Store, pool: string | undefined): string[] {
  const { pools } = store.repository.config
  if (pool === undefined || Object.hasOwn(pools, pool)) return []
  const known = Object.keys(pools).sort().join(', ') || 'none'
  return [`no pool "${pool}" is configured in ticketplan.json (pools: ${known}), so its capacity has no limit`]
}
