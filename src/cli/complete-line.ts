/**
 * Computes what can follow on a command line: commands, options, and the values of options and arguments.
 *
 * Everything comes from the definitions of the commands, so a new command or option completes by itself. Names of Tickets,
 * decisions, states and pools come from `Names`. Pure but for loading definitions.
 */
import { KIND_ALIASES, kindHelp } from '../model/decision-kinds.ts'
import type { Command, Completes, Field } from '../operations/operation.ts'
import { globalOptions } from './global-options.ts'
import { flagName } from './parse-arguments.ts'
import { valueSource } from './value-source.ts'

/** One thing that can follow at the cursor. */
export interface Candidate {
  value: string
  about?: string
}

/** What can follow at the cursor: candidates, or paths, which the shell knows better. */
export interface Completion {
  candidates: Candidate[]
  paths?: 'files' | 'folders'
}

/** Names that are not in the definitions. A list has names that begin with the prefix in any case, and may have others. */
export type Names = Record<'command' | Exclude<Completes, 'file' | 'folder' | 'kind'>, NameList>
type NameList = (prefix: string) => Candidate[] | Promise<Candidate[]>

/** What is known before the cursor. */
interface Before {
  command: string | undefined
  fields: Record<string, Field>
  positionals: string[]
  options: Set<string>
  /** The option whose value is at the cursor. */
  pending: string | undefined
  /** True after `--`. */
  literal: boolean
}

export const MAX_CANDIDATES = 200

/**
 * Returns what can follow at the cursor after the words, which do not include the program.
 * `load` returns the definition of a command; undefined where there is none.
 */
export async function completeLine(
  words: readonly string[],
  current: string,
  load: (name: string) => Promise<Command | undefined>,
  names: Names,
): Promise<Completion> {
  const before = await readWords(words, load)
  const completion = await completionAt(before, current, names)
  return { ...completion, candidates: bounded(completion.candidates, current) }
}

async function completionAt(before: Before, current: string, names: Names): Promise<Completion> {
  if (before.pending !== undefined) return valueAt(before, before.pending, '', current, names)
  const equals = current.startsWith('--') && !before.literal ? current.indexOf('=') : -1
  if (equals !== -1) {
    const option = current.slice(0, equals)
    return valueAt(before, option, `${option}=`, current.slice(equals + 1), names)
  }
  if (current.startsWith('-') && !before.literal) return { candidates: optionsAt(before) }
  if (before.command === undefined) return { candidates: await names.command(current) }
  const positionals = Object.values(before.fields).filter(
    ({ positional, afterDashes }) => positional && (!afterDashes || before.literal),
  )
  const last = positionals.at(-1)
  const field = positionals[before.positionals.length] ?? (last?.list ? last : undefined)
  if (field) return valuesOf(field, current, names)
  return before.literal ? { candidates: [], paths: 'files' } : { candidates: optionsAt(before) }
}

async function readWords(
  words: readonly string[],
  load: (name: string) => Promise<Command | undefined>,
): Promise<Before> {
  const before: Before = {
    command: undefined,
    fields: {},
    positionals: [],
    options: new Set(),
    pending: undefined,
    literal: false,
  }
  for (const word of words) {
    if (before.pending !== undefined) before.pending = undefined
    else if (before.literal || word === '-' || !word.startsWith('-')) {
      if (before.command === undefined) {
        before.command = word
        before.fields = namedFields((await load(word))?.fields ?? {})
      } else before.positionals.push(word)
    } else if (word === '--') before.literal = true
    else {
      const [option, inline] = word.startsWith('--') ? word.split('=', 2) : [word]
      before.options.add(option!)
      if (inline === undefined && takesValue(before, option!)) before.pending = option
    }
  }
  return before
}

/** The fields of a command under their names on the command line. */
function namedFields(fields: Record<string, Field>): Record<string, Field> {
  const entries = Object.entries(fields).filter(([, field]) => !field.sdkOnly)
  return Object.fromEntries(entries.map(([name, field]) => [flagName(name), field]))
}

function takesValue(before: Before, option: string): boolean {
  const global = globalOptions.find(({ names }) => names.includes(option))
  if (global) return global.value !== undefined
  const field = optionField(before, option)
  return field?.value !== undefined && !field.optionalValue
}

function optionField({ fields }: Before, option: string): Field | undefined {
  const field = fields[option.replace(/^--/, '')]
  return field?.positional ? undefined : field
}

/** Options that have not been given; a list may be given again. */
function optionsAt({ fields, options, command }: Before): Candidate[] {
  const own = Object.entries(fields).filter(([, { positional }]) => !positional)
  const isOpen = (name: string, field?: Field) => field?.list || !options.has(name)
  const globals = globalOptions.filter(({ withoutCommand }) => !withoutCommand || command === undefined)
  return [
    ...own
      .map(([name, field]) => ({ value: `--${name}`, about: field.help, field }))
      .filter(({ value, field }) => isOpen(value, field))
      .map(({ value, about }) => ({ value, about })),
    ...globals.flatMap(({ names, help }) =>
      names.some(name => options.has(name)) ? [] : names.map(value => ({ value, about: help })),
    ),
  ]
}

/** The values of an option, each behind what of the word must stay: `--kind=`, or the first names of a list. */
async function valueAt(
  before: Before,
  option: string,
  prefix: string,
  given: string,
  names: Names,
): Promise<Completion> {
  if (option === '-C') return { candidates: [], paths: 'folders' }
  const field = optionField(before, option)
  if (!field) return { candidates: [] }
  const start = field.list ? given.lastIndexOf(',') + 1 : 0
  const kept = given.slice(0, start)
  const { candidates, paths } = await valuesOf(field, given.slice(start), names)
  const taken = new Set(kept.split(','))
  const free = candidates.filter(({ value }) => !taken.has(value))
  return { paths, candidates: free.map(candidate => ({ ...candidate, value: prefix + kept + candidate.value })) }
}

async function valuesOf(field: Field, prefix: string, names: Names): Promise<Completion> {
  const { completes, choices } = valueSource(field)
  switch (completes) {
    case 'file':
      return { candidates: [], paths: 'files' }
    case 'folder':
      return { candidates: [], paths: 'folders' }
    case 'kind':
      return { candidates: kindsOf(choices) }
    case undefined:
      return { candidates: choices.map(value => ({ value })) }
    default:
      return { candidates: await names[completes](prefix) }
  }
}

/** The kinds with their meaning, and the second names of those among them. */
function kindsOf(choices: readonly string[]): Candidate[] {
  const aliases = Object.entries(KIND_ALIASES).filter(([, kind]) => choices.includes(kind))
  return [
    ...choices.map(value => ({ value, about: kindHelp(value) })),
    ...aliases.map(([value, kind]) => ({ value, about: kindHelp(kind) })),
  ]
}

/**
 * The candidates that begin with what is typed, or where none does, those that do in another case. No candidate has a control
 * character, which no shell could insert or show.
 */
function bounded(candidates: Candidate[], current: string): Candidate[] {
  const printable = candidates.filter(({ value }) => value !== '' && !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(value))
  const exact = printable.filter(({ value }) => value.startsWith(current))
  const lower = current.toLowerCase()
  const found = exact.length ? exact : printable.filter(({ value }) => value.toLowerCase().startsWith(lower))
  const unique = [...new Map(found.map(candidate => [candidate.value, candidate])).values()]
  // Names come with the two at the end that have the least in common, so these are kept.
  return unique.length <= MAX_CANDIDATES + 2 ? unique : [...unique.slice(0, MAX_CANDIDATES), ...unique.slice(-2)]
}
