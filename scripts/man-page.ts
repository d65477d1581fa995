/**
 * Makes the manual page, ticketplan(1), from the definitions of the commands.
 *
 * One page, because the commands are short and a reader searches: `man ticketplan`, then `/`. It has no date, so that its bytes
 * depend on the definitions and the version alone. Pure.
 */
import { globalOptions } from '../src/cli/global-options.ts'
import { EXIT_STATUSES } from '../src/cli/help.ts'
import { ENVIRONMENT, FILES, kindRows, reasonRows } from '../src/cli/help-topics.ts'
import { flagName, isOptional } from '../src/cli/parse-arguments.ts'
import type { Command, Field } from '../src/operations/operation.ts'

type Row = readonly [name: string, explanation: string]

/** Returns the page in the language of roff, with the macros of man(7). */
export function manPage(version: string, groups: ReadonlyMap<string, readonly Command[]>): string {
  const commands = [...groups].flatMap(([group, commands]) => [
    `.SH ${group.toUpperCase()} COMMANDS`.replace('.SH LOOK COMMANDS', '.SH COMMANDS THAT LOOK'),
    ...commands.flatMap(commandLines),
  ])
  const lines = [
    '.\\" Written by "npm run docs" from the definitions of the commands.',
    `.TH TICKETPLAN 1 "" "ticketplan ${escaped(version)}" "User Commands"`,
    '.nh',
    '.ad l',
    '.SH NAME',
    'ticketplan \\- durable routing decisions about Tickets',
    '.SH SYNOPSIS',
    '.B ticketplan',
    `.RI [ options ]\n.I command\n.RI [ arguments ]`,
    '.SH DESCRIPTION',
    ...paragraph(
      'ticketplan keeps the decisions of an orchestrator about the Tickets of a repository: which Ticket waits for which, which two must not run side by side, what is on hold, and with which plan a Ticket was accepted. Each Ticket has a file in git; an index derived from the files answers whether a queued Ticket may be accepted now.',
    ),
    '.SH OPTIONS',
    ...globalOptions.flatMap(({ names, value, help }) =>
      tagged([names.join(', ') + (value ? ` <${value}>` : ''), help]),
    ),
    ...commands,
    ...listing('KINDS OF DECISION', kindRows()),
    ...listing('REASONS OF A VERDICT', reasonRows()),
    ...listing('EXIT STATUS', EXIT_STATUSES),
    ...listing('ENVIRONMENT', ENVIRONMENT),
    ...listing('FILES', FILES),
    '.SH SEE ALSO',
    '.BR git (1),',
    '.BR sqlite3 (1)',
  ]
  // A heading begins a paragraph by itself.
  const needed = lines.filter((line, n) => line !== '.PP' || !/^\.S[HS] /.test(lines[n - 1] ?? ''))
  return `${needed.join('\n')}\n`
}

function commandLines({ name, summary, details, fields, examples }: Command): string[] {
  const entries = Object.entries(fields).filter(([, field]) => !field.sdkOnly)
  const usage = entries
    .filter(([, field]) => field.positional || !isOptional(field))
    .sort(([, a], [, b]) => Number(a.afterDashes ?? false) - Number(b.afterDashes ?? false))
    .map(([name, field]) => (field.afterDashes ? '-- ' : '') + usageOf(name, field))
  return [
    `.SS ticketplan ${escaped([name, ...usage].join(' '))}`,
    ...paragraph(`${summary}.`),
    ...entries.flatMap(([name, field]) => tagged([optionText(name, field), field.help])),
    ...paragraph(details ?? ''),
    ...example(examples),
  ]
}

function usageOf(name: string, field: Field): string {
  const text = optionText(name, field)
  return field.positional && isOptional(field) ? `[${text}]` : text
}

function optionText(name: string, { positional, value, optionalValue }: Field): string {
  if (positional) return `<${flagName(name)}>`
  if (optionalValue) return `--${flagName(name)}[=<${value}>]`
  return `--${flagName(name)}${value ? ` <${value}>` : ''}`
}

function listing(heading: string, rows: readonly Row[]): string[] {
  return [`.SH ${heading}`, ...rows.flatMap(tagged)]
}

/** A term, and below it what it means. */
function tagged([name, explanation]: Row): string[] {
  return ['.TP', `\\fB${escaped(name)}\\fR`, ...textLines(explanation)]
}

/** Paragraphs; indented lines are an example. */
function paragraph(text: string): string[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .flatMap(line => (/^\s/.test(line) ? example([line.trim()]) : ['.PP', ...textLines(line)]))
}

function example(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['.PP', '.EX', ...lines.map(line => `    ${escaped(line)}`), '.EE']
}

/** Text with each sentence on its own line, as roff wants it. */
function textLines(text: string): string[] {
  return escaped(text)
    .split(/(?<=[a-z)"][.;:]) (?=\S)/)
    .map(line => line.replace(/^[.']/, '\\&$&'))
}

/** Returns text in which roff reads no escape, no request, and no hyphen that it may print as another character. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha')
    .replace(/^\./gm, '\\&.')
}
