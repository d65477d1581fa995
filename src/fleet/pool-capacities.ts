/** Compares the capacities of pools that clones are configured with: the asker's counts, so a difference matters. */
import type { FleetMachine } from './server-claims.ts'

/** A pool with the capacities that clones have for it; null where a clone has none, and so no limit. */
export interface PoolCapacities {
  pool: string
  capacities: { capacity: number | null; machines: string[] }[]
}

/** Lists the pools whose capacity is not the same in all clones, with the clones of each capacity. */
export function differingCapacities(machines: readonly FleetMachine[]): PoolCapacities[] {
  const pools = [...new Set(machines.flatMap(({ pools }) => Object.keys(pools)))].sort()
  return pools.flatMap(pool => {
    const groups = Map.groupBy(machines, ({ pools }) => (Object.hasOwn(pools, pool) ? pools[pool]! : null))
    if (groups.size < 2) return []
    const capacities = [...groups].map(([capacity, group]) => ({
      capacity,
      machines: group.map(({ machine }) => machine),
    }))
    return [{ pool, capacities }]
  })
}
