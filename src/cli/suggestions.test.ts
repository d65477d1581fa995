import { describe, expect, test } from 'vitest'
import { isPlanError } from '../model/errors.ts'
import type { Command } from '../operations/operation.ts'
import { commandNames, loadCommand } from './commands.ts'
import { flagName, inputFrom } from './parse-arguments.ts'

async function messageOf(name: (typeof commandNames)[number], args: string[]): Promise<string> {
  try {
    inputFrom((await loadCommand(name)) as unknown as Command, args)
  } catch (error) {
    if (isPlanError(error, 'usage')) return error.message
    throw error
  }
  return ''
}

describe('a misspelt option is answered with the nearest one', () => {
  test.each([
    ['accept', '--holdr', '--holder'],
    ['set', '--queued_by', '--queued-by'],
    ['set', '--queuedBy', '--queued-by'],
    ['record', '--supersede', '--supersedes'],
    ['queue', '--jsn', '--json'],
    ['queue', '--JSON', '--json'],
  ] as const)('%s %s: %s', async (command, option, expected) => {
    expect(await messageOf(command, [option])).toContain(
      `unknown option ${option}; did you mean ${expected}? See "ticketplan ${command} --help".`,
    )
  })

  test('every option of every command, with a letter too many, too few or in the other case', async () => {
    for (const name of commandNames) {
      const command = await loadCommand(name)
      const flags = Object.entries(command.fields).filter(([, field]) => !field.positional && !field.sdkOnly)
      for (const flag of flags.map(([field]) => `--${flagName(field)}`)) {
        for (const misspelt of [`${flag}x`, flag.slice(0, -1), flag.toUpperCase()]) {
          if (flags.some(([field]) => `--${flagName(field)}` === misspelt)) continue
          expect(await messageOf(name, [misspelt]), `${name} ${misspelt}`).toMatch(
            new RegExp(`did you mean [^?]*${flag}\\b`),
          )
        }
      }
    }
  })

  test('an option that is like none is answered with all of them', async () => {
    expect(await messageOf('claims', ['--qqqqqqqq'])).toContain('unknown option --qqqqqqqq; the options are --all')
  })
})
