/** Makes the help texts from the definitions of the commands. Pure: the width, in columns, is an argument. */
import type { Command, Field } from '../operations/operation.ts'
import { globalOptions } from './global-options.ts'
import { flagName, isOptional } from './parse-arguments.ts'
import { twoColumns, wrap } from './wrap.ts'

export type Row = readonly [name: string, explanation: string]

/** Those of a command, or those of the program. */
function optionRows(ofCommand: boolean): Row[] {
  return globalOptions
    .filter(({ withoutCommand }) => !withoutCommand || !ofCommand)
    .map(({ names, value, help }) => [names.join(', ') + (value ? ` <${value}>` : ''), help])
}

/** The exit statuses with what they mean. */
export const EXIT_STATUSES: readonly Row[] = [
  ['0', 'done; for consult: accept'],
  ['1', 'failed; the message says what to do'],
  ['2', 'wrong usage'],
  ['3', 'the verdict is hold, or a claim was refused'],
  ['4', 'problems were found, or an import left something out'],
  ['5', 'renew, keep: the server of the fleet cannot be reached, and the claim may still be live'],
  ['7', 'wait: the time-out'],
  ['75', 'keep: the claim was lost'],
]

/** Returns the help of the program: all commands by group. */
export function programHelp(version: string, groups: ReadonlyMap<string, readonly Command[]>, width: number): string {
  const nameWidth = Math.max(...[...groups.values()].flat().map(({ name }) => name.length))
  return textOf([
    wrap(`ticketplan ${version}: durable routing decisions about Tickets`, width),
    wrap('Usage: ticketplan <command> [arguments] [options]', width, ' '.repeat(7)),
    ...[...groups].map(([group, commands]) =>
      section(
        group,
        twoColumns(
          commands.map(({ name, summary }) => [name.padEnd(nameWidth), summary]),
          width,
        ),
      ),
    ),
    section('Global options', twoColumns(optionRows(false), width)),
    section('Exit status', twoColumns(EXIT_STATUSES, width)),
    section('Examples', [
      '  ticketplan init',
      '  ticketplan add A --title "Record schema" --state queued',
      '  ticketplan queue',
    ]),
    wrap(
      '"ticketplan <command> --help" explains a command, with examples; "ticketplan help" lists other topics.',
      width,
    ),
  ])
}

/** Returns the help of one command. */
export function commandHelp(command: Command, width: number): string {
  return textOf([...commandSections(command, width), section('Global options', twoColumns(optionRows(true), width))])
}

/** Returns what is particular to one command: its help without the global options. */
export function commandReference(command: Command, width: number): string {
  return textOf(commandSections(command, width))
}

function commandSections(command: Command, width: number): string[][] {
  const { summary, details, examples, form } = command
  return [
    wrap(`${summary}.`, width),
    ...formSections(command, width),
    ...(form ? formSections(form.command, width, [`--${form.flag}`]) : []),
    ...(details ? [wrap(details, width)] : []),
    section(
      'Examples',
      examples.map(example => `  ${example}`),
    ),
  ]
}

/** Returns usage, arguments and options of one form of a command. */
function formSections({ name, fields }: Command, width: number, flags: string[] = []): string[][] {
  const entries = Object.entries(fields).filter(([, field]) => !field.sdkOnly)
  const positional = entries.filter(([, field]) => field.positional)
  const named = entries.filter(([, field]) => !field.positional)
  const required = named.filter(([, field]) => !isOptional(field))
  const usage = [
    `Usage: ticketplan ${name}`,
    ...flags,
    ...positional.filter(([, field]) => !field.afterDashes).map(argumentText),
    ...required.map(([name, field]) => optionText(name, field)),
    ...(named.length > required.length ? ['[options]'] : []),
    ...positional.filter(([, field]) => field.afterDashes).map(entry => `-- ${argumentText(entry)}`),
  ]
  const rows = (fields: [string, Field][]) =>
    twoColumns(
      fields.map(([name, field]) => [
        field.positional ? `<${flagName(name)}>` : optionText(name, field),
        helpText(field),
      ]),
      width,
    )
  return [
    wrap(usage.join(' '), width, ' '.repeat(7)),
    ...(positional.length ? [section('Arguments', rows(positional))] : []),
    ...(named.length ? [section('Options', rows(named))] : []),
  ]
}

function argumentText([name, field]: [string, Field]): string {
  const text = `<${flagName(name)}>${field.list ? '…' : ''}`
  return isOptional(field) ? `[${text}]` : text
}

function optionText(name: string, { value, optionalValue }: Field): string {
  if (optionalValue) return `--${flagName(name)}[=<${value}>]`
  return `--${flagName(name)}${value ? ` <${value}>` : ''}`
}

function helpText(field: Field): string {
  const stdin = field.stdin ? '; "-" reads it from standard input' : ''
  return field.help + stdin + (field.positional || isOptional(field) ? '' : ' (required)')
}

/** A part of a help text: its heading and lines. */
export function section(heading: string, lines: readonly string[]): string[] {
  return [`${heading}:`, ...lines]
}

/** Returns the sections as one text, with an empty line between them. */
export function textOf(sections: readonly (readonly string[])[]): string {
  return sections.map(lines => `${lines.join('\n')}\n`).join('\n')
}
