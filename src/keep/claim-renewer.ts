/**
 * The program that renews one lease while `keep` runs a command, and that ends the command where the claim is lost.
 *
 * It does nothing else, in a session of its own: neither a busy or stopped parent, nor the command, nor a signal of the terminal
 * stops it. It lives exactly as long as its parent: its input ends with the parent, however that ends. Must not start a process.
 */
import { openStore } from '../store/store.ts'
import { claimCalls } from './claim-calls.ts'
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
  const store = openStore(
    { root, busyTimeoutMs: busyTimeoutMs(ttlMs), onNotice: message => report({ kind: 'note', message }) },
    { waits: true },
  )
  const claims = claimCalls(store, request)
  const ending = commandEnding(graceMs)
  // The parent has just renewed it; this one is due at once.
  let renewal: Renewal = { ...renewedAt(performance.now(), { ttlMs, graceMs }), dueAt: 0 }
  let isReleased = false
  let isFailing = false

  const lose = (why: string) => {
    report({ kind: 'lost', why })
    ending.begin()
  }
  /** Renews; returns false where the claim is lost. */
  const attempt = async (): Promise<boolean> => {
    const startedAt = performance.now()
    try {
      const result = await claims.renew()
      if (result.status === 'kept') {
        renewal = renewedAt(startedAt, renewal)
        isFailing = false
        report({ kind: 'renewed' })
        return true
      }
      const end = await claims.end()
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
  const poll = async (): Promise<void> => {
    const isDue = !isReleased && (performance.now() >= renewal.dueAt || (await claims.isGone()))
    if (isReleased && (await claims.isTaken())) return lose('another holder has taken the Ticket after it was released')
    if (isDue && !(await attempt())) return
    const waitMs = isReleased ? POLL_MS : Math.min(renewal.dueAt - performance.now(), POLL_MS)
    setTimeout(poll, Math.max(waitMs, 1))
  }
  void poll()
  return { started: ending.started }
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
      // A parent that was stopped right after it had started the command has not sent its process id yet.
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
