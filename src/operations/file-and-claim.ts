/**
 * One step over a Ticket file and a claim: the file is written first, the claim is committed after it.
 *
 * Invariant: a crash leaves both changes, or neither, or the file's alone; never the claim's alone. Where the commit fails, the
 * change of the file is taken back.
 */
import type { SeenState } from '../claims/claims.ts'
import { type Stamp, setFields } from '../model/change.ts'
import { PlanError } from '../model/errors.ts'
import { didYouMean } from '../model/nearest-names.ts'
import type { Phase } from '../model/states.ts'
import type { Ticket } from '../model/ticket.ts'
import type { Store } from '../store/store.ts'

/** Takes a change of a Ticket back, from the Ticket as it is then. */
type Undo = (ticket: Ticket) => Ticket

/** Called once a file is written, with how to take that back. */
export type OnWritten = (path: string, undo: Undo) => void

/** What a step wrote to a file. */
interface WrittenFile {
  path: string
  undo: Undo
}

function takeBack(store: Store, { path, undo }: WrittenFile): void {
  store.locked(() => store.edit(path, ticket => ({ ticket: undo(ticket) })))
}

/** Runs the step under the write lock; takes back what it wrote to a file where the claim cannot be committed. */
export function fileAndClaim<T>(store: Store, step: (written: OnWritten) => T): T {
  let written: WrittenFile | undefined
  try {
    return store.locked(() =>
      step((path, undo) => {
        written = { path, undo }
      }),
    )
  } catch (error) {
    if (written) takeBack(store, written)
    throw error
  }
}

/** Runs the step under the write lock. Returns its result, and what takes back its write to a file. */
export function takeBackable<T>(store: Store, step: (written: OnWritten) => T): { result: T; takeBack: () => void } {
  let change: WrittenFile | undefined
  const result = fileAndClaim(store, written =>
    step((path, undo) => {
      change = { path, undo }
      written(path, undo)
    }),
  )
  return {
    result,
    takeBack: () => {
      if (change) takeBack(store, change)
    },
  }
}

/** Returns the Ticket in another state; the same object without a state, or where it has that state. */
export function inState(
  ticket: Ticket,
  state: string | undefined,
  stamp: Stamp,
  phaseOf: (state: string) => Phase,
): Ticket {
  return state === undefined ? ticket : setFields(ticket, { state }, stamp, phaseOf)
}

/** Sets the state of a Ticket that has a file. Returns the state as written. */
export function writeState(store: Store, id: string, state: string, written: OnWritten): SeenState {
  const file = store.getFile(id)
  const stamp = store.stamp()
  const change = (before: Ticket) => ({ before, ticket: inState(before, state, stamp, store.phaseOf) })
  const { before, ticket } = store.edit(file.path, change, file)
  written(file.path, now => withStateOf(before, ticket, now))
  return { state: ticket.state, state_at: ticket.state_at ?? null }
}

/** Returns the Ticket with the state of `before`, unless somebody has changed the state since `after`. */
export function withStateOf(before: Ticket, after: Ticket, ticket: Ticket): Ticket {
  const isOurs = ticket.state === after.state && ticket.state_at === after.state_at
  if (!isOurs || after.state === before.state) return ticket
  const next = { ...ticket, state: before.state }
  for (const key of ['state_at', 'queued_at', 'queued_by'] as const) {
    if (before[key] === undefined) delete next[key]
    else next[key] = before[key]
  }
  return next
}

/** Checks a state to accept a Ticket with. @throws PlanError invalid_input where it is not an active one. */
export function checkActiveState({ states }: Store, state: string | undefined): void {
  if (state === undefined || states.phaseOf(state) === 'active') return
  const active = states.lists.active.join(', ')
  const hint = states.isKnown(state)
    ? `which is ${states.phaseOf(state)}`
    : `which no list has${didYouMean(states.nearest(state))}`
  const message = `accept: the state must be an active one (${active}), not "${state}", ${hint}`
  throw new PlanError('invalid_input', message, { field: 'state' })
}
