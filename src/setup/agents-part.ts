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
  const planned = why ? { message: `${why}, so it is not changed` } : file.add(readLatin1(path))
  if ('message' in planned) return { skipped: [{ path, message: planned.message }] }
  const { after, inserted } = planned
  return { folders: missingFolders(dirname(path)), files: fileChanges(path, after, { inserted }) }
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
