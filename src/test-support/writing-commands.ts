/** Every command that writes Ticket files, claims or the setup of a checkout, ready to run under a fault. */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OperationName } from '../operations/registry.ts'
import { openPlan, type Plan } from '../sdk.ts'
import type { Acknowledged } from './check-after-fault.ts'
import type { RunOptions } from './run-cli.ts'
import {
  putTicket,
  runGit,
  type TemporaryRepository,
  temporaryFolder,
  temporaryRepository,
} from './temporary-repository.ts'

/** A command and the state of the repository that it finds. */
export interface WritingCommand {
  operation: OperationName
  /** The file in the root that is its standard input. */
  stdin?: string
  /** Brings the repository into that state; returns the arguments of the command. */
  prepare(plan: Plan, root: string): string[]
  /** How a second run ends that finds its work done: an error code, an exit status, or it does something else again. */
  done?: { code?: string; status?: number; isOther?: true }
}

const accepted = (plan: Plan) => plan.accept({ ticket: 'A', holder: 'pod-1' }).claim!.token!

const imported = (root: string) => {
  const tickets = [1, 2, 3].map(number => ({ id: `I-${number}`, title: `Imported ${number}`, state: 'open' }))
  writeFileSync(join(root, 'source.json'), JSON.stringify(tickets))
  return ['import', 'json', join(root, 'source.json'), '--map', 'id=id,title=title,state=state']
}

const decisions = ['A', 'B'].map(ticket => ({ ticket, kind: 'note', reason: 'one of several' }))

export const writingCommands: WritingCommand[] = [
  { operation: 'init', prepare: () => ['init'] },
  { operation: 'add', prepare: () => ['add', 'NEW', '--title', 'x'], done: { code: 'ticket_exists' } },
  { operation: 'set', prepare: () => ['set', 'A', '--state', 'in_progress'] },
  { operation: 'record', prepare: () => ['record', 'A', 'note', '--reason', 'x'] },
  {
    operation: 'recordAll',
    stdin: 'decisions.jsonl',
    prepare(_, root) {
      writeFileSync(join(root, 'decisions.jsonl'), decisions.map(line => `${JSON.stringify(line)}\n`).join(''))
      return ['record', '--stdin']
    },
  },
  {
    operation: 'retract',
    prepare: plan => ['retract', plan.record({ ticket: 'A', kind: 'hold', reason: 'x' }).decision.id, '--reason', 'y'],
  },
  {
    operation: 'undo',
    prepare(plan) {
      plan.set({ ticket: 'A', state: 'in_progress' })
      return ['undo']
    },
    done: { isOther: true },
  },
  { operation: 'accept', prepare: () => ['accept', 'A', '--holder', 'pod-1'] },
  { operation: 'claim', prepare: () => ['claim', 'A', '--holder', 'pod-1'] },
  { operation: 'renew', prepare: plan => ['renew', 'A', '--token', String(accepted(plan))] },
  {
    operation: 'release',
    prepare: plan => ['release', 'A', '--token', String(accepted(plan)), '--state', 'done'],
    done: { status: 3 },
  },
  { operation: 'import', prepare: (_, root) => imported(root) },
  {
    operation: 'sync',
    prepare(_, root) {
      putTicket(root, 'C')
      return ['sync']
    },
  },
  { operation: 'rebuild', prepare: () => ['rebuild'] },
  {
    operation: 'resolve',
    prepare(_, root) {
      diverge(root)
      return ['resolve']
    },
  },
]

/** Leaves a merge of two branches that both changed A, with a conflict in it. */
function diverge(root: string): void {
  const commit = (message: string) => {
    runGit(root, 'add', '--all')
    runGit(root, 'commit', '--quiet', `--message=${message}`)
  }
  commit('both')
  runGit(root, 'checkout', '--quiet', '-b', 'side')
  recordNote(root, 'theirs')
  commit('theirs')
  runGit(root, 'checkout', '--quiet', 'main')
  recordNote(root, 'ours')
  commit('ours')
  try {
    runGit(root, 'merge', '--quiet', 'side')
  } catch {
    return // the conflict
  }
  throw new Error('the merge has no conflict')
}

function recordNote(root: string, reason: string): void {
  using plan = openPlan({ root, actor: 'tester' })
  plan.record({ ticket: 'A', kind: 'note', reason })
}

export interface PreparedCommand extends Disposable {
  operation: OperationName
  /** The arguments and options of a run in a copy of the repository. */
  args(root: string): string[]
  options(root: string): RunOptions
  acknowledged: Acknowledged[]
  /** Copies the repository: each attempt has its own. */
  attempt(): { root: string } & Disposable
}

/** Prepares one command: A and B are queued and hold one note each. */
export function prepareCommand(command: WritingCommand): PreparedCommand {
  const repository: TemporaryRepository = temporaryRepository()
  const { root } = repository
  putTicket(root, 'A', { state: 'queued' })
  putTicket(root, 'B', { state: 'queued' })
  let args: string[]
  let acknowledged: Acknowledged[]
  {
    using plan = openPlan({ root, actor: 'tester' })
    acknowledged = ['A', 'B'].map(ticket => ({
      ticket,
      decision: plan.record({ ticket, kind: 'note', reason: 'before' }).decision.id,
    }))
    args = [...command.prepare(plan, root), '--json']
  }
  const { operation, stdin } = command
  return {
    operation,
    args: copy => args.map(arg => arg.replace(root, copy)),
    options: root => (stdin === undefined ? {} : { stdinPath: join(root, stdin) }),
    acknowledged,
    attempt() {
      const folder = temporaryFolder()
      const copy = join(folder.path, 'copy')
      cpSync(root, copy, { recursive: true, preserveTimestamps: true })
      return { root: copy, [Symbol.dispose]: () => folder[Symbol.dispose]() }
    },
    [Symbol.dispose]: () => repository[Symbol.dispose](),
  }
}
