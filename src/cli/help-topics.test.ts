import { describe, expect, test } from 'vitest'
import { DECISION_KINDS, RELATION_KINDS } from '../model/decision-kinds.ts'
import { isPlanError } from '../model/errors.ts'
import { REASON_CODES } from '../model/reasons.ts'
import { DEFAULT_STATES } from '../model/states.ts'
import { commandNames, loadCommand, loadCommandGroups } from './commands.ts'
import { EXIT_STATUS } from './exit-status.ts'
import { helpText } from './help-command.ts'
import { TOPICS } from './help-topics.ts'

const commands = { version: '1.2.3', commandNames, loadCommand, loadCommandGroups }
const help = (topic: string | undefined, width = 80) => helpText(topic, commands, width)

/** The names in the first column of a page. */
async function namesOf(topic: string): Promise<string[]> {
  const lines = (await help(topic, 100)).split('\n')
  return lines.flatMap(line => /^ {2}(\S+)(?: |$)/.exec(line)?.[1] ?? [])
}

describe('a topic lists what its table has', () => {
  test('kinds, verdicts and states', async () => {
    expect(await namesOf('kinds')).toEqual([...new Set([...Object.keys(DECISION_KINDS), ...RELATION_KINDS])].sort())
    expect(await namesOf('verdicts')).toEqual(REASON_CODES)
    expect(await namesOf('states')).toEqual(Object.keys(DEFAULT_STATES))
    const text = (await help('states')).replace(/\s+/g, ' ')
    for (const state of Object.values(DEFAULT_STATES).flat()) expect(text).toContain(state)
  })

  test('exit-status has every status that an error or an operation can have', async () => {
    const statuses = await namesOf('exit-status')
    for (const status of [0, ...Object.values(EXIT_STATUS), 3, 4]) expect(statuses).toContain(String(status))
  })

  test.each([40, 60, 80, 100])('no line is wider than %i columns, but for single words', async width => {
    for (const topic of Object.keys(TOPICS)) {
      for (const line of (await help(topic, width)).split('\n'))
        if (line.trim().includes(' ') && !/^ {2}</.test(line)) expect(line.length, line).toBeLessThanOrEqual(width)
    }
  })
})

test('a command is a topic, and without one there is the list of both', async () => {
  expect(await help('accept')).toMatch(/^Accept a queued Ticket/)
  const all = await help(undefined)
  for (const name of [...commandNames, ...Object.keys(TOPICS)]) expect(all).toMatch(new RegExp(`^ {2}${name} `, 'm'))
})

test('no topic has the name of a command', () => {
  expect(Object.keys(TOPICS).filter(topic => (commandNames as string[]).includes(topic))).toEqual([])
})

test.each([
  ['verdict', 'did you mean verdicts?'],
  ['kidns', 'did you mean kinds?'],
  ['Exit_Status', 'did you mean exit-status?'],
  ['acept', 'did you mean accept?'],
  ['qqqqqq', 'the topics are kinds, verdicts'],
  ['constructor', 'no command or topic "constructor"'],
])('help %s: %s', async (topic, hint) => {
  const error = await help(topic).catch((error: unknown) => error)
  expect(isPlanError(error, 'usage') && error.message).toContain(hint)
})
