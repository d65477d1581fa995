/** Injects faults into one run of the command line at chosen system calls, with strace. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Run, type RunOptions, runCli } from './run-cli.ts'
import { temporaryFolder } from './temporary-repository.ts'

/** One system call of the main thread: its number among the calls of its name, and the line of strace. */
export interface TracedCall {
  name: string
  /** Counts from 1, as strace's `when` does. */
  nth: number
  line: string
}

export interface TracedRun extends Run {
  calls: TracedCall[]
}

/** With Node's cache of compiled code each run would make different calls. */
const STEADY = { NODE_DISABLE_COMPILE_CACHE: '1' }

/** Runs the command line and lists the system calls of these names that its main thread makes. */
export function traceCli(
  root: string,
  args: readonly string[],
  names: readonly string[],
  options: RunOptions = {},
): Promise<TracedRun> {
  return runTraced(root, args, ['-e', `trace=${names.join(',')}`], options)
}

/** Runs the command line with a fault at one system call: the call returns an error, or a signal kills the process before it. */
export function injectFault(
  root: string,
  args: readonly string[],
  call: Pick<TracedCall, 'name' | 'nth'>,
  fault: string,
  options: RunOptions = {},
): Promise<TracedRun> {
  const inject = `inject=${call.name}:${fault}:when=${call.nth}`
  return runTraced(root, args, ['-e', `trace=${call.name}`, '-e', inject], options)
}

/** A program that a run has started, the first of them being the command line itself. */
export interface StartedProgram {
  args: string[]
  /** NAME=value */
  environment: string[]
}

/** Runs the command line and lists the programs that it starts, however short they live, with those that they start. */
export async function traceStarts(
  root: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Run & { starts: StartedProgram[] }> {
  using folder = temporaryFolder()
  const log = join(folder.path, 'starts')
  const through = ['strace', '-f', '-v', '-qq', '-s', '100000', '-e', 'trace=execve', '-e', 'signal=none', '-o', log]
  const run = await runCli(root, args, { ...options, through })
  // 12 execve("/usr/bin/git", ["git", "config"], ["HOME=/root", "A=\"b\""]) = 0
  const starts = [...readFileSync(log, 'utf8').matchAll(/execve\("[^"]*", (\[.*?\]), (\["(?:.*)"\])/g)]
  return {
    ...run,
    starts: starts.map(([, given, environment]) => ({ args: texts(given), environment: texts(environment) })),
  }
}

/** The strings in a list of strace, without their escapes. */
function texts(list = ''): string[] {
  return [...list.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!.replace(/\\(.)/g, '$1'))
}

async function runTraced(
  root: string,
  args: readonly string[],
  tracing: readonly string[],
  options: RunOptions,
): Promise<TracedRun> {
  using folder = temporaryFolder()
  const log = join(folder.path, 'calls')
  const through = ['strace', '-f', '-y', '-qq', '-e', 'signal=none', '-o', log, ...tracing]
  const run = await runCli(root, args, { ...options, through, env: STEADY })
  const calls = parseCalls(readFileSync(log, 'utf8'))
  rmSync(log)
  return { ...run, calls }
}

function parseCalls(text: string): TracedCall[] {
  const lines = text.split('\n').map(line => /^(\d+) +((\w+)\(.*)$/.exec(line))
  const main = lines.find(line => line !== null)?.[1]
  const counts = new Map<string, number>()
  const calls: TracedCall[] = []
  for (const match of lines) {
    if (!match || match[1] !== main) continue
    const [, , line, name] = match as unknown as [string, string, string, string]
    const nth = (counts.get(name) ?? 0) + 1
    counts.set(name, nth)
    calls.push({ name, nth, line })
  }
  return calls
}
