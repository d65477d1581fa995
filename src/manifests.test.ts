/**
 * The manifests that other programs read from the package, against the rules of their published schemas.
 *
 * The schemas in test-support/manifest-schemas state those rules for what these files use: Agent Plugins 1.0.0, the MCP
 * registry's server.json of 2025-12-11, and the plugin and marketplace reference of Claude Code.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { briefCommand, MCP_ENTRY } from './setup/agent-commands.ts'
import { PACKAGE_ROOT } from './test-support/run-cli.ts'

const readJson = (...path: string[]) => JSON.parse(readFileSync(join(PACKAGE_ROOT, ...path), 'utf8'))
const PACKAGE = readJson('package.json')

/**
 * The name in the MCP registry, whose namespace is the owner of the repository. Without a repository it is a placeholder, which
 * docs/agents.md calls one.
 */
function registryName(repository: string | { url: string } | undefined): string {
  const url = typeof repository === 'string' ? repository : repository?.url
  const owner = url && /github(?:\.com)?[:/]([^/]+)\//.exec(url)?.[1]
  return `io.github.${owner ?? 'ticketplan'}/${PACKAGE.name}`
}

/** The paths of the problems that a schema has with a document. */
function problems(schema: string, document: unknown): string[] {
  const parsed = z.fromJSONSchema(readJson('src', 'test-support', 'manifest-schemas', schema)).safeParse(document)
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, code, message }) => `${path.join('.')} ${code} ${message}`)
}

/** Each manifest with its schema, and changes that the schema must refuse. */
const MANIFESTS: [path: string, schema: string, broken: ((document: Record<string, unknown>) => object)[]][] = [
  [
    '.claude-plugin/plugin.json',
    'claude-plugin.json',
    [({ name: _, ...rest }) => rest, all => ({ ...all, name: 'Ticket Plan' }), all => ({ ...all, skill: './skills' })],
  ],
  [
    'hooks/hooks.json',
    'claude-hooks.json',
    [() => ({}), all => ({ ...all, hooks: { SessionStart: {} } }), () => ({ hooks: { PreCompact: [] } })],
  ],
  [
    '.claude-plugin/marketplace.json',
    'claude-marketplace.json',
    [({ owner: _, ...rest }) => rest, all => ({ ...all, plugins: [{ name: 'x' }] })],
  ],
  [
    'plugin.json',
    'agent-plugin.json',
    [({ $schema: _, ...rest }) => rest, all => ({ ...all, name: 'a--b' }), all => ({ ...all, hooks: {} })],
  ],
  [
    'mcp.json',
    'agent-plugin-mcp.json',
    [
      all => ({ ...all, mcpServers: { x: { command: 'sh' } } }),
      all => ({ ...all, mcpServers: { x: { type: 'stdio', command: '' } } }),
    ],
  ],
  [
    'server.json',
    'mcp-server.json',
    [
      all => ({ ...all, name: 'ticketplan' }),
      all => ({ ...all, description: 'x'.repeat(101) }),
      all => ({
        ...all,
        packages: [{ registryType: 'npm', identifier: 'x', version: 'latest', transport: { type: 'stdio' } }],
      }),
    ],
  ],
]

describe.each(MANIFESTS)('%s', (path, schema, broken) => {
  const document = readJson(...path.split('/'))

  test('follows its schema, which refuses other documents', () => {
    expect(problems(schema, document)).toEqual([])
    for (const change of broken) expect(problems(schema, change(document)), String(change)).not.toEqual([])
  })

  test('is in the package, and has its version', () => {
    expect(PACKAGE.files.some((entry: string) => path === entry || path.startsWith(`${entry}/`))).toBe(true)
    const versions = [
      document.version,
      ...[...(document.plugins ?? []), ...(document.packages ?? [])].map(({ version }) => version),
    ]
    for (const version of versions.filter(version => version !== undefined)) expect(version).toBe(PACKAGE.version)
    expect(JSON.stringify(document)).not.toContain(PACKAGE_ROOT)
  })
})

test('the plugins start the server and the hooks that init --agents writes', () => {
  const { mcpServers } = readJson('.claude-plugin', 'plugin.json')
  const { hooks } = readJson('hooks', 'hooks.json')
  expect(mcpServers).toEqual({ ticketplan: MCP_ENTRY })
  for (const event of ['SessionStart', 'SubagentStart'])
    expect(hooks[event]).toEqual([{ hooks: [{ type: 'command', command: briefCommand('claude'), timeout: 30 }] }])
  expect(readJson('mcp.json').mcpServers.ticketplan).toEqual({ type: 'stdio', ...MCP_ENTRY })
  expect(existsSync(join(PACKAGE_ROOT, 'skills', 'ticketplan', 'SKILL.md'))).toBe(true)
  const { name, packages } = readJson('server.json')
  expect(PACKAGE.mcpName).toBe(name)
  expect(name).toBe(registryName(PACKAGE.repository))
  expect(packages[0].identifier).toBe(PACKAGE.name)
})

test('the name in the registry comes from the repository; without one the docs call it a placeholder', () => {
  expect(registryName('github:someone/plan')).toBe(`io.github.someone/${PACKAGE.name}`)
  expect(registryName({ url: 'git+https://github.com/someone/plan.git' })).toBe(`io.github.someone/${PACKAGE.name}`)
  const docs = readFileSync(join(PACKAGE_ROOT, 'docs', 'agents.md'), 'utf8')
  expect(/`io\.github\.ticketplan\/ticketplan`\s+is a\s+placeholder/.test(docs)).toBe(PACKAGE.repository === undefined)
})
