/** Separates the global options of a command line from the command. Imports nothing: every start of a command runs it. */

export interface GlobalOptions {
  /** Undefined: the working folder, which may no longer exist. */
  folder: string | undefined
  actor: string | undefined
  json: boolean
  help: boolean
  /** True where no resident is to be asked. */
  noResident: boolean
}

export interface CommandLine {
  global: GlobalOptions
  command: string | undefined
  rest: string[]
}

const GLOBAL_VALUES: Record<string, 'folder' | 'actor'> = { '-C': 'folder', '--actor': 'actor' }
const GLOBAL_SWITCHES: Record<string, 'json' | 'help' | 'noResident'> = {
  '--json': 'json',
  '--help': 'help',
  '-h': 'help',
  '--no-resident': 'noResident',
}

/** Separates the global options, which may be anywhere, from the command and its arguments; or names the one without a value. */
export function splitWords(words: readonly string[]): CommandLine | { withoutValue: string } {
  const global: GlobalOptions = { folder: undefined, actor: undefined, json: false, help: false, noResident: false }
  const rest: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    const [name, inline] = splitInline(word)
    const option = Object.hasOwn(GLOBAL_VALUES, name) ? GLOBAL_VALUES[name] : undefined
    if (word === '--') {
      rest.push(...words.slice(i))
      break
    }
    if (option) {
      const value = inline ?? words[++i]
      if (!value || (inline === undefined && value.startsWith('-'))) return { withoutValue: name }
      global[option] = value
    } else if (Object.hasOwn(GLOBAL_SWITCHES, word)) global[GLOBAL_SWITCHES[word]!] = true
    else rest.push(word)
  }
  const first = rest.findIndex(word => !word.startsWith('-'))
  const command = first === -1 ? undefined : rest.splice(first, 1)[0]
  return { global, command, rest }
}

function splitInline(word: string): [name: string, value: string | undefined] {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1
  return equals === -1 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)]
}
