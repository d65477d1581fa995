import { resolve } from 'node:path'
import { command, oneOf } from '../operations/operation.ts'
import { completionScript, SHELLS, type Shell } from './completion-script.ts'

/** Prints the script that completes commands, options and names in a shell. Not an operation: it is about this program. */
export const completionCommand = command({
  name: 'completion',
  summary: 'Print the script that completes ticketplan in a shell',
  details: `It completes commands, options and their values, and the Tickets and decisions of the repository: with their titles in zsh and fish. Names come from the index as it is; no Ticket file is read unless there is no index yet.
Put the line for your shell into ~/.bashrc, or into ~/.zshrc below the one with compinit. For fish, write a file once.`,
  fields: { shell: { schema: oneOf(SHELLS), help: SHELLS.join(', '), positional: true } },
  examples: [
    'source <(ticketplan completion bash)',
    'source <(ticketplan completion zsh)',
    'ticketplan completion fish > ~/.config/fish/completions/ticketplan.fish',
  ],
})

/** Returns the script, which asks the program that runs now. */
export function completionText(shell: Shell): string {
  return completionScript(shell, [process.execPath, resolve(process.argv[1]!)])
}
