/**
 * Runs a command under a claim: a renewer beside it keeps the lease, and ends the command where the claim is lost.
 *
 * The command inherits standard input, output and error, and the terminal. Signals are passed on to it. The lease outlives a
 * stopped or busy process here, and does not outlive this process.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { jsonLines, type RenewRequest, type Report } from './messages.ts'

type ChildProcess = ReturnType<typeof import('node:child_process')['spawn']>

/** How a command ended, or why it was not started. */
export type KeptOutcome =
  | { kind: 'ended'; status: number }
  /** The claim was lost, before or while the command ran. */
  | { kind: 'lost'; why: string }
  /** The command could not be started. */
  | { kind: 'failed'; code: string; message: string }

export interface KeptOptions {
  env: NodeJS.ProcessEnv
  /** Receives a sentence for a person, while the command runs. */
  onNote(message: string): void
  /** Called once where the claim is lost: the command is being ended. */
  onLost(why: string): void
}

/** The signals that are passed on. */
const PASSED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** The pause before a renewer is started again that has ended by itself. */
const RESTART_MS = 200
/** How often it may end before it has renewed anything. */
const MOST_FAILED_STARTS = 3

/** Runs the command to its end, once the claim is renewed. */
export async function runKept(
  request: RenewRequest,
  [program, ...args]: readonly [string, ...string[]],
  { env, onNote, onLost }: KeptOptions,
): Promise<KeptOutcome> {
  let why: string | undefined
  let child: ChildProcess | undefined
  const lose = (reason: string, isUnattended = false) => {
    if (why !== undefined) return
    why = reason
    onLost(reason)
    if (!isUnattended) return // else the renewer ends the command
    child?.kill('SIGTERM')
    setTimeout(() => child?.kill('SIGKILL'), request.graceMs).unref()
  }
  const signals = signalPasser()
  const renewer = startRenewer(request, onNote, lose)
  try {
    await renewer.isReady
    if (why !== undefined) return { kind: 'lost', why }
    if (signals.pending !== undefined) return { kind: 'ended', status: statusOf(null, signals.pending) }
    const started = await startCommand(program, args, env, renewer.started)
    if ('kind' in started) return started
    child = started.child
    signals.passTo(child)
    const [code, signal] = await started.ended
    await renewer.stop() // its last reports are read before it has ended
    return why === undefined ? { kind: 'ended', status: statusOf(code, signal) } : { kind: 'lost', why }
  } finally {
    signals.close()
    await renewer.stop()
  }
}

/** Returns the exit status of a shell for how a process ended. */
function statusOf(code: number | null, signal: NodeJS.Signals | null): number {
  const { constants } = process.getBuiltinModule('node:os')
  return signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0)
}

type Ended = Promise<[code: number | null, signal: NodeJS.Signals | null]>

/**
 * Starts the command; returns why it cannot be started. `onStarted` gets its process id at once: while this process is stopped
 * before that, nothing could end the command.
 */
async function startCommand(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onStarted: (pid: number) => void,
): Promise<{ child: ChildProcess; ended: Ended } | (KeptOutcome & { kind: 'failed' })> {
  const { spawn } = process.getBuiltinModule('node:child_process')
  try {
    const child = spawn(program, args, { stdio: 'inherit', env })
    if (child.pid !== undefined) onStarted(child.pid)
    const ended: Ended = new Promise(resolve => child.on('exit', (code, signal) => resolve([code, signal])))
    await new Promise((resolve, reject) => child.on('spawn', resolve).on('error', reject))
    return { child, ended }
  } catch (error) {
    const { code = 'unknown', message } = error as NodeJS.ErrnoException
    return { kind: 'failed', code, message }
  }
}

/** Collects signals until there is a command, then passes them on to it. */
function signalPasser() {
  let child: ChildProcess | undefined
  const passer = {
    pending: undefined as NodeJS.Signals | undefined,
    passTo(given: ChildProcess) {
      child = given
      if (passer.pending) child.kill(passer.pending)
    },
    close() {
      for (const [signal, listener] of listeners) process.removeListener(signal, listener)
    },
  }
  const listeners = PASSED.map(signal => {
    const listener = () => {
      if (!child) passer.pending = signal
      // The terminal sends ctrl-c to the command too; two of them mean something else to many programs.
      else if (signal !== 'SIGINT' || !isInForeground()) child.kill(signal)
    }
    process.on(signal, listener)
    return [signal, listener] as const
  })
  return passer
}

/** True where this process is in the foreground of a terminal, whose signals go to the command as well. */
function isInForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1')
    const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return terminal !== '0' && group === foreground
  } catch {
    return process.getBuiltinModule('node:tty').isatty(0) // not on Linux
  }
}

interface Renewer {
  /** Settles once the claim was renewed, or is lost. */
  isReady: Promise<void>
  started(pid: number): void
  /** Ends the renewer, and settles when it has ended. */
  stop(): Promise<void>
}

/** Starts the renewer, and another one where it ends by itself: the lease says how much time that has. */
function startRenewer(
  request: RenewRequest,
  onNote: KeptOptions['onNote'],
  onLost: (why: string, isUnattended?: boolean) => void,
): Renewer {
  let pid: number | undefined
  let isStopping = false
  let hasRenewed = false
  let renewedAt = performance.now()
  let ends = 0
  let setReady = () => {}
  const isReady = new Promise<void>(resolve => {
    setReady = resolve
  })
  const receive = (report: Report) => {
    if (report.kind === 'renewed') {
      hasRenewed = true
      renewedAt = performance.now()
      ends = 0
    }
    if (report.kind === 'note') onNote(report.message)
    if (report.kind === 'released') onNote('the claim was released with its token; it is not renewed any more')
    if (report.kind === 'lost') onLost(report.why)
    if (report.kind !== 'note') setReady()
  }
  const start = () => {
    const process = spawnRenewer(receive)
    process.child.stdin!.write(`${JSON.stringify(request)}\n`)
    if (pid !== undefined) process.child.stdin!.write(`${JSON.stringify({ pid })}\n`)
    const ended = process.ended.then(async () => {
      if (isStopping) return
      ends++
      if (performance.now() - renewedAt > request.ttlMs || (!hasRenewed && ends >= MOST_FAILED_STARTS)) {
        onLost('the process that renews it cannot be started', true)
        return setReady()
      }
      if (ends === 1) onNote('the process that renews the claim has ended; starting another one')
      await new Promise(resolve => setTimeout(resolve, RESTART_MS))
      if (!isStopping) current = start()
    })
    return { ...process, ended }
  }
  let current = start()
  return {
    isReady,
    started(given) {
      pid = given
      current.child.stdin!.write(`${JSON.stringify({ pid })}\n`)
    },
    async stop() {
      isStopping = true
      current.child.stdin!.end()
      await current.ended
    },
  }
}

function spawnRenewer(receive: (report: Report) => void): { child: ChildProcess; ended: Promise<void> } {
  const { spawn } = process.getBuiltinModule('node:child_process')
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'cjs'
  const child = spawn(process.execPath, [join(import.meta.dirname, `claim-renewer.${extension}`)], {
    // A session of its own: no signal of the terminal reaches it.
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  child.stdin!.on('error', () => {}) // it has ended, which is handled there
  child.stdout!.setEncoding('utf8').on('data', jsonLines(receive))
  const ended = new Promise<void>(resolve => {
    child.on('close', () => resolve()).on('error', () => resolve())
  })
  return { child, ended }
}
