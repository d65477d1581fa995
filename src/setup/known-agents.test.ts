/** Every agent that `init --agents` knows: what it finds, writes, keeps and takes out. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { filesOf, initIn, isWithin, read, undoIn, write } from '../test-support/agent-repository.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'
import { AGENT_NAMES, type AgentName } from './agent-names.ts'
import { detectedAgents } from './agents-part.ts'

test.each(
  AGENT_NAMES,
)('the files of %s equal the golden file, have no path of this machine, and are removed', async name => {
  using repo = temporaryRepository()
  initIn(repo.root, [name])
  const files = filesOf(repo.root)
  const text = files.map(([path, text]) => `=== ${path}\n${text}`).join('\n')
  await expect(text).toMatchFileSnapshot(`golden/agents/${name}.txt`)
  expect(text).not.toContain('/opt/')
  expect(text).not.toContain(repo.root)
  for (const [path, text] of files) if (path.endsWith('.json')) JSON.parse(text)
  expect(existsSync(join(repo.root, 'AGENTS.md'))).toBe(true)
  expect(initIn(repo.root, [name])).toEqual({ made: [], changed: [], removed: [], skipped: [] })
  undoIn(repo.root)
  expect(filesOf(repo.root)).toEqual([])
  expect(readdirSync(repo.root).filter(entry => entry !== '.git' && entry !== 'tickets')).toEqual([])
})

describe('detection', () => {
  test.each([
    ['CLAUDE.md', 'claude'],
    ['.claude/commands/x.md', 'claude'],
    ['.mcp.json', 'claude'],
    ['.codex/x', 'codex'],
    ['GEMINI.md', 'gemini'],
    ['.gemini/settings.json', 'gemini'],
    ['.github/copilot-instructions.md', 'copilot'],
    ['.github/hooks/mine.json', 'copilot'],
    ['.cursor/rules/x.mdc', 'cursor'],
    ['.cursorrules', 'cursor'],
    ['opencode.json', 'opencode'],
    ['.opencode/x', 'opencode'],
    ['.kiro/steering/x.md', 'kiro'],
    ['.vscode/settings.json', 'vscode'],
  ] as [string, AgentName][])('%s shows that a repository uses %s, and only that is set up', (path, name) => {
    using repo = temporaryRepository()
    write(repo.root, path, path.endsWith('.json') ? '{}\n' : 'x\n')
    expect(detectedAgents(repo.root)).toEqual([name])
    initIn(repo.root, 'detected')
    using named = temporaryRepository()
    write(named.root, path, path.endsWith('.json') ? '{}\n' : 'x\n')
    initIn(named.root, [name])
    expect(filesOf(repo.root)).toEqual(filesOf(named.root))
    undoIn(repo.root)
    expect(filesOf(repo.root)).toEqual([[path, path.endsWith('.json') ? '{}\n' : 'x\n']])
  })

  test('without a file of an agent only AGENTS.md is set up, and the report says how to name agents', () => {
    using repo = temporaryRepository()
    const { skipped } = initIn(repo.root, 'detected')
    expect(skipped).toMatchObject([{ message: expect.stringContaining('--agents=claude,codex') }])
    expect(filesOf(repo.root)).toEqual([])
    expect(read(repo.root, 'AGENTS.md')).toContain('ticketplan brief')
  })
})

describe('CLAUDE.md', () => {
  test.each([
    '# Mine\n',
    '# Mine',
    'a\r\nb\r\n',
    '',
  ])('gets the line that brings AGENTS.md in, and loses it again: %j', text => {
    using repo = temporaryRepository()
    write(repo.root, 'CLAUDE.md', text)
    initIn(repo.root, 'detected')
    const after = read(repo.root, 'CLAUDE.md')
    expect(after.split(/\r?\n/)).toContain('@AGENTS.md')
    expect(after.replace(/@AGENTS\.md[\r\n]+/, '')).toBe(text)
    expect(initIn(repo.root, 'detected').changed).toEqual([])
    undoIn(repo.root)
    expect(read(repo.root, 'CLAUDE.md')).toBe(text)
  })

  test('stays beside an AGENTS.md of the repository, with an import, and as a link', () => {
    for (const [mine, text] of [
      ['# Agents\n', '# Claude\n'],
      [null, 'See @AGENTS.md\n'],
    ] as const) {
      using repo = temporaryRepository()
      if (mine) write(repo.root, 'AGENTS.md', mine)
      write(repo.root, 'CLAUDE.md', text)
      initIn(repo.root, 'detected')
      expect(read(repo.root, 'CLAUDE.md')).toBe(text)
    }
    using repo = temporaryRepository()
    symlinkSync('AGENTS.md', join(repo.root, 'CLAUDE.md'))
    expect(initIn(repo.root, ['claude']).skipped).toEqual([])
  })
})

/** True where the short text is the long one without some of its characters. */

describe('files with comments', () => {
  const JSONC = `// mine
{
  // servers, with a "quote and a { brace
  "mcp": {
    /* none
       yet */
  },
  "url": "https://example.org/*x*/", // not a comment
  "list": [1, 2,], "more": {"a": "//", },
}
`
  test.each([
    ['opencode.json', JSONC, 'opencode'],
    ['.vscode/mcp.json', JSONC.replace('"mcp"', '"servers"'), 'vscode'],
    ['.gemini/settings.json', '{ /* x */ "hooks": { // y\n } }', 'gemini'],
    ['.cursor/mcp.json', '{\n  // only this\n}\n', 'cursor'],
    ['.cursor/mcp.json', '{\n\t"mcpServers": { "a": {}, // x\n\t},\n}', 'cursor'],
  ] as const)('%s keeps comments and trailing commas, and is the same after --undo', (path, text, name) => {
    using repo = temporaryRepository()
    write(repo.root, path, text)
    expect(initIn(repo.root, [name]).skipped).toEqual([])
    const after = read(repo.root, path)
    expect(isWithin(text, after)).toBe(true)
    expect(after).toContain('ticketplan')
    expect(initIn(repo.root, [name]).changed).toEqual([])
    undoIn(repo.root)
    expect(read(repo.root, path)).toBe(text)
  })
})

describe('a file in UTF-16', () => {
  const encodings: [string, (text: string) => Buffer][] = [
    ['little-endian', text => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['big-endian', text => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['without a byte order mark', text => Buffer.from(text, 'utf16le')],
  ]
  test.each(encodings)('is left alone and reported, and by --undo too: %s', (_, bytesOf) => {
    using repo = temporaryRepository()
    initIn(repo.root, AGENT_NAMES)
    const paths = ['AGENTS.md', 'CLAUDE.md', ...filesOf(repo.root).map(([path]) => path)]
    undoIn(repo.root)
    const bytes = bytesOf('{ "x": 1 }\n')
    for (const path of paths) {
      mkdirSync(dirname(join(repo.root, path)), { recursive: true })
      writeFileSync(join(repo.root, path), bytes)
    }
    const { skipped } = initIn(repo.root, AGENT_NAMES)
    // CLAUDE.md is not looked at beside an AGENTS.md of the repository.
    expect(skipped.map(({ path }) => path).sort()).toEqual(paths.filter(path => path !== 'CLAUDE.md').sort())
    for (const { message } of skipped) expect(message).toContain('UTF-16')
    undoIn(repo.root)
    for (const path of paths) expect(readFileSync(join(repo.root, path)).equals(bytes), path).toBe(true)
  })

  test('is reported where it is a CLAUDE.md alone', () => {
    using repo = temporaryRepository()
    const bytes = Buffer.from('\ufeff# Mine\n', 'utf16le')
    writeFileSync(join(repo.root, 'CLAUDE.md'), bytes)
    const message = expect.stringContaining('UTF-16')
    expect(initIn(repo.root, 'detected').skipped).toMatchObject([{ path: 'CLAUDE.md', message }])
    expect(readFileSync(join(repo.root, 'CLAUDE.md')).equals(bytes)).toBe(true)
  })
})

describe('Codex’s config.toml', () => {
  test.each([
    '',
    'model = "m"',
    '# c\n[mcp_servers.other]\ncommand = "x"\n',
    '[a]\r\nb = 1\r\n',
    '[mcp_servers]\n',
  ])('gets the server, keeps the rest, and is the same after --undo: %j', text => {
    using repo = temporaryRepository()
    write(repo.root, '.codex/config.toml', text)
    initIn(repo.root, ['codex'])
    const after = read(repo.root, '.codex/config.toml')
    expect(after.startsWith(text)).toBe(true)
    const { mcp_servers: servers, ...rest } = parse(after) as { mcp_servers: Record<string, object> }
    const { mcp_servers: others = {}, ...before } = parse(text) as { mcp_servers?: object }
    expect(rest).toEqual(before)
    expect(servers).toEqual({ ...others, ticketplan: { command: 'sh', args: ['-c', expect.stringContaining('mcp')] } })
    expect(initIn(repo.root, ['codex']).changed).toEqual([])
    undoIn(repo.root)
    expect(read(repo.root, '.codex/config.toml')).toBe(text)
  })

  test.each([
    ['a = [', 'not valid TOML'],
    ['mcp_servers = { other = { command = "x" } }\n', 'a table cannot be added'],
    ['[mcp_servers.ticketplan]\ncommand = "mine"\n', 'kept as it is'],
    ['mcp_servers = 7\n', 'a table cannot be added'],
  ])('is left alone and reported: %j', (text, message) => {
    using repo = temporaryRepository()
    write(repo.root, '.codex/config.toml', text)
    expect(initIn(repo.root, ['codex']).skipped).toMatchObject([
      { path: '.codex/config.toml', message: expect.stringContaining(message) },
    ])
    expect(read(repo.root, '.codex/config.toml')).toBe(text)
  })
})

describe('a plugin of OpenCode', () => {
  test('of an earlier version is replaced; one of somebody else stays and is reported', () => {
    using repo = temporaryRepository()
    initIn(repo.root, ['opencode'])
    const path = '.opencode/plugins/ticketplan.ts'
    const current = read(repo.root, path)
    write(repo.root, path, `${current.split('\n')[0]}\n// old\n`)
    expect(initIn(repo.root, ['opencode']).changed).toEqual([path])
    expect(read(repo.root, path)).toBe(current)
    write(repo.root, path, '// mine\n')
    expect(initIn(repo.root, ['opencode']).skipped).toMatchObject([{ path }])
    expect(read(repo.root, path)).toBe('// mine\n')
    undoIn(repo.root)
    expect(read(repo.root, path)).toBe('// mine\n')
  })
})
