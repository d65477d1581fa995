/** The help texts, made from the operations' definitions. */
import type { Command } from '../operations/operation.ts'
import { operations } from '../operations/registry.ts'
import { commandNames } from './commands.ts'
import { mcpCommand } from './mcp-command.ts'
import { flagName, isOptional } from './parse-arguments.ts'
import { watch } from './watch.ts'

const GLOBAL_HELP = `Options of every command:
  -C <folder>     work in that folder's repository
  --actor <name>  the author of decisions (default: $TICKETPLAN_ACTOR, else git's user.name)
  --json          print one JSON document
  -h, --help      this text
`

const EXIT_HELP = `Exit status: 0 done (consult: accept), 1 failed, 2 wrong usage, 3 verdict hold or claim refused, 4 problems found.
`

/** The list of all commands. */
export function programHelp(version: string): string {
  const definitions: Record<string, Command> = { ...operations, watch, mcp: mcpCommand }
  const all = commandNames.map(name => definitions[name]!)
  const width = Math.max(...all.map(({ name }) => name.length))
  const lines = all.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return `ticketplan ${version}: durable routing decisions about Tickets

Usage: ticketplan <command> [arguments] [options]

Commands:
${lines.join('\n')}

${GLOBAL_HELP}  --version       print the version

${EXIT_HELP}
A first look:
  ticketplan init
  ticketplan add A --title "Record schema" --state queued
  ticketplan queue
"ticketplan <command> --help" tells more, with examples.
`
}

/** The help of one command. */
export function commandHelp(operation: Command): string {
  const entries = Object.entries(operation.fields).filter(([, field]) => !field.sdkOnly)
  const positional = entries.filter(([, field]) => field.positional)
  const named = entries.filter(([, field]) => !field.positional)
  const usage = [
    'ticketplan',
    operation.name,
    ...positional.map(([name, field]) => (isOptional(field) ? `[<${flagName(name)}>]` : `<${flagName(name)}>`)),
    ...(named.length ? ['[options]'] : []),
  ].join(' ')
  const left = (name: string, positional: boolean, value?: string) =>
    positional ? `<${flagName(name)}>` : `--${flagName(name)}${value ? ` <${value}>` : ''}`
  const rows = [...positional, ...named].map(([name, field]) => {
    const required = field.positional || isOptional(field) ? '' : ' (required)'
    return [left(name, field.positional === true, field.value), field.help + required] as const
  })
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  const list = rows.map(([name, help]) => `  ${name.padEnd(width)}  ${help}`).join('\n')
  return `${operation.summary}.

Usage: ${usage}
${list ? `\n${list}\n` : ''}${operation.details ? `\n${operation.details}\n` : ''}
Examples:
${operation.examples.map(example => `  ${example}`).join('\n')}

${GLOBAL_HELP}`
}
