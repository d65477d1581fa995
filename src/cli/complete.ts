/**
 * Answers the completion functions of the shells: `ticketplan __complete <shell> …`, a command that no help lists.
 *
 * `bash <breaks> <line>` gets COMP_WORDBREAKS and the line up to the cursor, `zsh <word>…` and `fish <word>…` the words, the
 * last one as typed so far. The first line of the answer says what follows: `words`, a candidate in each line, or `files` or
 * `folders`, which the shell lists itself. Silent on every error, and the exit status is 0: a shell must not show either
 * while somebody types.
 */
import type { Command } from '../operations/operation.ts'
import { commandNames, loadCommand } from './commands.ts'
import { type Candidate, type Completion, completeLine } from './complete-line.ts'
import { namesIn } from './completion-names.ts'
import { splitCommandLine } from './parse-arguments.ts'
import { print } from './print.ts'
import { insertedInBash, type ShellLine, splitShellLine } from './shell-line.ts'

/** Prints what can follow at the cursor. */
export async function complete([shell, ...given]: readonly string[]): Promise<void> {
  try {
    const [breaks, text] = shell === 'bash' ? given : ['', '']
    const line = shell === 'bash' ? splitShellLine(text ?? '', breaks) : lineOf(given)
    const words = shell === 'bash' ? line.words.slice(1) : line.words
    const completion = await completionOf(words, line.current)
    print(1, answer(completion, shell === 'bash' ? value => inBash(value, line) : FORMATS[shell ?? '']!))
  } catch {
    // Nothing to complete is all that a shell needs to know.
  }
}

async function completionOf(words: readonly string[], current: string): Promise<Completion> {
  using names = namesIn(folderOf(words))
  return await completeLine(words, current, findCommand, names)
}

/** Returns the folder that `-C` names, where the line has it. */
function folderOf(words: readonly string[]): string | undefined {
  try {
    return splitCommandLine(words).global.folder?.replace(/^~(?=\/|$)/, process.env.HOME ?? '~')
  } catch {
    return undefined // the value of an option is at the cursor
  }
}

async function findCommand(name: string): Promise<Command | undefined> {
  const known = commandNames.find(known => known === name)
  return known && (await loadCommand(known))
}

/** The word at the cursor may have an open quote. */
function lineOf(given: readonly string[]): ShellLine {
  const { current } = splitShellLine((given.at(-1) ?? '').trimStart())
  return { words: given.slice(0, -1), current, quote: '', replacedFrom: 0, isPlain: true }
}

const FORMATS: Record<string, (candidate: Candidate) => string | undefined> = {
  fish: ({ value, about }) => (about ? `${value}\t${about}` : value),
  // _describe ends the value at a colon; a backslash escapes, in the description too.
  zsh: ({ value, about }) => value.replace(/[\\:]/g, '\\$&') + (about ? `:${about.replaceAll('\\', '\\\\')}` : ''),
}

function inBash({ value }: Candidate, line: ShellLine): string | undefined {
  return line.isPlain ? insertedInBash(value, line) : undefined
}

function answer({ candidates, paths }: Completion, format: (candidate: Candidate) => string | undefined): string {
  if (paths) return `${paths}\n`
  const lines = candidates.map(format).filter(line => line !== undefined)
  return ['words', ...lines, ''].join('\n')
}
