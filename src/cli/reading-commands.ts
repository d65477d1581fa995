/**
 * The commands that a resident may answer: those that only read, and end by themselves. A test keeps the list equal to the
 * definitions of the commands, which are too slow to load before a resident is asked. Imports nothing at run time.
 */
import type { CommandLine } from './command-words.ts'

/** By name, the options with which a command runs alone. */
export const READING_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  brief: ['hook'],
  queue: [],
  consult: [],
  claims: [],
  list: [],
  show: [],
  relations: [],
  graph: [],
  log: ['follow'],
  scope: ['diff'],
  overview: [],
  db: [],
}

/** True where a resident may answer the command line. */
export function isReading({ global, command, rest }: CommandLine): boolean {
  if (command === undefined || global.help || global.noResident || !Object.hasOwn(READING_COMMANDS, command))
    return false
  const alone = READING_COMMANDS[command]!
  return !rest.some(word => alone.some(flag => word === `--${flag}` || word.startsWith(`--${flag}=`)))
}

/** True for a word of a command line that may be the name of a reading command. */
export function isReadingWord(word: string): boolean {
  return Object.hasOwn(READING_COMMANDS, word)
}
