/**
 * The program that renews one lease while `keep` runs a command, and that ends the command where the claim is lost.
 *
 * It does nothing else, in a session of its own: neither a busy or stopped parent, nor the command, nor a signal of the terminal
 * stops it. It lives exactly as long as its parent: its input ends with the parent, however that ends. Must not start a process.
 */

import { statSync } from 'node:fs'
import { statKey } from '../files/file-system.ts'
import { isPlanError } from '../model/errors.ts'
import { openStore, type Store } from '../store/store.ts'
import { jsonLines, type RenewRequest, type Report, type Started } from './messages.ts'
import { busyTimeoutMs, failedAt, giveUpAt, type Renewal, renewedAt } from './renewal.ts'

/** How often the claims are checked for a loss that no renewal has shown yet. */
const POLL_MS = 500

main()

function main(): void {
  let renewer: { started(pid: number): void } | undefined
  const receive = jsonLines<RenewRequest & Started>(line => {
    if (renewer) renewer.started(line.pid)
    else renewer = startRenewer(line)
  })
  process.stdin.setEncoding('utf8').on('data', receive)
  process.stdin.on('end', () => process.exit(0))
  process.stdout.on('error', () => process.exit(0)) // the parent has ended
}

function report(line: Report): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Starts to renew, at once and then until this process ends. */
function startRenewer(request: RenewRequest): { started(pid: number): void } {
  const { root, ttlMs, graceMs } = request
  const store = openStore({
    root,
    busyTimeoutMs: busyTimeoutMs(ttlMs),
    onNotice: message => report({ kind: 'note', message }),
  })
  const ending = commandEnding(graceMs)
  // The parent has just renewed it; this one is due at once.
  let renewal: Renewal = { ...renewedAt(performance.now(), { ttlMs, graceMs }), dueAt: 0 }
  let isReleased = false
  let isFailing = false
  const changed = changeDetector(store.localPath)

  const lose = (why: string) => {
    report({ kind: 'lost', why })
    ending.begin()
  }
  /** Renews; returns false where the claim is lost. */
  const attempt = (): boolean => {
    const startedAt = performance.now()
    try {
      const result = store.claims.renew(request.ticket, request.token, ttlMs)
      if (result.status === 'kept') {
        renewal = renewedAt(startedAt, renewal)
        isFailing = false
        report({ kind: 'renewed' })
        return true
      }
      const end = endOf(store, request)
      isReleased = end.isReleased
      if (isReleased) report({ kind: 'released' })
      else lose(end.why)
      return isReleased
    } catch (error) {
      const now = performance.now()
      const { message } = error as Error
      if (now >= giveUpAt(renewal)) {
        lose(`it could not be renewed before its end: ${message}`)
        return false
      }
      renewal = failedAt(renewal, now)
      if (!isFailing) report({ kind: 'note', message: `the claim could not be renewed: ${message}; trying again` })
      isFailing = true
      return true
    }
  }
  const look = () => {
    const isDue = !isReleased && (performance.now() >= renewal.dueAt || (changed() && isGone(store, request)))
    const isTaken = isReleased && changed() && isGone(store, request, true)
    if (isTaken) return lose('another holder has taken the Ticket after it was released')
    if (isDue && !attempt()) return
    const waitMs = isReleased ? POLL_MS : Math.min(renewal.dueAt - performance.now(), POLL_MS)
    setTimeout(look, Math.max(waitMs, 1))
  }
  look()
  return { started: ending.started }
}

/** Returns a function that says whether a file has changed since its last call. */
function changeDetector(path: string): () => boolean {
  const read = () => statKey(statSync(path, { throwIfNoEntry: false }))
  let known = read()
  return () => {
    const now = read()
    const isChanged = now !== known
    known = now
    return isChanged
  }
}

/** True where the token is not that of the live claim. With `onlyIfTaken`, only where another claim is live. */
function isGone(store: Store, { ticket, token }: RenewRequest, onlyIfTaken = false): boolean {
  try {
    const live = store.claims.snapshot().find(ticket)
    return live ? live.token !== token : !onlyIfTaken
  } catch (error) {
    if (isPlanError(error)) return false // the next renewal reports it
    throw error
  }
}

/** Returns how a claim ended that cannot be renewed. */
function endOf(store: Store, { ticket, token }: RenewRequest): { isReleased: boolean; why: string } {
  const live = store.claims.snapshot().find(ticket)
  if (live) return { isReleased: false, why: `${live.holder} has the Ticket now` }
  const end = store.claims.releaseOf(ticket, token)
  if (end?.action === 'forced') return { isReleased: false, why: `it was released by force: ${end.reason ?? ''}` }
  if (end?.action === 'released') return { isReleased: true, why: 'it was released' }
  return { isReleased: false, why: 'it has expired' }
}

/** Ends the command: SIGTERM, and after a grace SIGKILL. */
function commandEnding(graceMs: number): { started(pid: number): void; begin(): void } {
  let pid: number | undefined
  let isBegun = false
  const endNow = () => {
    if (pid === undefined || !isBegun) return
    signal(pid, 'SIGTERM')
    signal(pid, 'SIGCONT') // a stopped process sees no SIGTERM
    const started = pid
    setTimeout(() => signal(started, 'SIGKILL'), graceMs)
  }
  return {
    started(given) {
      pid = given
      endNow()
    },
    begin() {
      isBegun = true
      // A parent that was stopped right after it had started the command has not said its process id yet.
      if (pid === undefined) signal(process.ppid, 'SIGCONT')
      endNow()
    },
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it has ended, and its parent is about to end this process
  }
}
