/**
 * Says when Tickets or claims have changed, whoever changed them: a look at the stat data of all files, now and then.
 *
 * A stand-in with the interface of a watcher: a listener, and a function that ends it.
 */
import type { Store } from '../store.ts'

export interface Change {
  /** Ids of Tickets whose files came, went or changed, and of those whose claims did. */
  tickets: string[]
}

/** A look at most this often; on a large plan rarer, so that looking takes a thirtieth of the time. */
const EVERY_MS = 500
const SHARE = 30

/** Tells the listener of changes from now on, until the function that is returned is called. Does not keep the process alive. */
export function onChange(store: Store, listener: (change: Change) => void): () => void {
  let known = look(store)
  let timer: NodeJS.Timeout
  const tick = () => {
    const startedAt = performance.now()
    const now = look(store)
    if (known && now) {
      const ids = [...known.keys(), ...now.keys()].filter(key => known?.get(key) !== now.get(key)).map(idOf)
      if (ids.length > 0) listener({ tickets: [...new Set(ids)].sort() })
    }
    known = now ?? known
    wait(Math.max(EVERY_MS, (performance.now() - startedAt) * SHARE))
  }
  const wait = (ms: number) => {
    timer = setTimeout(tick, ms).unref()
  }
  wait(EVERY_MS)
  return () => clearTimeout(timer)
}

/** What each file holds, and each claim; undefined where the plan cannot be read now: the next look tells. */
function look(store: Store): Map<string, string> | undefined {
  try {
    return store.read(({ queries, claims }) => {
      const files = queries.fileHashes().map(({ path, hash }): [string, string] => [path, hash])
      const leases = claims.all(false).map(({ ticket, token, live, expires_at }): [string, string] => {
        return [ticket, `${token} ${live} ${expires_at}`]
      })
      return new Map([...files, ...leases])
    })
  } catch {
    return undefined
  }
}

/** The Ticket of a file's path, or of a claim. */
function idOf(key: string): string {
  return key.endsWith('.json') ? key.slice(key.lastIndexOf('/') + 1, -'.json'.length) : key
}
