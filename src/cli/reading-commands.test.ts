import { expect, test } from 'vitest'
import type { Command, Operation } from '../operations/operation.ts'
import { splitWords } from './command-words.ts'
import { commandNames, loadCommand } from './commands.ts'
import { flagName } from './parse-arguments.ts'
import { isReading, READING_COMMANDS } from './reading-commands.ts'

test('the list has every command that only reads and is not alone, with the options that make it alone', async () => {
  const derived: Record<string, string[]> = {}
  for (const name of commandNames) {
    const command = (await loadCommand(name)) as Command & Partial<Operation>
    if (command.writes !== false || command.alone) continue
    const fields = Object.entries(command.fields).filter(([, field]) => field.alone)
    const flags = [...fields.map(([field]) => flagName(field)), ...(command.form ? [command.form.flag] : [])]
    derived[name] = flags
  }
  expect(READING_COMMANDS).toEqual(derived)
})

test.each([
  ['consult T-1', true],
  ['-C /x --actor me consult T-1 --json', true],
  ['consult T-1 --help', false],
  ['consult T-1 --no-resident', false],
  ['record T-1 note', false],
  ['--actor consult record T-1 note', false],
  ['log', true],
  ['log --follow', false],
  ['brief --hook=claude', false],
  ['scope T-1 --diff main', false],
  ['toString', false],
  ['', false],
])('a resident is asked about "%s": %s', (line, isAsked) => {
  const split = splitWords(line.split(' ').filter(Boolean))
  expect('withoutValue' in split ? undefined : isReading(split)).toBe(isAsked)
})

test('what follows "--" is no option', () => {
  const split = splitWords(['consult', '--', '--no-resident'])
  expect('withoutValue' in split ? undefined : isReading(split)).toBe(true)
})
