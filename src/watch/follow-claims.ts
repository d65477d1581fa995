/**
 * Keeps the claims that a store was given current, for work that goes on: a watch, a wait, the page.
 *
 * A notification of the server is a hint that saves waiting; polling finds every change without it. Must not stop on a failure:
 * the claims are unknown until the next attempt, and that is reported once.
 */
import type { SnapshotRequest } from '../fleet/fleet-claims.ts'
import type { Given } from '../fleet/given-claims.ts'
import { isPlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import type { StoreFleet } from '../store/store-fleet.ts'

/** How often the claims are read without a hint. */
const POLL_MS = 1000

/**
 * Reads the claims, then again and again until the result is disposed of. Does nothing where they are in local.db. Claims that
 * cannot be read are unknown.
 */
export async function followClaims(store: Store, request: SnapshotRequest = {}): Promise<Disposable> {
  const { fleet } = store
  if (!fleet) return { [Symbol.dispose]() {} }
  const report = failureReport(store)
  const first = await readOrUnknown(fleet, request)
  report(first)
  fleet.given.give(first)
  return startFollowing(fleet, request, report)
}

function startFollowing(fleet: StoreFleet, request: SnapshotRequest, report: (given: Given) => void): Disposable {
  let isStopped = false
  let isHinted = false
  let wake = () => {}
  let unlisten = () => {}
  const pause = () =>
    new Promise<void>(resolve => {
      const timer = setTimeout(resolve, isHinted ? 0 : POLL_MS).unref()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const run = async () => {
    for (;;) {
      await pause()
      if (isStopped) return
      isHinted = false
      const given = await readOrUnknown(fleet, request)
      if (isStopped) return
      report(given)
      fleet.given.give(given)
    }
  }
  const hint = () => {
    isHinted = true
    wake()
  }
  fleet.listen(hint).then(
    stop => {
      if (isStopped) stop()
      else unlisten = stop
    },
    () => {}, // polling reports what is wrong
  )
  void run()
  return {
    [Symbol.dispose]() {
      isStopped = true
      unlisten()
      wake()
    },
  }
}

async function readOrUnknown(fleet: StoreFleet, request: SnapshotRequest): Promise<Given> {
  try {
    return await fleet.read(request)
  } catch (error) {
    if (!isPlanError(error)) throw error
    return { unknown: error }
  }
}

/** Returns a function that reports once that the claims are unknown, and once that they are known again. */
function failureReport({ notify }: Store): (given: Given) => void {
  let isUnknown = false
  return given => {
    const isNow = 'unknown' in given
    if (isNow && !isUnknown) notify(`the claims are unknown: ${given.unknown.message}`)
    if (!isNow && isUnknown) notify('the claims are known again')
    isUnknown = isNow
  }
}
