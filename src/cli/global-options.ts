/** The options that every command takes: for the help, the parser's hints and completion. */

interface GlobalOption {
  /** The names, the short one first. */
  names: readonly string[]
  /** The placeholder of the value; an option without one is a switch. */
  value?: string
  help: string
  /** True for an option that is given in place of a command. */
  withoutCommand?: true
}

/** In the order of the help. */
export const globalOptions: readonly GlobalOption[] = [
  { names: ['-C'], value: 'folder', help: "work in that folder's repository" },
  {
    names: ['--actor'],
    value: 'name',
    help: "the author of decisions (default: $TICKETPLAN_ACTOR, else git's user.name)",
  },
  { names: ['--json'], help: 'print one JSON document' },
  {
    names: ['--no-resident'],
    help: 'never let a running watch or mcp answer (also: TICKETPLAN_NO_RESIDENT=1)',
  },
  { names: ['-h', '--help'], help: 'print this help' },
  { names: ['--version'], help: 'print the version', withoutCommand: true },
]
