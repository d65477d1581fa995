/** The part of `init` for agents: files that they read, added only where asked for. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Repository } from '../files/repository.ts'
import type { AgentFile } from './agent-file.ts'
import { AGENTS, agentFiles } from './agent-files.ts'
import { AGENT_NAMES, type AgentName } from './agent-names.ts'
import { withoutAgentsBlock } from './agents-block.ts'
import { readLatin1 } from './changes.ts'
import { callsTicketplan } from './hook-block.ts'
import { type InitManifest, readManifest } from './init-manifest.ts'
import { fileChanges, joinPlans, missingFolders, type Part, type Plan, planRemoval } from './part.ts'
import { whyNotOurs, whyNotPlain } from './paths.ts'

/** AGENTS.md, and the settings of the agents that were named or that the repository has files of. */
export const agents: Part = {
  plan(repository, { agents = false }) {
    if (agents === false) return {}
    const { root, config } = repository
    const { inserted } = readManifest(repository)
    const names = agents === 'detected' ? detectedAgents(root) : agents
    const files = agentFiles(config.ticketsDir, names).filter(file => isWanted(root, file))
    const plans = files.map(file => planFile(root, file, inserted.get(join(root, file.path)) ?? []))
    return joinPlans(names.length > 0 ? plans : [...plans, { skipped: [noAgent(root)] }])
  },
  undo(repository, manifest) {
    return joinPlans(agentFiles(repository.config.ticketsDir).map(file => undoFile(repository, manifest, file)))
  },
}

/** Returns the agents that a checkout has files of. */
export function detectedAgents(root: string): AgentName[] {
  return AGENT_NAMES.filter(name => AGENTS[name].signs.some(sign => existsSync(join(root, sign))))
}

function noAgent(root: string) {
  const message = `no files of an agent were found here, so only AGENTS.md is set up; name the agents you use: "ticketplan init --agents=${AGENT_NAMES.slice(0, 2).join(',')}" (known: ${AGENT_NAMES.join(', ')})`
  return { path: root, message }
}

/**
 * False for a file that is only changed where it is there. Of CLAUDE.md beside an AGENTS.md of the repository's own, people have
 * decided what it includes; one that is a link is AGENTS.md itself, mostly.
 */
function isWanted(root: string, { path, onlyIfThere }: AgentFile): boolean {
  if (!onlyIfThere) return true
  const full = join(root, path)
  if (!existsSync(full) || whyNotPlain(full)) return false
  const agentsMd = join(root, 'AGENTS.md')
  if (whyNotPlain(agentsMd)) return false
  const text = readLatin1(agentsMd)
  return text === null || withoutAgentsBlock(text) === null
}

function planFile(root: string, file: AgentFile, earlier: readonly string[]): Plan {
  const path = join(root, file.path)
  const why = whyNotOurs(root, path)
  const text = why ? null : readLatin1(path)
  const reason =
    why ?? (text !== null && !isBytewise(text) ? 'it is in UTF-16 or another encoding that is not UTF-8' : null)
  const planned = reason ? { message: `${reason}, so it is not changed` } : file.add(text, earlier)
  if ('message' in planned) return { skipped: [{ path, message: planned.message }] }
  const { after, inserted, isReplaced } = planned
  return { folders: missingFolders(dirname(path)), files: fileChanges(path, after, { inserted, isReplaced }) }
}

/** False for UTF-16 and UTF-32, given the bytes as latin1: text that is added to such a file would be unreadable there. */
function isBytewise(latin1: string): boolean {
  return !latin1.includes('\0') && !/^(?:\xff\xfe|\xfe\xff)/.test(latin1)
}

function undoFile(repository: Repository, manifest: InitManifest, file: AgentFile): Plan {
  const path = join(repository.root, file.path)
  const inserted = manifest.inserted.get(path) ?? []
  const why = whyNotOurs(repository.root, path)
  const plan = why ? {} : planRemoval(repository, manifest, path, text => file.remove(text, inserted))
  const isKept = inserted.length > 0 && !plan.files?.length
  if (!isKept || !(why || callsTicketplan(readLatin1(path) ?? ''))) return plan
  const message = `${why ?? 'what "ticketplan init" added was changed since'}, so it is kept; remove it by hand`
  return joinPlans([plan, { skipped: [{ path, message }] }])
}
