/**
 * Lists the commands: the group of each in the help, and how to load it.
 *
 * A run loads one operation alone: the schemas of the others cost more than a query.
 */
import type { Command, Operation } from '../operations/operation.ts'
import type { OperationName } from '../operations/registry.ts'
import type { StreamingCommand } from './watch.ts'

/** Every operation, and the commands that run until they end. */
export type CommandName =
  | Exclude<OperationName, 'recordAll'>
  | 'fleet'
  | 'keep'
  | 'wait'
  | 'watch'
  | 'view'
  | 'top'
  | ProgramCommand
/** Commands that are about this program, and need no checkout. */
export type ProgramCommand = 'mcp' | 'completion' | 'help'

type Group = 'Set up' | 'Decide' | 'Route' | 'Claim' | 'Look' | 'Git' | 'Maintain'

/** In the order of the help; the commands of a group follow each other. */
const commands: Record<CommandName, { group: Group; load(): Promise<unknown> }> = {
  init: { group: 'Set up', load: async () => (await import('../operations/init.ts')).init },
  import: { group: 'Set up', load: async () => (await import('./import-command.ts')).importCommand },
  mcp: { group: 'Set up', load: async () => (await import('./mcp-command.ts')).mcpCommand },
  completion: { group: 'Set up', load: async () => (await import('./completion-command.ts')).completionCommand },
  fleet: { group: 'Set up', load: async () => (await import('./fleet-command.ts')).fleet },
  add: { group: 'Decide', load: async () => (await import('../operations/add.ts')).add },
  set: { group: 'Decide', load: async () => (await import('../operations/set.ts')).set },
  record: { group: 'Decide', load: async () => (await import('./record-stdin.ts')).recordCommand },
  retract: { group: 'Decide', load: async () => (await import('../operations/retract.ts')).retract },
  undo: { group: 'Decide', load: async () => (await import('../operations/undo.ts')).undo },
  brief: { group: 'Route', load: async () => (await import('../operations/brief.ts')).brief },
  queue: { group: 'Route', load: async () => (await import('../operations/queue.ts')).queue },
  consult: { group: 'Route', load: async () => (await import('../operations/consult.ts')).consult },
  accept: { group: 'Route', load: async () => (await import('../operations/accept.ts')).accept },
  wait: { group: 'Route', load: async () => (await import('./wait.ts')).wait },
  claim: { group: 'Claim', load: async () => (await import('../operations/claim.ts')).claim },
  renew: { group: 'Claim', load: async () => (await import('../operations/claim.ts')).renew },
  release: { group: 'Claim', load: async () => (await import('../operations/claim.ts')).release },
  claims: { group: 'Claim', load: async () => (await import('../operations/claim.ts')).claims },
  keep: { group: 'Claim', load: async () => (await import('./keep.ts')).keep },
  list: { group: 'Look', load: async () => (await import('../operations/list.ts')).list },
  show: { group: 'Look', load: async () => (await import('../operations/show.ts')).show },
  relations: { group: 'Look', load: async () => (await import('../operations/relations.ts')).relations },
  graph: { group: 'Look', load: async () => (await import('../operations/graph.ts')).graph },
  log: { group: 'Look', load: async () => (await import('./log-command.ts')).logCommand },
  scope: { group: 'Look', load: async () => (await import('../operations/scope.ts')).scope },
  overview: { group: 'Look', load: async () => (await import('../operations/overview.ts')).overview },
  top: { group: 'Look', load: async () => (await import('./top.ts')).top },
  view: { group: 'Look', load: async () => (await import('./view.ts')).view },
  watch: { group: 'Look', load: async () => (await import('./watch.ts')).watch },
  sql: { group: 'Look', load: async () => (await import('../operations/sql.ts')).sql },
  db: { group: 'Look', load: async () => (await import('../operations/db.ts')).db },
  export: { group: 'Look', load: async () => (await import('./export-command.ts')).exportCommand },
  help: { group: 'Look', load: async () => (await import('./help-command.ts')).helpCommand },
  resolve: { group: 'Git', load: async () => (await import('../operations/resolve.ts')).resolve },
  'merge-driver': { group: 'Git', load: async () => (await import('../operations/merge-driver.ts')).mergeDriver },
  verify: { group: 'Maintain', load: async () => (await import('../operations/verify.ts')).verify },
  doctor: { group: 'Maintain', load: async () => (await import('../operations/doctor.ts')).doctor },
  sync: { group: 'Maintain', load: async () => (await import('../operations/sync.ts')).sync },
  rebuild: { group: 'Maintain', load: async () => (await import('../operations/sync.ts')).rebuild },
}

/** The names of all commands, in the order of the help. */
export const commandNames = Object.keys(commands) as CommandName[]

/** Returns the definition of a command. Every command that is not about the program can be run over a store. */
export function loadCommand(name: Exclude<CommandName, ProgramCommand>): Promise<Operation | StreamingCommand>
export function loadCommand(name: CommandName): Promise<Command>
export async function loadCommand(name: CommandName): Promise<Command> {
  return (await commands[name].load()) as Command
}

/** Returns the definitions of all commands by group, in the order of the help. */
export async function loadCommandGroups(): Promise<Map<string, Command[]>> {
  const groups = new Map<string, Command[]>()
  for (const name of commandNames) {
    const { group } = commands[name]
    groups.set(group, [...(groups.get(group) ?? []), await loadCommand(name)])
  }
  return groups
}
