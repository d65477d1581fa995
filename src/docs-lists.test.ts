/** Compares the lists in docs/ with what the code defines. Reads code spans in tables, never sentences. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadCommandGroups } from './cli/commands.ts'
import { EXIT_STATUS } from './cli/exit-status.ts'
import { programHelp } from './cli/help.ts'
import { DEFAULT_WIDTH } from './cli/wrap.ts'
import { readConfig } from './files/config.ts'
import type { Folders } from './mcp/folders.ts'
import { PROMPTS } from './mcp/prompts.ts'
import { BRIEF_URI, QUEUE_URI, TICKET_TEMPLATE } from './mcp/resources.ts'
import { toolsOf } from './mcp/tools.ts'
import type { ErrorCode, ErrorData } from './model/errors.ts'
import { REASON_CODES } from './model/reasons.ts'
import { agentFiles } from './setup/agent-files.ts'
import { AGENT_NAMES } from './setup/agent-names.ts'
import type { OpenOptions } from './store/store.ts'
import { PACKAGE_ROOT } from './test-support/run-cli.ts'
import type { TicketEvent } from './watch/watch.ts'

const page = (name: string) => readFileSync(join(PACKAGE_ROOT, 'docs', name), 'utf8')

/** Returns the text below a heading, up to the next heading. */
function sectionOf(name: string, heading: string): string {
  const text = page(name)
  const start = text.indexOf(`\n## ${heading}\n`)
  expect(start, `docs/${name}: heading "${heading}"`).toBeGreaterThan(-1)
  const rest = text.slice(start + heading.length + 5)
  const end = rest.search(/^## /m)
  return end === -1 ? rest : rest.slice(0, end)
}

/** Returns the rows of the first table below a heading; each cell as its text. */
function tableBelow(name: string, heading: string): string[][] {
  const lines = sectionOf(name, heading).split('\n')
  const start = lines.findIndex(line => line.startsWith('|'))
  const length = lines.slice(start).findIndex(line => !line.startsWith('|'))
  return lines
    .slice(start, length === -1 ? undefined : start + length)
    .slice(2)
    .map(cellsOf)
}

function cellsOf(row: string): string[] {
  return row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map(cell => cell.trim())
}

function spansOf(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(match => match[1]!)
}

const firstSpans = (rows: string[][]) => rows.flatMap(([first]) => spansOf(first!))

const SERVER = { host: true, port: true, database: true, user: true } as const
/** The fields of an error's data; the compiler checks that none is missing and none is invented. */
const ERROR_DATA: { [C in ErrorCode]: Record<keyof ErrorData[C], true> } = {
  invalid_input: { field: true },
  usage: { command: true },
  unknown_ticket: { ticket: true, similar: true },
  ambiguous_slug: { slug: true, tickets: true },
  ticket_exists: { ticket: true, path: true },
  slug_taken: { slug: true, ticket: true },
  unknown_decision: { decision: true },
  self_relation: { ticket: true },
  parent_ring: { tickets: true },
  hold_protected: { ticket: true, decisions: true },
  no_ticket_file: { ticket: true },
  not_recorded: { failed: true },
  nothing_to_undo: { by: true },
  undo_refused: { ticket: true },
  unknown_pool: { pool: true, pools: true },
  limit: { limit: true },
  invalid_file: { path: true, refusal: true, place: true },
  newer_format: { path: true, format: true },
  not_checked_out: { path: true },
  not_initialized: { root: true },
  bad_config: { path: true },
  unsafe_path: { path: true },
  busy: { lock: true, waitedMs: true, holder: true },
  contended: { path: true },
  io: { path: true, syscallCode: true, answer: true },
  database: { path: true, sqliteCode: true },
  no_actor: {},
  sql_refused: {},
  sql_failed: {},
  sql_timeout: { timeoutSeconds: true },
  no_git: { folder: true },
  git_failed: { command: true, status: true, stderr: true },
  import_source: { path: true, place: true },
  no_fleet: { root: true },
  fleet_not_joined: { fleet: true },
  fleet_required: { fleet: true },
  fleet_url: { source: true },
  fleet_unreachable: { ...SERVER, waitedMs: true, sent: true },
  fleet_denied: { ...SERVER, sqlState: true },
  fleet_unknown: { ...SERVER, fleet: true },
  fleet_schema: { ...SERVER, version: true, expected: true },
  fleet_failed: { ...SERVER, sqlState: true },
}
const OPEN_OPTIONS: Record<keyof OpenOptions, true> = {
  root: true,
  actor: true,
  now: true,
  newId: true,
  onNotice: true,
  onProgress: true,
  busyTimeoutMs: true,
}
const EVENT_FIELDS: Record<keyof TicketEvent, true> = {
  ticket: true,
  path: true,
  change: true,
  decisions: true,
  removed: true,
  verdicts: true,
}

describe('docs/sdk.md', () => {
  test('lists every error code with its data and its meaning', () => {
    const rows = tableBelow('sdk.md', 'Errors')
    expect(firstSpans(rows).sort()).toEqual(Object.keys(EXIT_STATUS).sort())
    for (const [code, data, meaning] of rows) {
      const [name] = spansOf(code!)
      expect(spansOf(data!).sort(), name).toEqual(Object.keys(ERROR_DATA[name as ErrorCode]).sort())
      expect(meaning, name).toMatch(/\w/)
    }
  })

  test('lists every reason code', () => {
    expect(firstSpans(tableBelow('sdk.md', 'Reasons')).sort()).toEqual([...REASON_CODES].sort())
  })

  test('lists every option of openPlan and every field of an event', () => {
    expect(firstSpans(tableBelow('sdk.md', 'openPlan(options)')).sort()).toEqual(Object.keys(OPEN_OPTIONS).sort())
    expect(firstSpans(tableBelow('sdk.md', 'Watching')).sort()).toEqual(Object.keys(EVENT_FIELDS).sort())
  })
})

describe('docs/mcp.md', () => {
  test('lists every tool, and says which of them write', () => {
    const tools = toolsOf(undefined as unknown as Folders, false).list()
    const rows = tableBelow('mcp.md', 'Tools')
    expect(firstSpans(rows).sort()).toEqual(tools.map(({ name }) => name).sort())
    for (const [names, , writes] of rows) {
      for (const name of spansOf(names!)) {
        const { annotations } = tools.find(tool => tool.name === name)!
        expect(writes === '', name).toBe(annotations?.readOnlyHint)
      }
    }
  })

  test('lists every resource and every prompt', () => {
    expect(firstSpans(tableBelow('mcp.md', 'Resources')).sort()).toEqual([QUEUE_URI, BRIEF_URI, TICKET_TEMPLATE].sort())
    expect(firstSpans(tableBelow('mcp.md', 'Prompts')).sort()).toEqual(PROMPTS.map(({ name }) => name).sort())
  })
})

describe('docs/cli.md', () => {
  test('lists every global option', async () => {
    const help = programHelp('0', await loadCommandGroups(), DEFAULT_WIDTH)
    const options = help.split('Global options:\n')[1]!.split('\n\n')[0]!
    const names = [...options.matchAll(/^ {2}(-.+?) {2}/gm)].flatMap(match => match[1]!.split(', '))
    expect(firstSpans(tableBelow('cli.md', 'Options of every command')).sort()).toEqual(names.sort())
  })

  test('shows the default configuration', () => {
    const [, json] = /```json\n([\s\S]*?)```/.exec(sectionOf('cli.md', 'Configuration')) ?? []
    const { fleet: _, ...defaults } = readConfig(join(PACKAGE_ROOT, 'no-such-file')) // no fleet is an absent key
    expect(JSON.parse(json!)).toEqual(defaults)
  })
})

describe('docs/agents.md', () => {
  test('lists every file that init --agents writes, and every agent that brief --hook knows', () => {
    const paths = tableBelow('agents.md', 'Files').map(([, path]) => spansOf(path!)[0])
    expect(paths.sort()).toEqual(
      agentFiles('tickets')
        .map(({ path }) => path)
        .sort(),
    )
    const agents = firstSpans(tableBelow('agents.md', 'What the agents do with the output'))
    expect([...new Set(agents)].sort()).toEqual([...AGENT_NAMES].sort())
  })
})
