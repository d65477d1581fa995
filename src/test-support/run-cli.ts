/** The command line as a process of its own: dist/cli.js, run by the Node that runs the tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'

export const PACKAGE_ROOT = join(import.meta.dirname, '..', '..')
export const CLI = join(PACKAGE_ROOT, 'dist', 'cli.js')

export interface Run {
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  env?: NodeJS.ProcessEnv
  /** Runs as another user: needs root. */
  uid?: number
  /** Keeps standard input open, as a pipe. */
  stdin?: boolean
  /** A program with its arguments that starts the command line, for example strace. */
  through?: readonly string[]
  /** The file that is its standard input; without it, there is none. */
  stdinPath?: string
}

/** Runs a program to its end. */
export async function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const stdin = options.stdinPath === undefined ? undefined : openSync(options.stdinPath, 'r')
  const child = spawn(program, args, {
    env: { ...cleanEnvironment(), ...options.env },
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
    stdio: [stdin ?? 'ignore', 'pipe', 'pipe'],
  })
  if (stdin !== undefined) closeSync(stdin)
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr!.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { status, signal, stdout, stderr }
}

/** Runs a command of the command line in a checkout, as the actor "tester". */
export function runCli(root: string, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  if (!existsSync(CLI)) throw new Error(`${CLI} is missing: run "npm run build" first`)
  const [program, ...rest] = [...(options.through ?? []), process.execPath, CLI, '-C', root, '--actor', 'tester']
  return runProgram(program!, [...rest, ...args], options)
}

/** What a run printed with `--json`. */
export function jsonOf<T = Record<string, unknown>>(run: Run): T {
  if (run.status !== 0 && run.stdout === '') throw new Error(`exit ${run.status}: ${run.stderr}`)
  return JSON.parse(run.stdout) as T
}

/** The error that a run with `--json` printed on standard error, after whatever notes. */
export function errorOf(run: Run): { code: string; message: string; [data: string]: unknown } {
  const line = run.stderr.split('\n').find(line => line.startsWith('{"error"'))
  if (!line) throw new Error(`exit ${run.status}, no error document: ${run.stderr}`)
  return JSON.parse(line).error
}

/** Runs jobs, up to `atOnce` of them at a time; returns the results in the order of the jobs. */
export async function inParallel<T>(atOnce: number, jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const worker = async () => {
    while (next < jobs.length) {
      const position = next++
      results[position] = await jobs[position]!()
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, jobs.length) }, worker))
  return results
}

/** A process that is heard line by line while it runs. */
export interface PlanChild {
  process: ChildProcess
  /** What it has said so far. */
  lines: string[]
  /** What it has said on standard error. */
  stderr(): string
  /** Settles when it has said that many lines; fails where it ends before. */
  said(count: number): Promise<void>
  /** Settles when it has ended. */
  ended: Promise<{ status: number | null; signal: NodeJS.Signals | null }>
}

/** Starts src/test-support/plan-child.ts. */
export function startPlanChild(task: string, root: string, ...args: string[]): PlanChild {
  return startChild(process.execPath, [join(import.meta.dirname, 'plan-child.ts'), task, root, ...args])
}

/** Starts a command of the command line that goes on, as the actor "tester". */
export function startCli(root: string, args: readonly string[], options: RunOptions = {}): PlanChild {
  const [program, ...rest] = [...(options.through ?? []), process.execPath, CLI, '-C', root, '--actor', 'tester']
  return startChild(program!, [...rest, ...args], options)
}

function startChild(program: string, args: readonly string[], { env, stdin }: RunOptions = {}): PlanChild {
  const child = spawn(program, args, {
    env: { ...cleanEnvironment(), ...env },
    stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  let rest = ''
  let stderr = ''
  let wake = () => {}
  let over = false
  child.stdout!.setEncoding('utf8').on('data', text => {
    const parts = (rest + text).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
    wake()
  })
  child.stderr!.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  const ended = once(child, 'close').then(([status, signal]) => {
    over = true
    wake()
    return { status: status as number | null, signal: signal as NodeJS.Signals | null }
  })
  const said = async (count: number) => {
    while (lines.length < count) {
      if (over) throw new Error(`${args.join(' ')} ended early: ${stderr}`)
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  return { process: child, lines, stderr: () => stderr, said, ended }
}

export function cleanEnvironment(): NodeJS.ProcessEnv {
  const strange = /^(GIT_|TICKETPLAN_|NODE_OPTIONS$|VITEST)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !strange.test(name)))
}
