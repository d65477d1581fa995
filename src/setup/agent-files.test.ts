import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { runGit, temporaryRepository } from '../test-support/temporary-repository.ts'
import { briefCommand, MCP_ENTRY } from './agent-commands.ts'
import { agentFiles } from './agent-files.ts'

const FILES = agentFiles('tickets')
const fileAt = (path: string) => FILES.find(file => file.path === path)!
const [MCP, CLAUDE, CODEX] = [fileAt('.mcp.json'), fileAt('.claude/settings.json'), fileAt('.codex/hooks.json')]
const hookOf = (agent: 'claude' | 'codex') => ({
  hooks: [{ type: 'command', command: briefCommand(agent), timeout: 30 }],
})
const HOOK = hookOf('claude')
const BRIEF_COMMAND = briefCommand('claude')
const JSON_FILES = FILES.filter(({ path }) => path.endsWith('.json'))

function added(file: typeof MCP, text: string | null): { after: string; inserted: string[] } {
  const done = file.add(text)
  if ('message' in done) throw new Error(done.message)
  return done
}

test('a new file has only our entries', () => {
  expect(JSON.parse(added(MCP, null).after)).toEqual({ mcpServers: { ticketplan: MCP_ENTRY } })
  expect(JSON.parse(added(CLAUDE, null).after)).toEqual({ hooks: { SessionStart: [HOOK], SubagentStart: [HOOK] } })
  expect(JSON.parse(added(CODEX, null).after)).toEqual({ hooks: { SessionStart: [hookOf('codex')] } })
})

test('hooks of ours that somebody put aside under another key are left as they are', () => {
  const before = added(CLAUDE, '{\n  "other": 1\n}\n').after.replace('"hooks"', '"hooksOff"')
  const { after, inserted } = added(CLAUDE, before)
  expect(CLAUDE.remove(after, inserted)).toBe(before)
})

test('an entry for another server, or a hook that prints the digest in another way, is kept', () => {
  const other = '{"mcpServers": {"ticketplan": {"command": "ticketplan", "args": ["mcp"]}}}'
  expect(MCP.add(other)).toEqual({ message: expect.stringContaining('kept as it is') })
  expect(MCP.remove(other, [])).toBe(other)
  const byHand = '{"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "npx ticketplan brief"}]}]}}'
  expect(CODEX.add(byHand)).toEqual({ after: byHand, inserted: [] })
  expect(CODEX.remove(byHand, [])).toBe(byHand)
})

test('a file that is not JSON, or has another structure, is not changed; the message says what to add by hand', () => {
  for (const text of ['', '{', '{"a": 1,,}', '/ x\n{}', '{} /* x', '[]', 'null', '"x"', '{} {}', '\u0000']) {
    for (const file of JSON_FILES) {
      expect(file.add(text), text).toEqual({
        message: expect.stringMatching(/not (valid JSON|a JSON object); add to it/),
      })
      expect(file.remove(text, ['no such text']), text).toBe(text)
    }
  }
  expect(MCP.add('{"mcpServers": []}')).toEqual({ message: expect.stringContaining('not an object') })
  expect(CLAUDE.add('{"hooks": null}')).toEqual({ message: expect.stringContaining('not an object') })
  expect(CLAUDE.add('{"hooks": {"SubagentStart": {}}}')).toEqual({ message: expect.stringContaining('not an array') })
})

const group = fc.oneof(
  fc.constant({ matcher: 'compact', hooks: [{ type: 'command', command: 'echo "{[" && echo \\}' }] }),
  fc.jsonValue({ maxDepth: 2 }),
)
const events = fc.dictionary(
  fc.constantFrom('SessionStart', 'SubagentStart', 'sessionStart', 'Stop', '"'),
  fc.array(group, { maxLength: 2 }),
)
const settings = fc.record(
  {
    mcpServers: fc.dictionary(fc.constantFrom('other', 'ticket', '}'), fc.jsonValue({ maxDepth: 2 })),
    hooks: events,
    permissions: fc.constant({ allow: ['Bash(a:*)'], deny: [] }),
    'k"e{y': fc.jsonValue({ maxDepth: 3 }),
  },
  { requiredKeys: [] },
)
const text = fc
  .tuple(
    settings,
    fc.constantFrom('', ' ', '  ', '\t', '    '),
    fc.constantFrom('\n', '\r\n'),
    fc.constantFrom('', '\n', '\n\n '),
    fc.constantFrom('{}', '{ }', '{\n  }', '{\r\n\r\n}'),
    fc.constantFrom('[]', '[ ]', '[\n]'),
  )
  .map(([value, unit, eol, end, object, array]) => {
    const written = JSON.stringify(value, null, unit).replaceAll('\n', eol) + end
    // Replaces only whole values, which follow a key or are the document; never a part of a string.
    const odd = written.replace(/(": ?|^)\{\}/g, `$1${object}`).replace(/(": ?)\[\]/g, `$1${array}`)
    return Buffer.from(isJson(odd) ? odd : written).toString('latin1')
  })

function isJson(text: string): boolean {
  try {
    return JSON.parse(text) !== undefined
  } catch {
    return false
  }
}

const say = (latin1: string) => JSON.parse(Buffer.from(latin1, 'latin1').toString())

describe('for any settings', () => {
  for (const file of JSON_FILES.filter(({ path }) => !path.startsWith('.kiro/hooks'))) {
    it(`${file.path}: only additions, none the second time, and the same bytes after the removal`, () => {
      fc.assert(
        fc.property(text, before => {
          const { after, inserted } = added(file, before)
          expect(added(file, after)).toEqual({ after, inserted: [] })
          expect(after.length - before.length).toBe(inserted.join('').length)
          expect(JSON.stringify(say(after))).toContain('ticketplan')
          expect(file.remove(after, inserted)).toBe(before)
        }),
        { numRuns: 400 },
      )
    })

    it(`${file.path}, reformatted: the removal leaves the other values`, () => {
      fc.assert(
        fc.property(text, fc.constantFrom('', '\t', '   '), (before, unit) => {
          const { after, inserted } = added(file, before)
          const formatted = Buffer.from(JSON.stringify(say(after), null, unit)).toString('latin1')
          expect(say(file.remove(formatted, inserted)!)).toEqual(say(before))
          const grown = Buffer.from(JSON.stringify({ ...say(after), more: 1 })).toString('latin1')
          expect(say(file.remove(grown, inserted)!)).toEqual({ ...say(before), more: 1 })
        }),
        { numRuns: 200 },
      )
    })
  }

  it('a new file that was reformatted is removed, and one with other entries stays', () => {
    for (const file of JSON_FILES) {
      const { after, inserted } = added(file, null)
      expect(file.remove(after, inserted)).toBe(null)
      expect(file.remove(JSON.stringify(JSON.parse(after)), inserted)).toBe(null)
      expect(file.remove(JSON.stringify({ ...JSON.parse(after), x: 1 }), inserted)).toBe('{"x":1}')
    }
  })

  it('an entry added later, beside an existing one, is removed alone', () => {
    const before = JSON.stringify({ hooks: { SessionStart: [HOOK] } }, null, 2)
    const { after, inserted } = added(CLAUDE, before)
    expect(JSON.parse(after).hooks).toEqual({ SubagentStart: [HOOK], SessionStart: [HOOK] })
    expect(CLAUDE.remove(after, inserted)).toBe(before)
  })
})

describe('the commands, run by a shell', () => {
  /** A program in place of ticketplan that prints its arguments and its input. */
  const PROGRAM = '#!/bin/sh\necho "ran $*"\ncat\n'

  function run(command: string, cwd: string, env: Record<string, string> = {}): string {
    const path = '/usr/local/bin:/usr/bin:/bin'
    return execFileSync('sh', ['-c', 'echo "from the agent" | sh -c "$1"', 'sh', command], {
      cwd,
      env: { PATH: path, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', ...env },
      encoding: 'utf8',
      stdio: 'pipe',
    })
  }

  function program(path: string): void {
    writeFileSync(path, PROGRAM)
    chmodSync(path, 0o755)
  }

  const MCP_COMMAND = MCP_ENTRY.args[1]!

  it('the digest: no output and no failure where the program is missing or fails', () => {
    using repo = temporaryRepository()
    expect(run(BRIEF_COMMAND, repo.root)).toBe('')
    for (const command of ["'/no/where/node' '/no/where/cli.js'", 'sh -c "echo broken >&2; exit 2"', "'half a word"]) {
      runGit(repo.root, 'config', 'ticketplan.command', command)
      expect(execFileSync('sh', ['-c', `{ ${BRIEF_COMMAND}; } 2>&1`], { cwd: repo.root, encoding: 'utf8' })).toBe('')
    }
    expect(run(BRIEF_COMMAND, '/', { CLAUDE_PROJECT_DIR: '/no/where' })).toBe('')
  })

  it('both run the configured program, in the folder of the project', () => {
    using repo = temporaryRepository()
    const path = join(repo.root, "a 'program'")
    program(path)
    runGit(repo.root, 'config', 'ticketplan.command', `'${path.replaceAll("'", "'\\''")}'`)
    mkdirSync(join(repo.root, 'below'))
    expect(run(BRIEF_COMMAND, join(repo.root, 'below'))).toBe('ran brief --hook claude\nfrom the agent\n')
    expect(run(BRIEF_COMMAND, '/', { CLAUDE_PROJECT_DIR: repo.root })).toBe('ran brief --hook claude\nfrom the agent\n')
    expect(run(MCP_COMMAND, repo.root)).toBe('ran mcp\nfrom the agent\n')
  })

  it('without a configuration both fall back to the program in node_modules', () => {
    using repo = temporaryRepository({ git: false })
    mkdirSync(join(repo.root, 'node_modules/.bin'), { recursive: true })
    program(join(repo.root, 'node_modules/.bin/ticketplan'))
    expect(run(BRIEF_COMMAND, repo.root)).toBe('ran brief --hook claude\nfrom the agent\n')
    expect(run(MCP_COMMAND, repo.root)).toBe('ran mcp\nfrom the agent\n')
  })
})

test('a line goes after the byte order mark of CLAUDE.md', () => {
  const bom = Buffer.from('\ufeff').toString('latin1')
  const { after, inserted } = added(fileAt('CLAUDE.md'), `${bom}# Mine`)
  expect(after).toBe(`${bom}@AGENTS.md\n\n# Mine`)
  expect(fileAt('CLAUDE.md').remove(after, inserted)).toBe(`${bom}# Mine`)
})
