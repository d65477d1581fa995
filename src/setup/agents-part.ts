/** The part of `init` for agents: files that they read, added only where asked for. */
import { dirname, join } from 'node:path'
import type { Repository } from '../files/repository.ts'
import { type AgentFile, agentFiles } from './agent-files.ts'
import { readLatin1 } from './changes.ts'
import { callsTicketplan } from './hook-block.ts'
import type { InitNote } from './init-note.ts'
import { fileChanges, joinPlans, missingFolders, type Part, type Plan, planRemoval } from './part.ts'
import { whyNotOurs } from './paths.ts'

/** AGENTS.md, .mcp.json and the settings with the hooks of agents. */
export const agents: Part = {
  plan({ root, config }, { agents }) {
    return agents ? joinPlans(agentFiles(config.ticketsDir).map(file => planFile(root, file))) : {}
  },
  undo(repository, note) {
    return joinPlans(agentFiles(repository.config.ticketsDir).map(file => undoFile(repository, note, file)))
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

function undoFile(repository: Repository, note: InitNote, file: AgentFile): Plan {
  const path = join(repository.root, file.path)
  const inserted = note.inserted.get(path) ?? []
  const why = whyNotOurs(repository.root, path)
  const plan = why ? {} : planRemoval(repository, note, path, text => file.remove(text, inserted))
  const isKept = inserted.length > 0 && !plan.files?.length
  if (!isKept || !(why || callsTicketplan(readLatin1(path) ?? ''))) return plan
  const message = `${why ?? 'what "ticketplan init" added was changed since'}, so it is kept; remove it by hand`
  return joinPlans([plan, { skipped: [{ path, message }] }])
}
