/**
 * `openPlan`: every operation as a method over one store.
 *
 * Synchronous, like better-sqlite3. The operation's own schema checks the input and refuses misspelt fields. A method
 * returns the document that its command prints with `--json`.
 */
import { systemError } from './files/io-error.ts'
import { PlanError } from './model/errors.ts'
import { type Fields, type Operation, parseInput } from './operations/operation.ts'
import { operations } from './operations/registry.ts'
import type { Signatures } from './operations/signatures.ts'
import { type OpenOptions, openStore, type Store } from './store/store.ts'
import { type TicketEvent, type Watching, type WatchOptions, watchTickets } from './watch/watch.ts'

/** The input of an operation. Fields that have a default are optional. */
export type InputTo<N extends keyof Signatures> = Signatures[N]['input']
/** What an operation returns. */
export type OutputOf<N extends keyof Signatures> = Signatures[N]['output']

type Method<N extends keyof Signatures> =
  Record<never, never> extends InputTo<N>
    ? (input?: InputTo<N>) => OutputOf<N>
    : (input: InputTo<N> | string) => OutputOf<N>

/** An open plan. A string in place of an input is the value of its first field: `consult('B')`. */
export type Plan = { readonly [N in keyof Signatures]: Method<N> } & {
  /** The absolute path of the checkout's root. */
  readonly root: string
  /**
   * Calls the listener for each change of a Ticket, a claim or the verdict on a queued Ticket, whichever process made
   * it. Keeps the index current; `consult` and `show` then check only the files that their answer depends on. Ends with
   * its `close`, or the plan's.
   */
  watch(listener: (event: TicketEvent) => void, options?: WatchOptions): Watching
  /** Ends all watches and closes the databases. The plan cannot be used afterwards. */
  close(): void
  [Symbol.dispose](): void
}

/**
 * Opens the plan of the checkout around `options.root`. Reads only the configuration; each database is opened when
 * first needed.
 * @throws PlanError bad_config, io; each method throws PlanErrors of its own.
 */
export function openPlan(options: OpenOptions = {}): Plan {
  const store = openStore(options)
  let isClosed = false
  const checkOpen = () => {
    if (isClosed)
      throw new PlanError('invalid_input', 'the plan is closed; open another with openPlan()', { field: 'plan' })
  }
  const methods = Object.entries(operations).map(([name, operation]) => [
    name,
    bind(store, operation as unknown as Operation, checkOpen),
  ])
  const watches: Watching[] = []
  const watch: Plan['watch'] = (listener, options) => {
    checkOpen()
    if (typeof listener !== 'function')
      throw new PlanError('invalid_input', 'watch: listener must be a function', { field: 'listener' })
    const watching = watchTickets(store, listener, options)
    watches.push(watching)
    return watching
  }
  const close = () => {
    isClosed = true
    for (const watching of watches) watching.close()
    store.close()
  }
  return { ...Object.fromEntries(methods), watch, root: store.repository.root, close, [Symbol.dispose]: close } as Plan
}

function bind<F extends Fields, O>(
  store: Store,
  operation: Operation<F, O>,
  checkOpen: () => void,
): (input?: unknown) => O {
  const first = Object.keys(operation.fields)[0]
  return input => {
    checkOpen()
    const given = typeof input === 'string' && first ? { [first]: input } : (input ?? {})
    try {
      return operation.run(store, parseInput(operation, given))
    } catch (error) {
      throw systemError(error)
    }
  }
}
