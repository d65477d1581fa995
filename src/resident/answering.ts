/** The work on one request: which program asks, from where, and what the store answers. Runs over rows that are current. */
import { findRepository, type Repository } from '../files/repository.ts'
import { isPlanError } from '../model/errors.ts'
import { openStore, type Store } from '../store/store.ts'
import { claimsRefused } from '../store/store-fleet.ts'
import { type CurrentRows, currentRows } from './current-rows.ts'
import type { ResidentAnswer, ResidentRequest } from './wire.ts'

/** Runs an action over a store whose rows are current; undefined where they cannot be. */
type UseStore = <T>(
  sessionOf: () => string | undefined,
  notify: (message: string) => void,
  action: (store: Store) => T,
) => T | undefined

/** A command whose arguments are understood and whose code is loaded. */
export interface PreparedCommand {
  name: string
  /** Returns the answer; undefined where the command must run by itself. */
  run(use: UseStore): ResidentAnswer | undefined
}

/** Understands the command line of a request; undefined for one that a resident does not answer. */
export type PrepareCommand = (request: ResidentRequest) => Promise<PreparedCommand | undefined>

/** The store of a resident, for the one worktree that it answers for. */
export interface ResidentStore {
  readonly repository: Repository
  /** Returns how a request from a folder uses the store. @throws PlanError where the command would fail there too. */
  usedFrom(folder: string): UseStore
  /** Makes the rows current; false where they cannot be. @throws PlanError of a scan. */
  refresh(): boolean
  countEvent(): void
  close(): void
}

/** Opens the store of a resident. `notify` gets notices outside of an answer. @throws PlanError bad_config, unsafe_path, io. */
export function residentStore(root: string, notify: (message: string) => void): ResidentStore {
  let receive = notify
  const open = (repository: Repository) => {
    const store = openStore({ root: repository.root, onNotice: message => receive(message) })
    return { repository, store, rows: currentRows(store) }
  }
  let opened = open(findRepository(root))
  const close = () => {
    opened.rows.close()
    opened.store.close()
  }
  return {
    get repository() {
      return opened.repository
    },
    usedFrom: folder => (sessionOf, receiver, action) => {
      const session = sessionOf()
      const found = findRepository(folder)
      if (found.root !== opened.repository.root || found.gitDir !== opened.repository.gitDir) return undefined
      // In a fleet a server has the claims: a command asks it by itself.
      if (claimsRefused(found)) return undefined
      receive = receiver
      try {
        if (JSON.stringify(found) !== JSON.stringify(opened.repository)) {
          close()
          opened = open(found)
        }
        const { store, rows } = opened
        if (!isCurrent(rows)) return undefined
        const asked: Store = Object.create(store, { session: { value: session } })
        return store.overCurrentRows(() => action(asked))
      } finally {
        receive = notify
      }
    },
    refresh: () => opened.rows.refresh(),
    countEvent: () => opened.rows.countEvent(),
    close,
  }
}

/** False also where a scan fails: the command that asks says why. */
function isCurrent(rows: CurrentRows): boolean {
  try {
    return rows.refresh()
  } catch (error) {
    if (!isPlanError(error)) throw error
    return false
  }
}
