/**
 * Offers every operation as a method over one store.
 *
 * Synchronous, like better-sqlite3 below it. An input is checked by the schema of its operation; an unknown field is an error.
 * A method returns the document that its command prints with `--json`.
 */
import { type Fields, type Operation, parseInput } from './operations/operation.ts'
import { operations } from './operations/registry.ts'
import type { Signatures } from './operations/signatures.ts'
import { type OpenOptions, openStore, type Store } from './store/store.ts'
import { type TicketEvent, type Watching, type WatchOptions, watchTickets } from './watch/watch.ts'

/** The input of an operation. Fields with a default are optional. */
export type InputTo<N extends OperationName> = GivenInputOf<Operations[N]['fields']>
/** The output of an operation. */
export type OutputOf<N extends OperationName> = z.infer<ReturnType<Operations[N]['output']>>

type Method<N extends keyof Signatures> =
  Record<never, never> extends InputTo<N>
    ? (input?: InputTo<N>) => OutputOf<N>
    : (input: InputTo<N> | string) => OutputOf<N>

/** An open plan. Instead of an input, a method takes the value of its first field: `consult('B')`. */
export type Plan = { readonly [N in OperationName]: Method<N> } & {
  /** The root of the checkout, absolute. */
  readonly root: string
  /**
   * Calls the listener for each change of a Ticket, a claim or the verdict on a queued Ticket, by any program, and keeps the
   * index current. Meanwhile `consult` and `show` check only the files that their answer depends on. Ends with `close` of the
   * watch or of the plan.
   */
  watch(listener: (event: TicketEvent) => void, options?: WatchOptions): Watching
  /** Closes the databases and ends every watch. The plan cannot be used afterwards. */
  close(): void
  [Symbol.dispose](): void
}

/**
 * Opens the plan of the checkout around `options.root`. Reads only the configuration.
 * @throws PlanError bad_config, io. Each method throws PlanErrors of its own.
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
