/** Measures answers of a process that watches. */
import { existsSync, lstatSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Plan } from '../../src/index.ts'
import { type Bench, median, timed } from './measuring.ts'

/**
 * Measures `consult` while a watch is on, over a hundred queued Tickets: only its files are checked, and nothing else is read
 * again. In turns with the system calls that it makes. And the same where the index has changed since, so that rows are read
 * again.
 */
export async function measureWatching(bench: Bench, repositories: [size: number, repository: string][]): Promise<void> {
  const { sdk, note } = bench
  const subjects = []
  for (const [size, repository] of repositories) {
    const plan = sdk.openPlan({ root: repository })
    plan.sync()
    const ids = plan
      .queue()
      .queue.slice(0, 100)
      .map(({ ticket }) => ticket.id)
    const db = new Database(plan.db().path)
    const touch = db.prepare("insert or replace into meta values ('bench', random())")
    plan.watch(() => {})
    const consult = (sample: number) => timed(() => plan.consult(ids[sample % ids.length]!)) * 1000
    await untilTrusted(consult)
    const calls = systemCalls(repository, db, ids)
    subjects.push({
      size,
      plan,
      db,
      touch,
      consult,
      calls,
      warm: [] as number[],
      bare: [] as number[],
      cold: [] as number[],
    })
  }
  for (let sample = 0; sample < 3000; sample++) {
    for (const { consult, warm, calls, bare } of subjects) {
      warm.push(consult(sample))
      bare.push(timed(() => calls(sample)) * 1000)
    }
  }
  for (let sample = 0; sample < 500; sample++) {
    for (const { consult, touch, cold } of subjects) {
      touch.run()
      cold.push(consult(sample))
    }
  }
  await measureAccepts(bench, subjects)
  const [first] = subjects
  const smallest = { warm: median(first!.warm), cold: median(first!.cold) }
  for (const { size, plan, db, warm, bare, cold } of subjects) {
    const tickets = `${size.toLocaleString('en')} Tickets`
    const what = `consult, SDK, watching, ${tickets}, us`
    const after = `the same after a change of the index, ${tickets}, us`
    if (size === first!.size) {
      note(what, median(warm), 'the goal of 60 us', 60, 1)
      note(
        `the same, ${tickets}, us`,
        median(warm),
        'its system calls, a read transaction among them',
        median(bare),
        null,
      )
      note(after, median(cold), 'the goal of 60 us', 60, null)
    } else {
      const floor = `that with ${first!.size.toLocaleString('en')} Tickets`
      note(what, median(warm), floor, smallest.warm, 1.3)
      note(after, median(cold), floor, smallest.cold, null)
    }
    db.close()
    plan.close()
  }
}

/**
 * Returns a function that makes the system calls of an answer over three Ticket files: these, the configuration, the folder, the
 * two databases, other worktrees, and a read transaction in the index.
 */
function systemCalls(repository: string, db: Database.Database, ids: readonly string[]): (sample: number) => void {
  const missing = { throwIfNoEntry: false } as const
  const at = (path: string) => join(repository, path)
  const looked = ['ticketplan.json', '.git/ticketplan/index.db', '.git/ticketplan/local.db'].map(at)
  const folder = at('tickets')
  const worktrees = at('.git/worktrees')
  const files = ids.map(id => at(`tickets/${id}.json`))
  const version = db.prepare('pragma data_version').pluck()
  const read = db.transaction((sample: number) => {
    version.get()
    for (const next of [0, 1, 2]) lstatSync(files[(sample + next) % files.length]!, missing)
  }).deferred
  return sample => {
    for (const path of looked) statSync(path, missing)
    lstatSync(folder, missing)
    existsSync(worktrees)
    read(sample)
  }
}

interface Watched {
  size: number
  plan: Plan
  consult(sample: number): number
}

/** Measures `accept` while a watch is on, each after the full scan that the accept before it has caused. */
async function measureAccepts({ note }: Bench, subjects: readonly Watched[]): Promise<void> {
  const accepts = subjects.map(({ plan }) => {
    const ids = plan.queue().queue.flatMap(({ ticket, verdict }) => (verdict === 'accept' ? [ticket.id] : []))
    return { ids, times: [] as number[] }
  })
  for (let sample = 0; sample < 21; sample++) {
    for (const [position, { plan, consult }] of subjects.entries()) {
      await untilTrusted(consult)
      const { ids, times } = accepts[position]!
      times.push(timed(() => plan.accept({ ticket: ids[sample]!, holder: 'bench' })))
    }
  }
  const medians = accepts.map(({ times }) => median(times))
  for (const [position, { size }] of subjects.entries()) {
    const isFirst = position === 0
    const floor = isFirst ? 'itself' : `that with ${subjects[0]!.size.toLocaleString('en')} Tickets`
    const what = `accept, SDK, watching, ${size.toLocaleString('en')} Tickets`
    note(what, medians[position]!, floor, medians[0]!, isFirst ? null : 1.3)
  }
}

/** Waits until the watch gets file events and has made its check: from then on an answer checks few files only. */
async function untilTrusted(consult: (sample: number) => number): Promise<void> {
  for (let inARow = 0; inARow < 5; ) {
    inARow = consult(inARow) < 1500 ? inARow + 1 : 0
    if (inARow === 0) await new Promise(resolve => setTimeout(resolve, 100))
  }
}
