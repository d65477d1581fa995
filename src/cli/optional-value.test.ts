import { expect, test } from 'vitest'
import { init } from '../operations/init.ts'
import type { Command } from '../operations/operation.ts'
import { parseInput } from '../operations/operation.ts'
import { argumentNames, inputFrom } from './parse-arguments.ts'

const command = init as unknown as Command
const agentsOf = (...args: string[]) => parseInput(init, inputFrom(command, args), argumentNames(command)).agents

test('an option whose value is optional takes it after "=", and is true without', () => {
  expect(agentsOf()).toBe(false)
  expect(agentsOf('--agents')).toBe(true)
  expect(agentsOf('--agents=claude,codex', '--dry-run')).toEqual(['claude', 'codex'])
  expect(agentsOf('--agents', '--agents=kiro')).toEqual(['kiro'])
  expect(() => agentsOf('--agents', 'claude')).toThrow(/unexpected argument "claude"/)
  expect(() => agentsOf('--agents=')).toThrow(/--agents= has no value; name one, or leave out the "="/)
  expect(() => agentsOf('--agents=,')).toThrow(/--agents: must not be empty/)
  expect(agentsOf('--agents', '--')).toBe(true)
})

test('an unknown agent is refused with the nearest names', () => {
  expect(() => agentsOf('--agents=claude,clade')).toThrow(
    /--agents: unknown agent "clade"; did you mean claude\? \(the agents are claude, codex/,
  )
  expect(() => agentsOf('--agents=VSCode')).toThrow(/unknown agent "VSCode"; did you mean vscode\?/)
  expect(() => agentsOf('--agents=42')).toThrow(/unknown agent "42"; the agents are claude/)
  for (const agents of [[7], 'claude', null, {}]) {
    expect(() => parseInput(init, { agents })).toThrow(/init: agents.*claude/)
  }
  expect(() => parseInput(init, { agents: [] })).toThrow(/init: agents: must not be empty/)
})
