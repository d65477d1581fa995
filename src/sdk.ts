/**
 * `openPlan` and `connectPlan`: every operation as a method over one store.
 *
 * The first is synchronous, like better-sqlite3; the second has the same methods as promises, for claims that a server has. The
 * operation's own schema checks the input and refuses misspelt fields. A method returns the document that its command prints
 * with `--json`.
 */
import { systemError } from './files/io-error.ts'
import { PlanError } from './model/errors.ts'
import { type Operation, parseInput } from './operations/operation.ts'
import { operations } from './operations/registry.ts'
import { runOperation } from './operations/run-operation.ts'
import type { Signatures } from './operations/signatures.ts'
import { type OpenOptions, openStore, type Store } from './store/store.ts'
import { followClaims } from './watch/follow-claims.ts'
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

type Promised<M> = M extends (...given: infer A) => infer R ? (...given: A) => Promise<R> : never

/** A plan that asks the server of a fleet for the claims, or local.db without a fleet: the methods of `Plan` as promises. */
export type ConnectedPlan = { readonly [N in keyof Signatures | 'watch']: Promised<Plan[N]> } & {
  /** The absolute path of the checkout's root. */
  readonly root: string
  /** Ends all watches, waits for the methods that run, then ends the connections and closes the databases. The plan cannot be used afterwards. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens the plan of the checkout around `options.root`. Reads only the configuration; each database is opened when
 * first needed. In a repository with a fleet, what rests on claims is refused: `connectPlan` asks their server.
 * @throws PlanError bad_config, io; each method throws PlanErrors of its own.
 */
export function openPlan(options: OpenOptions = {}): Plan {
  const { store, bound, watch, end } = openMethods(options, 'openPlan', false)
  const methods = bound((operation, input) => {
    try {
      return operation.run(store, parseInput(operation, input))
    } catch (error) {
      throw systemError(error)
    }
  })
  const close = () => {
    end()
    store.close()
  }
  return {
    ...methods,
    watch: (listener: Parameters<Plan['watch']>[0], options?: WatchOptions) => watch(listener, options),
    root: store.repository.root,
    close,
    [Symbol.dispose]: close,
  } as unknown as Plan
}

/**
 * Opens the plan as `openPlan` does, with methods that return promises. The server of a fleet is asked when a method needs it.
 * @throws PlanError bad_config, io; the promise of each method is rejected with PlanErrors of its own.
 */
export async function connectPlan(options: OpenOptions = {}): Promise<ConnectedPlan> {
  const { store, bound, checkWatch, watch, end } = openMethods(options, 'connectPlan', true)
  const running = new Set<Promise<unknown>>()
  const methods = bound(async (operation, input) => {
    const result = runOperation(store, operation, parseInput(operation, input))
    running.add(result)
    try {
      return await result
    } catch (error) {
      throw systemError(error)
    } finally {
      running.delete(result)
    }
  })
  const promised = Object.entries(methods).map(([name, method]) => [name, async (input?: unknown) => method(input)])
  const closeAll = async () => {
    end()
    await Promise.allSettled(running) // one that goes on would open the index and connect again
    store.close()
    await store.fleet?.close()
  }
  return {
    ...Object.fromEntries(promised),
    async watch(listener: Parameters<Plan['watch']>[0], options?: WatchOptions) {
      checkWatch(listener) // before the server is asked
      const following = await followClaims(store)
      try {
        return watch(listener, options, following)
      } catch (error) {
        following[Symbol.dispose]()
        throw error
      }
    },
    root: store.repository.root,
    close: closeAll,
    [Symbol.asyncDispose]: closeAll,
  } as unknown as ConnectedPlan
}

/** Runs an operation with what a caller gave. */
type Run = (operation: Operation, given: unknown) => unknown

/** Opens a store; returns it with what both kinds of plans are made of. */
function openMethods(options: OpenOptions, opener: string, waits: boolean) {
  const store: Store = openStore(options, { waits })
  let isClosed = false
  const checkOpen = () => {
    if (isClosed)
      throw new PlanError('invalid_input', `the plan is closed; open another with ${opener}()`, { field: 'plan' })
  }
  const bound = (run: Run) =>
    Object.fromEntries(
      Object.entries(operations).map(([name, operation]) => [name, bind(operation as unknown as Operation, run)]),
    )
  const bind = (operation: Operation, run: Run) => {
    const first = Object.keys(operation.fields)[0]
    return (input?: unknown) => {
      checkOpen()
      return run(operation, typeof input === 'string' && first ? { [first]: input } : (input ?? {}))
    }
  }
  const watches = new Set<Watching>()
  const checkWatch = (listener: unknown) => {
    checkOpen()
    if (typeof listener !== 'function')
      throw new PlanError('invalid_input', 'watch: listener must be a function', { field: 'listener' })
  }
  /** `following` ends with the watch. */
  const watch = (listener: Parameters<Plan['watch']>[0], options?: WatchOptions, following?: Disposable): Watching => {
    checkWatch(listener)
    const { close: stop } = watchTickets(store, listener, options)
    const close = () => {
      stop()
      following?.[Symbol.dispose]()
      watches.delete(watching)
    }
    const watching = { close, [Symbol.dispose]: close }
    watches.add(watching)
    return watching
  }
  /** Refuses what is called from now on, and ends the watches. */
  const end = () => {
    isClosed = true
    for (const watching of watches) watching.close()
  }
  return { store, bound, checkWatch, watch, end }
}
