/**
 * One checkout under its current configuration: places, phases, index, and the write lock.
 *
 * Invariant: a changed configuration is in effect from the next read or lock on, and never changes while the lock is held.
 */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalDatabase } from '../database/local-database.ts'
import { statKey } from '../files/file-system.ts'
import { CONFIG_FILE, checkTicketsDir, findRepository, type Repository } from '../files/repository.ts'
import { type States, statesOf } from '../model/states.ts'
import { type TicketIndex, ticketIndex } from '../ticket-index/ticket-index.ts'
import { findOtherPlan } from './worktrees.ts'

export interface Checkout {
  readonly repository: Repository
  readonly index: TicketIndex
  /** True while this process holds the write lock through `locked`. */
  readonly isLocked: boolean
  /** The meaning of states under the configuration. */
  readonly states: States
  /** Reads the configuration again if its file has changed. @throws PlanError bad_config, io. */
  refresh(): void
  /** Fails unless the tickets folder exists here or in git's index. @throws PlanError not_initialized, unsafe_path, io. */
  check(): void
  /** Refreshes, and checks. @throws PlanError bad_config, not_initialized, unsafe_path, io. */
  refreshAndCheck(): void
  /** Runs the action while no other process of this clone writes. @throws PlanError busy, and those of `refreshAndCheck`. */
  locked<T>(action: () => T): T
  /** Fails where the lock that this process holds is no longer the clone's. @throws PlanError io. */
  checkLock(): void
  close(): void
}

/** Returns the checkout of a repository whose configuration has just been read. Databases are opened when first needed. */
export function openCheckout(
  found: Repository,
  local: LocalDatabase,
  timeoutMs: number,
  notify: (message: string) => void,
): Checkout {
  const configPath = join(found.root, CONFIG_FILE)
  const configKey = () => statKey(lstatSync(configPath, { throwIfNoEntry: false }))
  let knownKey = configKey()
  let current = configured(found, local, timeoutMs, notify)
  let isLocked = false

  const refresh = () => {
    if (isLocked) return
    const key = configKey()
    if (key === knownKey) return
    const repository = findRepository(current.repository.root)
    knownKey = key
    current.index.close()
    current = configured(repository, local, timeoutMs, notify)
  }
  const check = () => {
    const { repository, index } = current
    checkTicketsDir(repository, index.hasLeftOut, () => findOtherPlan(repository))
  }
  const refreshAndCheck = () => {
    refresh()
    check()
  }
  return {
    get repository() {
      return current.repository
    },
    get index() {
      return current.index
    },
    get isLocked() {
      return isLocked
    },
    get states() {
      return current.states
    },
    refresh,
    check,
    refreshAndCheck,
    locked(action) {
      if (isLocked) return action()
      refreshAndCheck() // so that nothing is created where nothing is set up
      return local.locked(() => {
        refreshAndCheck() // the configuration may have changed during the wait
        isLocked = true
        try {
          return action()
        } finally {
          isLocked = false
        }
      })
    },
    checkLock: local.checkLock,
    close() {
      current.index.close()
      local.close()
    },
  }
}

/** Returns what follows from the configuration that the repository was read with. */
function configured(
  repository: Repository,
  local: LocalDatabase,
  timeoutMs: number,
  notify: (message: string) => void,
): Pick<Checkout, 'repository' | 'states' | 'index'> {
  const states = statesOf(repository.config.states)
  return { repository, states, index: ticketIndex(repository, states, local, timeoutMs, notify) }
}
