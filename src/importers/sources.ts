/** The sources, by the names of their systems. */
import { backlog } from './backlog.ts'
import { beads } from './beads.ts'
import { claudeTasks } from './claude-tasks.ts'
import { github } from './github.ts'
import { jira } from './jira.ts'
import { json } from './json.ts'
import { linear } from './linear.ts'
import type { Source } from './source.ts'
import { SOURCE_OPTIONS, type SourceOption } from './source-options.ts'
import { taskMaster } from './task-master.ts'
import { yoi } from './yoi.ts'

export const SOURCES = {
  yoi,
  beads,
  github,
  linear,
  jira,
  backlog,
  'task-master': taskMaster,
  'claude-tasks': claudeTasks,
  json,
} as const satisfies Record<string, Source>

export type System = keyof typeof SOURCES

/** The names of the systems. */
export const SYSTEMS = Object.keys(SOURCES) as System[]

/** Returns the sources that read an option. */
export function systemsWith(option: SourceOption): System[] {
  return SYSTEMS.filter(system => (SOURCES[system] as Source).options.includes(option))
}

/** Returns the options with the systems that read each in its help. */
export function optionFields(): typeof SOURCE_OPTIONS {
  const named = Object.entries(SOURCE_OPTIONS).map(([name, option]) => {
    const help = `${systemsWith(name as SourceOption).join(', ')}: ${option.help}`
    return [name, { ...option, help }]
  })
  return Object.fromEntries(named)
}

/** Returns the first option that is given and that the system does not read. */
export function unreadOption(system: System, given: Record<string, unknown>): SourceOption | undefined {
  const { options } = SOURCES[system] as Source
  return (Object.keys(SOURCE_OPTIONS) as SourceOption[]).find(
    name => given[name] !== undefined && given[name] !== false && !options.includes(name),
  )
}
