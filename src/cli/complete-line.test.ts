import { describe, expect, test } from 'vitest'
import type { Command } from '../operations/operation.ts'
import { commandNames, loadCommand } from './commands.ts'
import { type Candidate, completeLine, MAX_CANDIDATES, type Names } from './complete-line.ts'
import { flagName } from './parse-arguments.ts'

const named = (...values: string[]): Candidate[] => values.map(value => ({ value }))

const NAMES: Names = {
  command: () => named(...commandNames),
  topic: () => named('queue', 'kinds'),
  ticket: () => named('T-1', 'T-2', 't-low'),
  decision: () => named('01JX8Z3V7Q4T9K2M5N6P7R8S9T'),
  state: () => named('In Review', 'queued'),
  area: () => [{ value: 'menu' }],
  pool: () => named('gpu'),
}

async function load(name: string): Promise<Command | undefined> {
  const known = commandNames.find(known => known === name)
  return known && (await loadCommand(known))
}

/** What can stand at the end of the line, whose words are separated by one blank. */
async function at(line: string, names = NAMES): Promise<string[] | string> {
  const words = line.split(' ')
  const { candidates, paths } = await completeLine(words.slice(0, -1), words.at(-1)!, load, names)
  return paths ?? candidates.map(({ value }) => value)
}

describe('completes', () => {
  test.each<[string, string | string[]]>([
    ['sho', ['show']],
    ['-C /tmp --json cons', ['consult']],
    ['-C ', 'folders'],
    ['consult ', ['T-1', 'T-2', 't-low']],
    ['consult T', ['T-1', 'T-2']],
    ['consult T-L', ['t-low']],
    ['consult --holder x T-2', ['T-2']],
    ['consult -- T-2', ['T-2']],
    ['record T-1 con', ['conflicts_with', 'contains']],
    ['record T-1 do', ['do_not_parallelize']],
    ['record T-1 blocked_by T-2', ['T-2']],
    ['record T-1 waiting_for_capacity --until T-1,', ['T-1,T-2', 'T-1,t-low']],
    ['record T-1 waiting_for_capacity --until=T-1,T', ['--until=T-1,T-2']],
    ['record T-1 note --supersedes 01', ['01JX8Z3V7Q4T9K2M5N6P7R8S9T']],
    ['relations --status=sup', ['--status=superseded']],
    ['relations --ticket T-1 --kind pa', ['part_of']],
    ['retract ', ['01JX8Z3V7Q4T9K2M5N6P7R8S9T']],
    ['set T-1 --state In', ['In Review']],
    ['claim T-1 --pool ', ['gpu']],
    ['claim T-1 --worktree ', 'folders'],
    ['import ', ['yoi', 'beads', 'github', 'linear', 'jira', 'backlog', 'task-master', 'claude-tasks', 'json']],
    ['import beads ', 'files'],
    ['import yoi x --map-root=', 'folders'],
    ['export m', ['mermaid']],
    ['completion ', ['bash', 'zsh', 'fish']],
    ['help k', ['kinds']],
    ['set T-1 --t', ['--title']],
    ['init --agents=c', ['--agents=claude', '--agents=codex', '--agents=copilot', '--agents=cursor']],
    ['init --agents=claude,co', ['--agents=claude,codex', '--agents=claude,copilot']],
    ['init --agents --dry', ['--dry-run']],
    ['consult T-1 --holder ', []],
    ['consult --nonsense', []],
    ['nonsense ', ['-C', '--actor', '--json', '--no-resident', '-h', '--help']],
    ['db --', ['--actor', '--json', '--no-resident', '--help']],
    ['--v', ['--version']],
    ['db --v', []],
    ['db x --json ', ['-C', '--actor', '--no-resident', '-h', '--help']],
    ['db -- x', 'files'],
    ['keep T-1 --rel', ['--release']],
    ['keep T-1 --token 7 --release --state q', ['queued']],
    ['keep T-1 --token 7 -- npm ', 'files'],
    ['keep T-1 --token 7 --ttl 30m --grace 1 --release --state done --actor x --json --no-resident --help -C . ', []],
  ])('%s', async (line, expected) => {
    expect(await at(line)).toEqual(expected)
  })

  test('every option of every command, and what it takes names of', async () => {
    for (const name of commandNames) {
      const { fields } = await loadCommand(name)
      for (const [field, definition] of Object.entries(fields)) {
        if (definition.sdkOnly) continue
        const option = `--${flagName(field)}`
        if (!definition.positional) expect(await at(`${name} ${option}`), name).toContain(option)
        const isTicket = /id or slug|the other Ticket/.test(definition.help)
        if (isTicket && definition.positional && field === Object.keys(fields)[0])
          expect(await at(`${name} T`), name).toEqual(['T-1', 'T-2'])
        if (isTicket && !definition.positional) expect(await at(`${name} ${option} T`), name).toEqual(['T-1', 'T-2'])
        if (field === 'state') expect(await at(`${name} x ${option} q`), name).toEqual(['queued'])
        if (field === 'pool') expect(await at(`${name} x ${option} `), name).toEqual(['gpu'])
      }
    }
  })

  test('an option once, a list again', async () => {
    expect(await at('record T-1 hold --reason x --re')).toEqual([])
    expect(await at('record T-1 note --until T-1 --unt')).toEqual(['--until'])
  })
})

test('a kind comes with its meaning', async () => {
  const { candidates } = await completeLine(['record', 'A'], 'hold', load, NAMES)
  expect(candidates).toEqual([{ value: 'hold', about: expect.stringContaining('until somebody retracts') }])
})

test('the answer is bounded, keeps the two names at the ends, and repeats none', async () => {
  const many = Array.from({ length: 5000 }, (_, n) => `T-${n}`)
  const answer = (await at('show ', { ...NAMES, ticket: () => named(...many, 'A-1', 'Z-1') })) as string[]
  expect(answer.length).toBe(MAX_CANDIDATES + 2)
  expect(answer.slice(-2)).toEqual(['A-1', 'Z-1'])
  expect(await at('show ', { ...NAMES, ticket: () => named('B', 'A', 'B') })).toEqual(['B', 'A'])
})

test('a name with a control character, which no shell could insert, is left out', async () => {
  const strange = ['a\nb', 'a\u001b[31m', 'a\u202eb', '', 'a$(x)']
  expect(await at('set T --state ', { ...NAMES, state: () => named(...strange) })).toEqual(['a$(x)'])
})
