/** Checks the pools that callers name against those of ticketplan.json. */

import { alternatives } from '../model/alternatives.ts'
import { PlanError } from '../model/errors.ts'
import { didYouMean, nearestNames } from '../model/nearest-names.ts'
import type { Store } from '../store/store.ts'

/** Checks the name of a pool. @throws PlanError unknown_pool if pools are configured and this is not one of them. */
export function checkPool(store: Store, pool: string | undefined): void {
  const { pools } = store.repository.config
  if (pool === undefined || Object.hasOwn(pools, pool) || Object.keys(pools).length === 0) return
  const known = Object.keys(pools).sort()
  const message = `ticketplan.json has no pool "${pool}"${alternatives(pool, known, 'its pools')}`
  throw new PlanError('unknown_pool', message, { pool, pools: known })
}

/** Returns a warning for a pool that the configuration does not limit. */
export function poolWarnings(store: Store, pool: string | undefined): string[] {
  const { pools } = store.repository.config
  if (pool === undefined || Object.hasOwn(pools, pool)) return []
  const known = Object.keys(pools).sort()
  const hint = didYouMean(nearestNames(pool, known))
  return [
    `ticketplan.json has no pool "${pool}" (its pools: ${known.join(', ') || 'none'}), so the capacity of that pool is not limited${hint}`,
  ]
}
