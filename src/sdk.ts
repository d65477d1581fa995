/**
 * `openPlan`: every operation as a method over one store.
 *
 * Synchronous, like better-sqlite3 below it. Inputs are checked by the operation's own schema, misspelt fields included;
 * what an operation returns is what its command prints with `--json`.
 */
import type * as z from 'zod/mini'
import { type Fields, type GivenInputOf, type Operation, parseInput } from './operations/operation.ts'
import { type OperationName, type Operations, operations } from './operations/registry.ts'
import { type OpenOptions, openStore, type Store } from './store/store.ts'
import { type TicketEvent, type Watching, type WatchOptions, watchTickets } from './watch/watch.ts'

/** The input of an operation; those with a default or a `?` may be left out. */
export type InputTo<N extends OperationName> = GivenInputOf<Operations[N]['fields']>
/** What an operation returns. */
export type OutputOf<N extends OperationName> = z.infer<ReturnType<Operations[N]['output']>>

type Method<N extends OperationName> =
  Record<never, never> extends InputTo<N>
    ? (input?: InputTo<N>) => OutputOf<N>
    : (input: InputTo<N> | string) => OutputOf<N>

/** An open plan. A string instead of an input stands for its first field: `consult('B')`. */
export type Plan = { readonly [N in OperationName]: Method<N> } & {
  /** The root of the checkout, absolute. */
  readonly root: string
  /**
   * Tells of each change of a Ticket, a claim or the verdict on a queued Ticket, whoever made it, and keeps the index current;
   * `consult` and `show` then look at the files that their answer rests on alone. Until its `close`, or the plan's.
   */
  watch(listener: (event: TicketEvent) => void, options?: WatchOptions): Watching
  /** Closes the databases and ends what watches. The plan cannot be used after it. */
  close(): void
  [Symbol.dispose](): void
}

/**
 * Opens the plan of the checkout around `options.root`. Nothing is read before the first call.
 * @throws PlanError bad_config, io; each method throws PlanErrors of its own.
 */
export function openPlan(options: OpenOptions = {}): Plan {
  const store = openStore(options)
  const methods = Object.entries(operations).map(([name, operation]) => [
    name,
    bind(store, operation as unknown as Operation),
  ])
  const watches: Watching[] = []
  const watch: Plan['watch'] = (listener, options) => {
    const watching = watchTickets(store, listener, options)
    watches.push(watching)
    return watching
  }
  const close = () => {
    for (const watching of watches) watching.close()
    store.close()
  }
  return { ...Object.fromEntries(methods), watch, root: store.repository.root, close, [Symbol.dispose]: close } as Plan
}

function bind<F extends Fields, O>(store: Store, operation: Operation<F, O>): (input?: unknown) => O {
  const first = Object.keys(operation.fields)[0]
  return input =>
    operation.run(store, parseInput(operation, typeof input === 'string' && first ? { [first]: input } : (input ?? {})))
}
