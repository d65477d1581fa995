/** Runs an operation wherever the claims are: in local.db, or on the server of a fleet. */
import type { Store } from '../store/store.ts'
import type { StoreFleet } from '../store/store-fleet.ts'
import type { Fields, InputOf, Operation } from './operation.ts'

/** How often an operation runs whose Tickets were not in the index before. Others may add some each time. */
const MOST_ROUNDS = 3

/**
 * Runs the operation. In a fleet the claims that it needs are read first; where their server cannot be reached they are unknown,
 * which the store's `notify` reports. The operation may run again, where it asked for what was not read.
 * @throws PlanError those of the operation; fleet_unreachable where there is no answer without the claims, and those of the fleet.
 */
export async function runOperation<F extends Fields, O>(
  store: Store,
  operation: Operation<F, O>,
  input: InputOf<F>,
): Promise<O> {
  const { fleet } = store
  if (!fleet) return operation.run(store, input)
  if (operation.runInFleet) return operation.runInFleet(store, fleet, input)
  return withClaims(store, fleet, operation, input)
}

async function withClaims<F extends Fields, O>(
  store: Store,
  fleet: StoreFleet,
  { run, claims, needsClaims }: Operation<F, O>,
  input: InputOf<F>,
): Promise<O> {
  const request = claims?.(input)
  if (!request) return run(store, input)
  for (let round = 1; ; round++) {
    const given = await fleet.read(request)
    if ('unknown' in given) {
      if (needsClaims) throw given.unknown
      store.notify(`the claims are unknown: ${given.unknown.message}`)
    }
    fleet.given.give(given) // what follows is synchronous, so no other read takes its place
    const answer = run(store, input)
    if (!fleet.given.isIncomplete() || round === MOST_ROUNDS) return answer
  }
}
