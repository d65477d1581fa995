/** Measures what reads Ticket files: a rebuild, a sync with nothing to do, and one after a pull. */
import { hash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { migrationTexts } from '../../src/database/open.ts'
import type { Plan } from '../../src/index.ts'
import { alternate, type Bench, median, timed } from './measuring.ts'

/** Measures a rebuild, a sync with nothing to do, and one after a pull, in this order: the last changes files. */
export function measureFiles(bench: Bench, repository: string): void {
  const bareRebuildMs = measureRebuild(bench, repository)
  measureNoOp(bench, repository)
  measurePull(bench, repository, bareRebuildMs)
}

/** Returns the floor, in ms: it says what the rows of one Ticket cost. */
function measureRebuild({ sdk, runs, ticketCount, note }: Bench, repository: string): number {
  using plan = sdk.openPlan({ root: repository })
  plan.rebuild()
  const [measuredMs, floorMs] = alternate(
    Math.max(3, Math.ceil(runs / 2)),
    () => plan.rebuild(),
    () => bareRebuild(repository),
  )
  note(
    `rebuild, ${ticketCount.toLocaleString('en')} Tickets`,
    measuredMs!,
    'read, parse, hash, insert the same rows',
    floorMs!,
    1.35,
  )
  return floorMs!
}

/** The floor of a rebuild: nothing is checked, nothing derived; the same rows, the indexes made after them. */
function bareRebuild(repository: string): void {
  const path = join(repository, '.git', 'bare.db')
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  const db = new Database(path)
  db.pragma('journal_mode = wal')
  db.pragma('synchronous = normal')
  const statements = migrationTexts('index').flatMap(text => text.split('--> statement-breakpoint'))
  for (const statement of statements) if (/create table/i.test(statement)) db.exec(statement)
  const insertFile = db.prepare('insert into files values (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertTicket = db.prepare('insert into tickets values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertDecision = db.prepare('insert into file_decisions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  db.transaction(() => {
    for (const name of readdirSync(join(repository, 'tickets'))) {
      const path = `tickets/${name}`
      const bytes = readFileSync(join(repository, path))
      const t = JSON.parse(bytes.toString())
      insertFile.run(path, name.toLowerCase(), bytes.length, 0, 0, 0, 0, hash('sha256', bytes, 'base64url'), 1)
      insertTicket.run(
        t.id,
        t.slug,
        t.title,
        t.state,
        'open',
        t.state_at,
        t.created_at,
        t.queued_at,
        t.queued_by,
        t.state_at,
        path,
        1,
      )
      for (const d of t.decisions)
        insertDecision.run(
          t.id,
          d.id,
          d.kind,
          d.target,
          'active',
          d.by,
          d.at,
          d.reason,
          null,
          null,
          0,
          JSON.stringify(d),
        )
    }
    for (const statement of statements) if (/create index/i.test(statement)) db.exec(statement)
  })()
  db.close()
}

function measureNoOp({ sdk, runs, ticketCount, note }: Bench, repository: string): void {
  using plan = sdk.openPlan({ root: repository })
  plan.sync()
  const tickets = join(repository, 'tickets')
  const [measuredMs, floorMs] = alternate(
    runs * 2,
    () => plan.sync(),
    () => {
      for (const name of readdirSync(tickets)) lstatSync(`${tickets}/${name}`)
    },
  )
  note(
    `sync with nothing to do, ${ticketCount.toLocaleString('en')} Tickets`,
    measuredMs!,
    'readdir and stat',
    floorMs!,
    1.5,
  )
}

/** 100 files change, as after a pull. The floor: the no-op, plus reading, parsing and inserting those 100. */
function measurePull({ sdk, runs, ticketCount, note }: Bench, repository: string, bareRebuildMs: number): void {
  using plan = sdk.openPlan({ root: repository })
  plan.sync()
  const names = readdirSync(join(repository, 'tickets')).slice(0, 100)
  const changed: number[] = []
  const noOp: number[] = []
  for (let run = 0; run < runs; run++) {
    for (const name of names) {
      const path = join(repository, 'tickets', name)
      writeFileSync(path, readFileSync(path, 'utf8').replace(/"title": ".*"/, `"title": "changed in run ${run}"`))
    }
    changed.push(timed(() => plan.sync()))
    settle(plan)
    noOp.push(timed(() => plan.sync()))
  }
  note(
    'sync after a pull of 100 changed Tickets',
    median(changed),
    '1.5 times sync with nothing to do, and read, parse, hash, insert of those 100',
    1.5 * median(noOp) + (bareRebuildMs * 100) / ticketCount,
    1,
  )
}

/** Waits until no file is so young that its stat data might hide a change. */
function settle(plan: Plan): void {
  const until = performance.now() + 100
  while (performance.now() < until);
  plan.sync()
}
