/** A resident for tests: a long-running command as a process, and what it answers. */
import { join } from 'node:path'
import { askResident } from '../cli/ask-resident.ts'
import { probeResident } from '../resident/probe.ts'
import type { ResidentAnswer } from '../resident/wire.ts'
import { PACKAGE_ROOT, type PlanChild, startCli } from './run-cli.ts'
import { until } from './until.ts'

const DIST = join(PACKAGE_ROOT, 'dist')

export interface ResidentProcess extends Disposable {
  child: PlanChild
  /** How many commands it has answered. */
  answered(): number
}

/** Starts a command that answers, and waits until it does. Killed at the end of the `using` block. */
export async function startResidentProcess(
  root: string,
  args: readonly string[] = ['watch'],
): Promise<ResidentProcess> {
  const child = startCli(root, args)
  await until('the resident answers', () => probeResident(root).status === 'answers')
  return {
    child,
    answered: () => answeredIn(root) ?? -1,
    [Symbol.dispose]: () => void child.process.kill('SIGKILL'),
  }
}

/** Returns how many commands the resident of a folder has answered; undefined where none answers. */
export function answeredIn(root: string): number | undefined {
  const residence = probeResident(root)
  return residence.status === 'answers' ? residence.state.answered : undefined
}

/** Asks the resident of a folder, again where it does not answer in time, as on a busy machine. */
export async function askUntilAnswered(root: string, words: readonly string[]): Promise<ResidentAnswer> {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; ) {
    const answer = await ask(root, words)
    if (answer) return answer
  }
  throw new Error(`no answer to ${words.join(' ')} in ${root}`)
}

/** Asks the resident of a folder once. */
export function ask(root: string, words: readonly string[], dist = DIST): Promise<ResidentAnswer | undefined> {
  return askResident(['-C', root, ...words], dist)
}
