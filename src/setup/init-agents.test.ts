import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { findRepository } from '../files/repository.ts'
import { isWithin, PROGRAMS } from '../test-support/agent-repository.ts'
import { commitAll, runGit, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'
import { briefCommand, MCP_ENTRY } from './agent-commands.ts'
import { type InitOptions, initRepository, type SetUp, undoInit } from './init.ts'

const FILES = ['AGENTS.md', '.mcp.json', '.claude/settings.json', '.codex/config.toml', '.codex/hooks.json']

const initIn = (root: string, options: InitOptions = {}) =>
  initRepository(findRepository(root), { programs: PROGRAMS, agents: ['claude', 'codex'], ...options })
const undoIn = (root: string, options: InitOptions = {}) => undoInit(findRepository(root), options)
const read = (root: string, path: string) => readFileSync(join(root, path), 'latin1')

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text, 'latin1')
}

/** Creates a repository that `init` has set up, with these files committed; git converts no line ends. */
function repositoryWith(files: Record<string, string>) {
  const repo = temporaryRepository()
  runGit(repo.root, 'config', 'core.autocrlf', 'false')
  initIn(repo.root, { agents: false })
  for (const [path, text] of Object.entries(files)) write(repo.root, path, text)
  commitAll(repo.root)
  return repo
}

/** Returns every file and folder below the root except git's own, with its mode and bytes. */
function snapshot(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path => !/^\.git(\/|$)/.test(path))
  return Object.fromEntries(
    paths.sort().map(path => {
      const stat = lstatSync(join(folder, path))
      return [path, `${(stat.mode & 0o777).toString(8)} ${stat.isFile() ? read(folder, path) : ''}`]
    }),
  )
}

/** Returns the lines that `git diff` removes, and whether it adds any. */
function diff(root: string): { removed: string[]; adds: boolean } {
  const lines = runGit(root, 'diff', '--no-color', '--no-ext-diff', '--text').split('\n')
  return {
    removed: lines.filter(line => /^-(?!-- )/.test(line)),
    adds: lines.some(line => /^\+(?!\+\+ )/.test(line)),
  }
}

describe('in a repository without such files', () => {
  it('creates them without a path of this machine, and removes them again', () => {
    using repo = temporaryRepository()
    const before = snapshot(repo.root)
    const done = initIn(repo.root)
    expect(done.made).toEqual(expect.arrayContaining([...FILES, '.claude', '.codex']))
    expect(done.skipped).toEqual([])
    expect(JSON.parse(read(repo.root, '.mcp.json'))).toEqual({ mcpServers: { ticketplan: MCP_ENTRY } })
    const { hooks } = JSON.parse(read(repo.root, '.claude/settings.json'))
    expect(Object.keys(hooks)).toEqual(['SessionStart', 'SubagentStart'])
    expect(hooks.SubagentStart[0].hooks[0]).toMatchObject({ type: 'command', command: briefCommand('claude') })
    for (const path of FILES) {
      expect(read(repo.root, path)).not.toContain('/opt/')
      expect(read(repo.root, path)).not.toContain(repo.root)
    }
    expect(initIn(repo.root)).toEqual({ made: [], changed: [], removed: [], skipped: [] })
    expect(undoIn(repo.root).removed).toEqual(expect.arrayContaining([...FILES, '.claude', '.codex']))
    expect(snapshot(repo.root)).toEqual(before)
    expect(undoIn(repo.root)).toEqual({ made: [], changed: [], removed: [], skipped: [] })
  })

  it('creates none of them without --agents', () => {
    using repo = temporaryRepository()
    initIn(repo.root, { agents: false })
    for (const path of FILES) expect(existsSync(join(repo.root, path)), path).toBe(false)
  })

  it('a dry run reports everything and changes nothing', () => {
    using repo = temporaryRepository()
    write(repo.root, '.mcp.json', '{}')
    const before = snapshot(repo.root)
    const dry = initIn(repo.root, { dryRun: true })
    expect(snapshot(repo.root)).toEqual(before)
    expect(dry.changed).toContain('.mcp.json')
    expect(initIn(repo.root)).toEqual(dry)
    const after = snapshot(repo.root)
    const dryUndo = undoIn(repo.root, { dryRun: true })
    expect(snapshot(repo.root)).toEqual(after)
    expect(undoIn(repo.root)).toEqual(dryUndo)
    expect(snapshot(repo.root)).toEqual(before)
  })

  it('outside git too', () => {
    using folder = temporaryFolder()
    write(folder.path, 'AGENTS.md', '# Mine\n')
    initIn(folder.path)
    expect(read(folder.path, 'AGENTS.md')).toContain('ticketplan brief')
    undoIn(folder.path)
    expect(snapshot(folder.path)).toMatchObject({ 'AGENTS.md': '644 # Mine\n' })
    for (const path of FILES.slice(1)) expect(existsSync(join(folder.path, path)), path).toBe(false)
  })
})

const OTHERS = [{ matcher: 'compact', hooks: [{ type: 'command', command: 'echo "{ [ \\" }" # ticketplan' }] }]
const SETTINGS = {
  permissions: { allow: ['Bash(ls:*)'] },
  hooks: { SessionStart: OTHERS, PreCompact: OTHERS, Stop: [] },
}
const SERVERS = { mcpServers: { other: { command: 'npx', args: ['other', '}'] } }, more: [] }
const crlf = (text: string) => text.replaceAll('\n', '\r\n')
const pretty = (value: unknown, unit: string | number) => JSON.stringify(value, null, unit)

/** Files where each changed object is written on several lines, so that a diff has only additions. */
const OVER_LINES: Record<string, Record<string, string>> = {
  'two blanks': {
    'AGENTS.md': '# Mine\n\nRules.\n',
    '.mcp.json': `${pretty(SERVERS, 2)}\n`,
    '.claude/settings.json': `${pretty(SETTINGS, 2)}\n`,
    '.codex/config.toml': '# Mine\n[mcp_servers.other]\ncommand = "x" # why\n',
    '.codex/hooks.json': `${pretty(SETTINGS, 2)}\n`,
  },
  'tabs without final line breaks': {
    'AGENTS.md': '# Mine\n\nRules.',
    '.mcp.json': pretty(SERVERS, '\t'),
    '.claude/settings.json': pretty(SETTINGS, '\t'),
    '.codex/config.toml': '\tmodel = "m"\n',
    '.codex/hooks.json': pretty({ hooks: { Stop: [] } }, '\t'),
  },
  CRLF: {
    'AGENTS.md': crlf('# Mine\n\nRules.\n'),
    '.mcp.json': crlf(`${pretty(SERVERS, 4)}\n`),
    '.claude/settings.json': crlf(`${pretty({ hooks: { PreCompact: OTHERS } }, 4)}\n`),
    '.codex/config.toml': crlf('model = "m"\n\n[a]\n'),
    '.codex/hooks.json': crlf(pretty(SETTINGS, 1)),
  },
  'without our keys': {
    'AGENTS.md': '\n',
    '.mcp.json': '{\n  "more": {}\n}\n',
    '.claude/settings.json': '{\n      "model": "\u00e4 \\u007b"}',
    '.codex/config.toml': '\n\n',
    '.codex/hooks.json': '{\n\n"description": "x"\n}\n',
  },
  'empty over lines': {
    'AGENTS.md': 'one line',
    '.mcp.json': '{\n  "mcpServers": {\n  }\n}\n',
    '.claude/settings.json': '{\n}\n',
    '.codex/config.toml': '# only a comment\n',
    '.codex/hooks.json': '{\n  "hooks": {\n    "SessionStart": [\n    ]\n  }\n}\n',
  },
}

/** Files where a line has to change, because an object is written on one line. */
const ON_ONE_LINE: Record<string, Record<string, string>> = {
  compact: {
    'AGENTS.md': '',
    '.mcp.json': JSON.stringify(SERVERS),
    '.claude/settings.json': JSON.stringify(SETTINGS),
    '.codex/config.toml': '[mcp_servers]\n',
    '.codex/hooks.json': `${JSON.stringify({ hooks: { SessionStart: [] } })}\n`,
  },
  empty: {
    'AGENTS.md': '# Mine',
    '.mcp.json': '{}',
    '.claude/settings.json': '{ }\n',
    '.codex/config.toml': '',
    '.codex/hooks.json': '{\n  "hooks": {}\n}\n',
  },
  'a byte order mark, and keys with escapes': {
    'AGENTS.md': '\u00ef\u00bb\u00bf# Mine\n',
    '.mcp.json': '\u00ef\u00bb\u00bf{"mcp\\u0053ervers": {}}\r\n',
    '.claude/settings.json': ' {"hooks":{}, "x":"\\\\"}',
    '.codex/config.toml': '[a]\n"b c" = { d = 1 }\n\n\n',
    '.codex/hooks.json': '{"hooks":{"PreCompact":[[[{}]]],"SessionStart":[ ]}}',
  },
}

describe('in a repository with such files', () => {
  for (const [name, files] of Object.entries({ ...OVER_LINES, ...ON_ONE_LINE })) {
    it(`${name}: ${name in OVER_LINES ? 'a diff has only additions' : 'bytes are only added'}, after --undo there is none`, () => {
      using repo = repositoryWith(files)
      const done = initIn(repo.root)
      expect(done).toEqual({ made: [], changed: FILES, removed: [], skipped: [] })
      const { removed, adds } = diff(repo.root)
      expect(adds).toBe(true)
      if (name in OVER_LINES) expect(removed).toEqual([])
      for (const path of FILES) expect(isWithin(files[path]!, read(repo.root, path)), path).toBe(true)
      expect(initIn(repo.root)).toEqual({ made: [], changed: [], removed: [], skipped: [] })
      expect(undoIn(repo.root)).toMatchObject({ changed: expect.arrayContaining(FILES), skipped: [] })
      expect(FILES.map(path => [path, read(repo.root, path)])).toEqual(Object.entries(files))
    })
  }

  it('after --undo the whole checkout is as it was', () => {
    using repo = temporaryRepository()
    for (const [path, text] of Object.entries(OVER_LINES['two blanks']!)) write(repo.root, path, text)
    rmSync(repo.ticketsDir, { recursive: true })
    commitAll(repo.root)
    initIn(repo.root)
    expect(diff(repo.root).removed).toEqual([])
    undoIn(repo.root)
    expect(runGit(repo.root, 'status', '--porcelain', '--ignored')).toBe('')
  })

  it('--undo removes committed entries in the clone that added them, and keeps them in another', () => {
    using repo = repositoryWith(OVER_LINES['two blanks']!)
    initIn(repo.root)
    commitAll(repo.root)
    using other = temporaryFolder()
    const clone = join(other.path, 'clone')
    runGit(other.path, 'clone', '--quiet', repo.root, clone)
    expect(initIn(clone).changed).toEqual(['.git/config'])
    const before = snapshot(clone)
    const undone = undoIn(clone)
    expect(undone.skipped.map(({ path }) => path)).toEqual(expect.arrayContaining(FILES))
    expect(snapshot(clone)).toEqual(before)
    undoIn(repo.root)
    expect(runGit(repo.root, 'diff', '--stat', 'HEAD~1', '--', ...FILES)).toBe('')
  })

  it('lines of another version in AGENTS.md are brought up to date', () => {
    using repo = repositoryWith({})
    initIn(repo.root)
    const current = read(repo.root, 'AGENTS.md')
    write(repo.root, 'AGENTS.md', `# Mine\n${current.replace('## Routing', '## Old routing')}# More`)
    expect(initIn(repo.root)).toMatchObject({ changed: ['AGENTS.md'] })
    expect(read(repo.root, 'AGENTS.md')).toBe(`# Mine\n${current}# More`)
  })

  it('entries that others added since stay', () => {
    using repo = repositoryWith({ '.mcp.json': '{}' })
    initIn(repo.root)
    const { mcpServers } = JSON.parse(read(repo.root, '.mcp.json'))
    write(repo.root, '.mcp.json', pretty({ mcpServers: { ...mcpServers, other: {} } }, 2))
    undoIn(repo.root)
    expect(JSON.parse(read(repo.root, '.mcp.json'))).toEqual({ mcpServers: { other: {} } })
  })

  it('entries that somebody removed already are not reported', () => {
    using repo = repositoryWith(OVER_LINES['two blanks']!)
    initIn(repo.root)
    runGit(repo.root, 'checkout', '--quiet', '--', ...FILES)
    expect(undoIn(repo.root).skipped).toEqual([])
    expect(runGit(repo.root, 'diff', '--stat', '--', ...FILES)).toBe('')
  })

  it('an entry that was changed since is kept and reported', () => {
    using repo = repositoryWith({})
    initIn(repo.root)
    const changed = read(repo.root, '.mcp.json').replace('"sh"', '"dash"')
    write(repo.root, '.mcp.json', changed)
    expect(undoIn(repo.root).skipped).toEqual([
      { path: '.mcp.json', message: expect.stringContaining('was changed since') },
    ])
    expect(read(repo.root, '.mcp.json')).toBe(changed)
  })
})

/** True where the short text is the long one without some of its characters. */

describe('files that are not changed', () => {
  const left = (done: SetUp) => Object.fromEntries(done.skipped.map(({ path, message }) => [path, message]))

  test('links and folders in place of a file, and a file that is not JSON, are reported', () => {
    using repo = repositoryWith({ '.codex/hooks.json': '{"hooks": ', '.codex/config.toml': 'x = [' })
    using outside = temporaryFolder()
    write(outside.path, 'mine.md', '# Outside\n')
    write(outside.path, 'settings.json', '{}')
    symlinkSync(join(outside.path, 'mine.md'), join(repo.root, 'AGENTS.md'))
    symlinkSync(outside.path, join(repo.root, '.claude'))
    mkdirSync(join(repo.root, '.mcp.json'))
    const [inside, beyond] = [snapshot(repo.root), snapshot(outside.path)]
    const done = initIn(repo.root)
    expect(done).toMatchObject({ made: [], changed: [] })
    expect(left(done)).toEqual({
      'AGENTS.md': expect.stringContaining('symbolic link'),
      '.mcp.json': expect.stringContaining('not a regular file'),
      '.claude/settings.json': expect.stringContaining('folder .claude is a symbolic link'),
      '.codex/config.toml': expect.stringContaining('not valid TOML; add to it by hand'),
      '.codex/hooks.json': expect.stringContaining('not valid JSON; add to it by hand'),
    })
    undoIn(repo.root)
    expect(snapshot(repo.root)).toMatchObject(
      Object.fromEntries(FILES.map(path => [path, inside[path]]).filter(([, text]) => text)),
    )
    expect(snapshot(outside.path)).toEqual(beyond)
  })

  test('a read-only file or folder, a file in place of a folder, and a dangling link are reported', () => {
    using repo = repositoryWith({ '.mcp.json': '{}', '.claude': 'a file', '.codex/x': '' })
    chmodSync(join(repo.root, '.mcp.json'), 0o444)
    chmodSync(join(repo.root, '.codex'), 0o555)
    symlinkSync('nowhere', join(repo.root, 'AGENTS.md'))
    const before = snapshot(repo.root)
    const done = initIn(repo.root)
    expect(done).toMatchObject({ made: [], changed: [] })
    expect(left(done)).toEqual({
      'AGENTS.md': expect.stringContaining('symbolic link'),
      '.mcp.json': expect.stringContaining('read-only'),
      '.claude/settings.json': expect.stringContaining('not a folder'),
      '.codex/config.toml': expect.stringContaining('read-only'),
      '.codex/hooks.json': expect.stringContaining('read-only'),
    })
    expect(snapshot(repo.root)).toEqual(before)
    chmodSync(join(repo.root, '.codex'), 0o755)
  })

  test('a link that replaced our file is kept by --undo', () => {
    using repo = repositoryWith({})
    initIn(repo.root)
    rmSync(join(repo.root, '.mcp.json'))
    symlinkSync('AGENTS.md', join(repo.root, '.mcp.json'))
    expect(left(undoIn(repo.root))).toEqual({ '.mcp.json': expect.stringContaining('symbolic link') })
    expect(lstatSync(join(repo.root, '.mcp.json')).isSymbolicLink()).toBe(true)
  })
})
