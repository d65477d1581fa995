import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isPlanError } from '../model/errors.ts'
import { firstIssue } from '../model/first-issue.ts'
import type { Command } from '../operations/operation.ts'
import { openPlan } from '../sdk.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { commandNames, loadCommand } from './commands.ts'
import { flagName, inputFrom } from './parse-arguments.ts'
import { valueSource } from './value-source.ts'

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

test('a misspelt value of every option and argument that has a list of them is answered with the nearest one', async () => {
  let checked = 0
  for (const name of commandNames) {
    const command = (await loadCommand(name)) as unknown as Command
    for (const [field, definition] of Object.entries(command.fields)) {
      const { choices } = valueSource(definition)
      for (const choice of choices.filter(choice => choice.length > 3)) {
        const given = definition.list ? [`${choice}q`] : `${choice}q`
        const message = firstIssue(definition.schema, given)?.message
        expect(message, `${name} ${field}`).toMatch(new RegExp(`did you mean [^?]*${choice}`))
        checked++
      }
    }
  }
  expect(checked).toBeGreaterThan(20)
})

test('a misspelt pool, state and id', async () => {
  using repository = temporaryRepository()
  const { root } = repository
  writeFileSync(join(root, 'ticketplan.json'), '{"pools":{"graphics":1}}')
  putTicket(root, 'A', { state: 'queued' })
  using plan = openPlan({ root, actor: 'ann' })
  const recorded = plan.record({ ticket: 'A', kind: 'waiting_for_capacity', pool: 'graphisc' })
  expect(recorded.warnings).toEqual([expect.stringContaining('did you mean graphics?')])
  expect(() => plan.claim({ ticket: 'A', holder: 'pod', pool: 'graphcs' })).toThrow('did you mean graphics?')
  expect(plan.set({ ticket: 'A', state: 'qeued' }).warnings).toEqual([expect.stringContaining('did you mean queued?')])
  expect(() => plan.consult('a')).toThrow('did you mean A?')
})
