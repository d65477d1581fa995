/** Files of agents that are no JSON: CLAUDE.md, Codex's TOML and OpenCode's plugin. From texts to texts. */
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'smol-toml'
import { isObject } from '../model/objects.ts'
import { briefCommand, MCP_ENTRY } from './agent-commands.ts'
import { type AgentFile, splitBom, withoutTexts } from './agent-file.ts'

const IMPORT_LINE = '@AGENTS.md'

/** The line of CLAUDE.md that brings AGENTS.md in. */
export const claudeMd: AgentFile = {
  path: 'CLAUDE.md',
  onlyIfThere: true,
  add(text) {
    if (text === null || /@(?:\.\/)?AGENTS\.md\b/.test(text)) return { after: text ?? '', inserted: [] }
    if (text === '' || text.endsWith('\n')) return atEnd(text, IMPORT_LINE)
    // The last line stays as it is, so that a diff has only additions.
    const added = `${IMPORT_LINE}\n\n`.replaceAll('\n', lineBreakOf(text))
    const { bom, rest } = splitBom(text)
    return { after: bom + added + rest, inserted: [added] }
  },
  remove: withoutInserted,
}

const SERVER_TABLE = `[mcp_servers.ticketplan]
command = ${JSON.stringify(MCP_ENTRY.command)}
args = ${tomlStrings(MCP_ENTRY.args)}`

/** The server in Codex's configuration: a table at the end of the file. */
export const codexConfig: AgentFile = {
  path: '.codex/config.toml',
  add(text) {
    if (text === null) return { after: `${SERVER_TABLE}\n`, inserted: [`${SERVER_TABLE}\n`] }
    const document = parsedToml(text)
    if (document === undefined) return { message: `it is not valid TOML; add to it by hand:\n${SERVER_TABLE}` }
    const servers = document.mcp_servers
    const known = isObject(servers) ? (servers as Record<string, unknown>).ticketplan : undefined
    if (isDeepStrictEqual(known, MCP_ENTRY)) return { after: text, inserted: [] }
    if (known !== undefined) {
      const message =
        'its table mcp_servers.ticketplan differs from the one that init adds and is kept as it is; to replace it, remove it and run "ticketplan init --agents" again'
      return { message }
    }
    const done = atEnd(text, `\n${SERVER_TABLE}`)
    // A table cannot be added to servers that are written inline, for example.
    if (parsedToml(done.after) === undefined)
      return { message: `a table cannot be added to its mcp_servers; add to it by hand:\n${SERVER_TABLE}` }
    return done
  },
  remove(text, inserted) {
    const rest = withoutInserted(text, inserted)
    if (rest !== text) return rest
    const table = new RegExp(
      `(?:^|\\r?\\n)(?:\\r?\\n)?${SERVER_TABLE.split('\n').map(escapeRegExp).join('\\r?\\n')}(?=\\r?\\n|$)`,
    )
    return text.replace(table, '')
  },
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function tomlStrings(values: readonly string[]): string {
  // A literal string of TOML has no escapes, so a shell command reads as it runs.
  return `[${values.map(value => (value.includes("'") ? JSON.stringify(value) : `'${value}'`)).join(', ')}]`
}

function parsedToml(latin1: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(JSON.stringify(parse(Buffer.from(latin1, 'latin1').toString())))
  } catch {
    return undefined
  }
}

const PLUGIN_MARK = '// Written by "ticketplan init --agents"; a later version replaces the whole file.\n'

const PLUGIN = `${PLUGIN_MARK}// Adds the routing decisions to what OpenCode keeps when it compacts a session.
const command = ${JSON.stringify(briefCommand('opencode'))}

export const TicketplanPlugin = async ({ $, directory }) => ({
  'experimental.session.compacting': async (_input, output) => {
    const brief = await $\`sh -c \${command} < /dev/null\`.cwd(directory).nothrow().quiet().text()
    if (brief.trim() !== '') output.context.push(brief)
  },
})
`

/** A plugin of OpenCode: a file of ours alone. */
export const opencodePlugin: AgentFile = {
  path: '.opencode/plugins/ticketplan.ts',
  add(text) {
    if (text === null || (text !== PLUGIN && text.startsWith(PLUGIN_MARK))) return { after: PLUGIN, inserted: [PLUGIN] }
    if (text === PLUGIN) return { after: text, inserted: [] }
    return {
      message:
        'it is not the plugin that init writes and is kept as it is; remove it and run "ticketplan init --agents" again',
    }
  },
  remove: text => (text.startsWith(PLUGIN_MARK) ? null : text),
}

/** Adds lines at the end of a text; a last line without a line break gets one. */
function atEnd(text: string, lines: string): { after: string; inserted: string[] } {
  const missing = text === '' || text.endsWith('\n') ? '' : '\n'
  const added = `${missing}${lines}\n`.replaceAll('\n', lineBreakOf(text))
  return { after: text + added, inserted: [added] }
}

function lineBreakOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n'
}

/** Removes the inserted texts; null for a file that was new, and is nothing but them. */
function withoutInserted(text: string, inserted: readonly string[]): string | null {
  const { rest } = withoutTexts(text, inserted)
  // What is added to a file that is there, even an empty one, begins with a line break or is one line.
  const wasNew = inserted[0] === `${SERVER_TABLE}\n`
  return rest === '' && wasNew ? null : rest
}
