/** Commands that run under a fault: the repository before it, and what was acknowledged. */
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openPlan } from '../sdk.ts'
import type { Acknowledged } from './check-after-fault.ts'
import type { Run } from './run-cli.ts'
import { type TracedCall, traceCli } from './strace.ts'
import { putTicket, temporaryFolder, temporaryRepository } from './temporary-repository.ts'

export const LONG = Boolean(process.env.TICKETPLAN_LONG)
/** How many runs are started at the same time. */
export const AT_ONCE = 3

/** The documents of `record`, and of `import --verbose`, as far as they acknowledge decisions. */
interface Answer {
  ticket: string
  decision?: { id: string }
  recorded?: { ticket: string; decision: { id: string } }[]
  changes?: { ticket: string; decisions: { id: string }[] }[]
}

/** Returns the decisions that a run with `--json` acknowledged. */
export function acknowledgement({ stdout }: Run): Acknowledged[] {
  if (!stdout.endsWith('\n')) return []
  const { ticket, decision, recorded = [], changes = [] } = JSON.parse(stdout) as Answer
  return [
    ...(decision ? [{ ticket, decision }] : []),
    ...recorded,
    ...changes.flatMap(({ ticket, decisions }) => decisions.map(decision => ({ ticket, decision }))),
  ].map(({ ticket, decision }) => ({ ticket, decision: decision.id }))
}

/** A command and the repository that it runs in. */
export interface Scenario {
  name: string
  args: string[]
  /** System calls without which it cannot do its work. */
  calls: string[]
  /** Creates the files that the command finds. */
  prepare(root: string): void
  /** Records decisions that must be present after every fault, and returns them. */
  before: (plan: ReturnType<typeof openPlan>) => Acknowledged[]
}

export const recordScenario: Scenario = {
  name: 'record',
  args: ['record', 'A', 'note', '--reason', 'x', '--json'],
  calls: ['rename', 'fsync'],
  prepare(root) {
    putTicket(root, 'A')
    putTicket(root, 'B')
  },
  before: plan =>
    ['A', 'B'].map(ticket => ({
      ticket,
      decision: plan.record({ ticket, kind: 'note', reason: 'before' }).decision.id,
    })),
}

export const addScenario: Scenario = {
  name: 'add',
  args: ['add', 'NEW', '--title', 'x', '--json'],
  calls: ['link', 'fsync', 'unlink'],
  prepare: recordScenario.prepare,
  before: recordScenario.before,
}

/** A decision in each of three files, which are written together. */
export const batchScenario: Scenario = {
  name: 'record in several files',
  args: ['record', 'A', 'blocks', 'B', 'C', 'D', '--json'],
  calls: ['rename', 'fsync'],
  prepare(root) {
    for (const id of ['A', 'B', 'C', 'D']) putTicket(root, id)
  },
  before: recordScenario.before,
}

/** Three new Tickets, which are written together. */
export const importScenario: Scenario = {
  name: 'import',
  args: ['import', '--verbose', '--json'],
  calls: ['link', 'fsync', 'unlink'],
  prepare(root) {
    recordScenario.prepare(root)
    putSource(root, 3)
  },
  before: recordScenario.before,
}

/** Configures a source with that many records, of which all but the first wait for the one before. */
export function putSource(root: string, count: number): void {
  const records = Array.from({ length: count }, (_, n) => ({
    id: `bd-${n}`,
    title: `Issue ${n}`,
    status: 'open',
    created_at: '2026-05-01T08:00:00Z',
    updated_at: '2026-06-01T08:00:00Z',
    dependencies: n ? [{ issue_id: `bd-${n}`, depends_on_id: `bd-${n - 1}`, type: 'blocks' }] : [],
  }))
  writeFileSync(join(root, 'issues.jsonl'), records.map(record => `${JSON.stringify(record)}\n`).join(''))
  writeFileSync(join(root, 'ticketplan.json'), '{"sources":[{"system":"beads","path":"issues.jsonl"}]}\n')
}

/** Creates the repository before the fault, with or without databases; each attempt works on a copy. */
export function template(scenario: Scenario, withDatabases: boolean) {
  const repo = temporaryRepository()
  scenario.prepare(repo.root)
  let acknowledged: Acknowledged[] = []
  {
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    acknowledged = scenario.before(plan)
  }
  if (!withDatabases) rmSync(repo.databaseDir, { recursive: true })
  const attempt = () => {
    const folder = temporaryFolder()
    const root = join(folder.path, 'copy')
    cpSync(repo.root, root, { recursive: true, preserveTimestamps: true })
    return { root, [Symbol.dispose]: () => folder[Symbol.dispose]() }
  }
  return { acknowledged, attempt, [Symbol.dispose]: () => repo[Symbol.dispose]() }
}

/** Returns the calls of these names that the command makes on the repository when nothing fails. */
export async function callsOf(
  prepared: ReturnType<typeof template>,
  args: string[],
  names: string[],
): Promise<TracedCall[]> {
  using copy = prepared.attempt()
  const traced = await traceCli(copy.root, args, names)
  expect(traced.status, traced.stderr).toBe(0)
  // With -y strace adds the working directory to every relative path: that alone does not make it a call on the repository.
  return traced.calls.filter(({ line }) => line.replace(/AT_FDCWD<[^>]*>/, '').includes(copy.root))
}
