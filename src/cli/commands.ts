/** Loads the one operation that a command line needs: the others' schemas cost more than a query. */
import type { Command, Operation } from '../operations/operation.ts'
import type { OperationName } from '../operations/registry.ts'
import type { StandingCommand } from './watch.ts'

/** Every operation, and what serves or goes on until it is stopped. */
export type CommandName = OperationName | 'watch' | 'mcp'

const loaders: Record<CommandName, () => Promise<unknown>> = {
  init: async () => (await import('../operations/init.ts')).init,
  add: async () => (await import('../operations/add.ts')).add,
  set: async () => (await import('../operations/set.ts')).set,
  record: async () => (await import('../operations/record.ts')).record,
  retract: async () => (await import('../operations/retract.ts')).retract,
  queue: async () => (await import('../operations/queue.ts')).queue,
  consult: async () => (await import('../operations/consult.ts')).consult,
  accept: async () => (await import('../operations/accept.ts')).accept,
  claim: async () => (await import('../operations/claim.ts')).claim,
  renew: async () => (await import('../operations/claim.ts')).renew,
  release: async () => (await import('../operations/claim.ts')).release,
  claims: async () => (await import('../operations/claim.ts')).claims,
  show: async () => (await import('../operations/show.ts')).show,
  relations: async () => (await import('../operations/relations.ts')).relations,
  brief: async () => (await import('../operations/brief.ts')).brief,
  sql: async () => (await import('../operations/sql.ts')).sql,
  db: async () => (await import('../operations/db.ts')).db,
  sync: async () => (await import('../operations/sync.ts')).sync,
  rebuild: async () => (await import('../operations/sync.ts')).rebuild,
  watch: async () => (await import('./watch.ts')).watch,
  verify: async () => (await import('../operations/verify.ts')).verify,
  resolve: async () => (await import('../operations/resolve.ts')).resolve,
  doctor: async () => (await import('../operations/doctor.ts')).doctor,
  import: async () => (await import('../operations/import.ts')).importTickets,
  export: async () => (await import('../operations/export.ts')).exportPlan,
  'merge-driver': async () => (await import('../operations/merge-driver.ts')).mergeDriver,
  mcp: async () => (await import('./mcp-command.ts')).mcpCommand,
}

/** The names of all commands, in the order in which help lists them. */
export const commandNames = Object.keys(loaders) as CommandName[]

/** The definition of a command: the operation behind it, but for those that are none. */
export function loadCommand(name: Exclude<CommandName, 'mcp'>): Promise<Operation | StandingCommand>
export function loadCommand(name: CommandName): Promise<Command>
export async function loadCommand(name: CommandName): Promise<Command> {
  return (await loaders[name]()) as Command
}
