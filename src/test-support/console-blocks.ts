/** The console blocks of a page: commands, each with the output that the page shows. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { CLI, PACKAGE_ROOT } from './run-cli.ts'

export interface PageSetting {
  /** The folder in which the commands run. */
  cwd: string
  actor: string
  /** The page has more commands than these. */
  least: number
  /** Shell code after the program in the function `ticketplan`. */
  redirect?: string
  /** Returns a command as it is run. */
  runnable?: (command: string) => string
  /** Returns an output without what differs from run to run. */
  comparable?: (output: string) => string
}

/** Runs the commands of a page, given from the root of this repository, and compares the output of each with what is shown. */
export function expectShown(page: string, setting: PageSetting): void {
  const { cwd, actor, least, redirect = '', runnable = same, comparable = same } = setting
  const steps = consoleSteps(readFileSync(join(PACKAGE_ROOT, page), 'utf8'))
  expect(steps.length).toBeGreaterThan(least)
  // One shell for all of it, so that "cd" holds; each command's output ends with a mark.
  const script = [
    `ticketplan() { "${process.execPath}" "${CLI}" "$@"${redirect}; }`,
    `export TICKETPLAN_ACTOR=${actor}`,
    ...steps.map(({ command }) => `${runnable(command)}\nprintf '\\036'`),
  ].join('\n')
  const { stdout } = spawnSync('bash', ['-c', `exec 2>&1\n${script}`], { cwd, encoding: 'utf8' })
  const printed = stdout.split('\u001e')
  for (const [position, { command, shown }] of steps.entries())
    expect(comparable(printed[position]!), command).toMatch(shownPattern(comparable(shown)))
}

const same = (text: string) => text

/** Returns the commands of all blocks, in order. */
function consoleSteps(page: string): { command: string; shown: string }[] {
  const blocks = [...page.matchAll(/```console\n([\s\S]*?)```/g)].map(match => match[1]!)
  return blocks.flatMap(block =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map(part => {
        const end = part.indexOf('\n')
        return { command: part.slice(0, end), shown: part.slice(end + 1) }
      }),
  )
}

/** Returns a pattern for an output; "…" matches what differs from run to run. */
function shownPattern(shown: string): RegExp {
  const literal = shown.split('…').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literal.join('[^\\n]*?')}$`)
}
