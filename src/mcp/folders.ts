/**
 * Opens the plan of the worktree that a call names.
 *
 * Invariants: only worktrees of the server's own repository are opened, with links resolved, so a client cannot reach another
 * repository. A bounded number of plans is open; the least recently used is closed first. Of a worktree that was removed, or
 * made again at the same place, no stale plan is used.
 */
import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { findRepository, type Repository } from '../files/repository.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import { worktreeRoots } from '../store/worktrees.ts'

/** How many plans are open at once, beside the server's own. */
export const MOST_OPEN = 4

/** How many worktrees an error names. */
const MOST_NAMED = 10

export interface Folders {
  /** The plan of the server's own checkout. */
  readonly own: Store
  /** Returns the plan of the worktree around a folder; without one, the server's own. @throws PlanError invalid_input. */
  planOf(folder: string | undefined): Store
  /** Runs work over the plan that `planOf` returns; the plan stays open until the work has ended. @throws PlanError invalid_input. */
  use<T>(folder: string | undefined, work: (plan: Store) => Promise<T>): Promise<T>
  /** The roots of the other worktrees whose plans are open, the least recently used first. */
  openRoots(): string[]
  /** Ends the work that runs, and closes all plans. */
  close(): Promise<void>
}

/** Returns the plans of a repository's worktrees. `open` opens the plan of a checkout, given by its root. */
export function folders(own: Store, open: (root: string) => Store): Folders {
  const plans = new Map<string, { root: string; store: Store }>()
  const usesOf = new Map<Store, number>()
  const running = new Set<Promise<unknown>>()
  const closePlan = async (plan: Store) => {
    plan.close()
    await plan.fleet?.close()
  }
  const drop = (key: string) => {
    const plan = plans.get(key)?.store
    plans.delete(key)
    return plan && closePlan(plan)
  }
  const dropUnused = () => {
    const unused = [...plans].filter(([, { store }]) => !usesOf.has(store)).map(([key]) => key)
    for (const key of unused.slice(0, Math.max(plans.size - MOST_OPEN, 0))) void drop(key)
  }
  const countUse = (store: Store, change: 1 | -1) => {
    const uses = (usesOf.get(store) ?? 0) + change
    if (uses > 0) usesOf.set(store, uses)
    else usesOf.delete(store)
  }
  const self: Folders = {
    own,
    planOf(folder) {
      for (const [key, { root }] of plans) if (checkoutKey(root) !== key) void drop(key)
      if (folder === undefined) return own
      const root = rootOf(own.repository, folder)
      if (root === realpathSync(own.repository.root)) return own
      const key = checkoutKey(root)!
      const plan = plans.get(key) ?? { root, store: open(root) }
      plans.delete(key) // the most recently used one is the last
      plans.set(key, plan)
      countUse(plan.store, 1)
      dropUnused()
      countUse(plan.store, -1)
      return plan.store
    },
    async use(folder, work) {
      const plan = self.planOf(folder)
      countUse(plan, 1)
      const result = work(plan)
      running.add(result)
      try {
        return await result
      } finally {
        running.delete(result)
        countUse(plan, -1)
        dropUnused()
      }
    },
    openRoots: () => [...plans.values()].map(({ root }) => root),
    async close() {
      await Promise.allSettled(running)
      await Promise.all([...plans.keys()].map(drop))
      await closePlan(own)
    },
  }
  return self
}

/** Distinguishes a checkout from a later one at the same place; undefined where there is none. */
function checkoutKey(root: string): string | undefined {
  const stat = statSync(root, { throwIfNoEntry: false, bigint: true })
  return stat && `${stat.dev} ${stat.ino} ${stat.birthtimeNs} ${root}`
}

/** Returns the root of the worktree that a folder is in, links resolved. @throws PlanError invalid_input. */
function rootOf(repository: Repository, folder: string): string {
  const roots = worktreeRoots(repository).map(root => realpathSync(root))
  const found = repositoryAround(resolve(repository.root, folder))
  if (found !== undefined && roots.includes(found)) return found
  const more = roots.length > MOST_NAMED ? ` and ${roots.length - MOST_NAMED} more` : ''
  const message = `folder: ${JSON.stringify(folder.slice(0, 200))} is not in a worktree of this server's repository; name a folder in one of ${roots.slice(0, MOST_NAMED).join(', ')}${more}, or leave folder out`
  throw new PlanError('invalid_input', message, { field: 'folder' })
}

function repositoryAround(folder: string): string | undefined {
  try {
    return realpathSync(findRepository(realpathSync(folder)).root)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (isPlanError(error) || code !== undefined) return undefined // there is no such folder, or no repository around it
    throw error
  }
}
