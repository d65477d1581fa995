/**
 * Adds the entries of `init --agents` to the files of agents, and removes them: from texts to texts.
 *
 * These files are committed, so no entry contains a path of this machine: commands read the program from the clone's git
 * configuration, as the hooks do, and fall back to the installed one. Existing entries are kept.
 */
import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../model/objects.ts'
import { withAgentsBlock, withoutAgentsBlock } from './agents-block.ts'
import {
  type Grown,
  type JsonPath,
  newJson,
  parseLatin1Json,
  withFirstElement,
  withFirstMember,
  withoutItems,
} from './json-insertion.ts'

/** A file of the checkout with entries of ours; texts are its bytes as latin1. */
export interface AgentFile {
  /** From the root, with "/". */
  path: string
  /** Returns the file with the entries and the texts that were inserted, in order; or why it cannot be changed. `null` is no file. */
  add(text: string | null): { after: string; inserted: string[] } | { message: string }
  /** Returns the file without the entries; null for a file of them alone. `inserted` comes from `add`; empty where it is unknown. */
  remove(text: string, inserted: readonly string[]): string | null
}

const PROGRAM = '$(git config --get ticketplan.command || echo ticketplan)'
const FIND = 'PATH="$PATH:node_modules/.bin"'

/** The entry with which a client starts the MCP server of a clone. */
export const MCP_ENTRY = { command: 'sh', args: ['-c', `${FIND} && eval "exec ${PROGRAM} mcp"`] }

/** The shell command that prints the digest. Prints nothing and succeeds where ticketplan is not installed. */
export const BRIEF_COMMAND = `(cd "\${CLAUDE_PROJECT_DIR:-.}" && ${FIND} && eval "${PROGRAM} brief") </dev/null 2>/dev/null || :`

const HOOK = { hooks: [{ type: 'command', command: BRIEF_COMMAND, timeout: 30 }] }

/** Returns the files of agents, in the order in which they are written. */
export function agentFiles(ticketsDir: string): AgentFile[] {
  return [
    {
      path: 'AGENTS.md',
      add(text) {
        const after = withAgentsBlock(text, ticketsDir)
        if (after === null) return { message: 'one of the two marker comments of its ticketplan lines is missing' }
        return { after, inserted: [] }
      },
      remove: withoutAgentsBlock,
    },
    { path: '.mcp.json', add: addServer, remove: (text, inserted) => takeOut(text, inserted, withoutServer) },
    hookFile('.claude/settings.json', ['SessionStart', 'PreCompact']),
    hookFile('.codex/hooks.json', ['SessionStart']),
  ]
}

function addServer(text: string | null): ReturnType<AgentFile['add']> {
  const servers = { ticketplan: MCP_ENTRY }
  const byHand = `; add to it by hand: "mcpServers": ${JSON.stringify(servers)}`
  if (text === null) return newFile({ mcpServers: servers })
  const document = parseLatin1Json(text)
  if (!isObject(document)) return { message: `${notJson(document)}${byHand}` }
  const known = document.mcpServers
  if (known === undefined) return steps(text, [text => withFirstMember(text, [], 'mcpServers', servers)])
  if (!isObject(known)) return { message: `its "mcpServers" is not an object${byHand}` }
  if (known.ticketplan === undefined) {
    return steps(text, [text => withFirstMember(text, ['mcpServers'], 'ticketplan', MCP_ENTRY)])
  }
  if (isDeepStrictEqual(known.ticketplan, MCP_ENTRY)) return steps(text, [])
  const message =
    'its entry "ticketplan" differs from the one that init adds and is kept as it is; to replace it, remove it and run "ticketplan init --agents" again'
  return { message }
}

function withoutServer(text: string, wasOurs: (opening: string) => boolean): string {
  const rest = withoutItems(
    text,
    ['mcpServers'],
    (value, key) => key !== 'ticketplan' || !isDeepStrictEqual(value, MCP_ENTRY),
  )
  return rest === text || !wasOurs('"mcpServers":{') ? rest : withoutEmpty(rest, [], 'mcpServers')
}

function hookFile(path: string, events: readonly string[]): AgentFile {
  const byHand = `; add to it by hand a hook for ${events.join(' and ')} that runs "ticketplan brief"`
  return {
    path,
    add(text) {
      const all = { hooks: Object.fromEntries(events.map(event => [event, [HOOK]])) }
      if (text === null) return newFile(all)
      const document = parseLatin1Json(text)
      if (!isObject(document)) return { message: `${notJson(document)}${byHand}` }
      const { hooks } = document
      if (hooks === undefined) return steps(text, [text => withFirstMember(text, [], 'hooks', all.hooks)])
      if (!isObject(hooks)) return { message: `its "hooks" is not an object${byHand}` }
      const odd = events.find(event => hooks[event] !== undefined && !Array.isArray(hooks[event]))
      if (odd) return { message: `its "${odd}" is not an array${byHand}` }
      const missing = events.filter(event => !((hooks[event] ?? []) as unknown[]).some(printsBrief))
      // Each insertion becomes the first item, so the last event is inserted first.
      const added = missing
        .toReversed()
        .map(
          event => (text: string) =>
            hooks[event] === undefined
              ? withFirstMember(text, ['hooks'], event, [HOOK])
              : withFirstElement(text, ['hooks', event], HOOK),
        )
      return steps(text, added)
    },
    remove: (text, inserted) =>
      takeOut(text, inserted, (text, wasOurs) => {
        let rest = text
        for (const event of events) {
          rest = withoutItems(rest, ['hooks', event], value => !isDeepStrictEqual(value, HOOK))
          if (rest !== text && wasOurs(`"${event}":[`)) rest = withoutEmpty(rest, ['hooks'], event)
        }
        return rest === text || !wasOurs('"hooks":{') ? rest : withoutEmpty(rest, [], 'hooks')
      }),
  }
}

/** True for a group of hooks of which one prints the digest, added by init or by hand. */
function printsBrief(group: unknown): boolean {
  return isObject(group) && /ticketplan\b.*\bbrief\b/s.test(JSON.stringify(group.hooks ?? null))
}

function newFile(document: unknown): { after: string; inserted: string[] } {
  const after = newJson(document)
  return { after, inserted: [after] }
}

/** Applies insertions one after the other. */
function steps(text: string, added: readonly ((text: string) => Grown)[]): { after: string; inserted: string[] } {
  const inserted: string[] = []
  let after = text
  for (const add of added) {
    const grown = add(after)
    after = grown.after
    inserted.push(grown.added)
  }
  return { after, inserted }
}

/** Removes the entries by their structure. `wasOurs` is true for an opening, such as `"hooks":{`, that was inserted. */
type ByStructure = (text: string, wasOurs: (opening: string) => boolean) => string

/** Removes the inserted texts; where the file was reformatted since, removes the entries by their structure. */
function takeOut(text: string, inserted: readonly string[], byStructure: ByStructure): string | null {
  let rest = text
  let isWhole = inserted.length > 0
  for (const added of inserted.toReversed()) {
    const at = rest.lastIndexOf(added)
    if (at === -1) isWhole = false
    else rest = rest.slice(0, at) + rest.slice(at + added.length)
  }
  if (rest === '' && text !== '') return null
  const isJson = parseLatin1Json(rest) !== undefined
  if (isWhole && isJson) return rest
  const from = isJson ? rest : text
  if (parseLatin1Json(from) === undefined) return text
  const wasOurs = (opening: string) => inserted.some(added => added.replace(/\s/g, '').includes(opening))
  rest = byStructure(from, wasOurs)
  const wasNew = inserted.some(added => added.startsWith('{') && added.endsWith('}\n'))
  return wasNew && isDeepStrictEqual(parseLatin1Json(rest), {}) ? null : rest
}

function withoutEmpty(text: string, path: JsonPath, key: string): string {
  return withoutItems(
    text,
    path,
    (value, name) => name !== key || !(isDeepStrictEqual(value, {}) || isDeepStrictEqual(value, [])),
  )
}

function notJson(document: unknown): string {
  return document === undefined ? 'it is not valid JSON' : 'it is not a JSON object'
}
