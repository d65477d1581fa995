/** The part of `init` for agents: files that they read, added only where asked for. */
import { dirname, join } from 'node:path'
import type { Repository } from '../files/repository.ts'
import { type AgentFile, agentFiles } from './agent-files.ts'
import { readLatin1 } from './changes.ts'
import { callsTicketplan } from './hook-block.ts'
import type { InitManifest } from './init-manifest.ts'
import { fileChanges, joinPlans, missingFolders, type Part, type Plan, planRemoval } from './part.ts'
import { whyNotOurs } from './paths.ts'

/** AGENTS.md, .mcp.json and the settings with the hooks of agents. */
export const agents: Part = {
  plan({ root, config }, { agents }) {
    return agents ? joinPlans(agentFiles(config.ticketsDir).map(file => planFile(root, file))) : {}
  },
  undo(repository, manifest) {
    return joinPlans(agentFiles(repository.config.ticketsDir).map(file => undoFile(repository, manifest, file)))
  },
}

function planFile(root: string, file: AgentFile): Plan {
  const path = join(root, file.path)
  const why = whyNotOurs(root, path)
  const text = why ? null : readLatin1(path)
  const reason =
    why ?? (text !== null && !isBytewise(text) ? 'it is in UTF-16 or another encoding that is not UTF-8' : null)
  const planned = reason ? { message: `${reason}, so it is not changed` } : file.add(text)
  if ('message' in planned) return { skipped: [{ path, message: planned.message }] }
  const { after, inserted } = planned
  return { folders: missingFolders(dirname(path)), files: fileChanges(path, after, { inserted }) }
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
