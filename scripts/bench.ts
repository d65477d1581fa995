/**
 * Measures the promises of speed, each as a ratio to its floor, both taken in this run, medians of alternating runs.
 *
 * Usage: npm run bench [-- --tickets 10000] [--runs 9] [--only cli,watching] [--huge] [--fleet] [--json]; --huge adds 100,000
 * Tickets to what must not depend on their number; --fleet measures a fleet alone, on a PostgreSQL of this machine. Exit status 1 where a limit is passed. It measures dist/, as
 * users run it, in a temporary git repository. docs/performance.md records the figures and what they mean.
 */
import { spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import Database from 'better-sqlite3'
import { migrationTexts } from '../src/database/open.ts'
import type { Plan } from '../src/index.ts'
import { encodeTicket } from '../src/model/canonical-json.ts'
import type { Ticket } from '../src/model/ticket.ts'
import { measureFleet } from './bench-fleet.ts'
import { measureResident } from './bench-resident.ts'
import { measureSources } from './bench-sources.ts'

const { values: options } = parseArgs({
  options: {
    tickets: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '9' },
    only: { type: 'string', default: '' },
    huge: { type: 'boolean', default: false },
    fleet: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const ticketCount = Number(options.tickets)
const runs = Number(options.runs)
const only = options.only.split(',').filter(name => name !== '')
const root = join(import.meta.dirname, '..')
const cli = join(root, 'dist', 'cli.js')
const sdk = (await import('../dist/index.js' as string)) as typeof import('../src/index.ts')
const { openPlan } = sdk

interface Figure {
  what: string
  measuredMs: number
  floor: string
  floorMs: number
  ratio: number
  limit: number | null
}
const figures: Figure[] = []

const folder = mkdtempSync(join(tmpdir(), 'ticketplan-bench-'))
try {
  if (options.fleet) await measureFleet({ cli, runs, sdk, note })
  else await measureAll()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
print()

async function measureAll(): Promise<void> {
  const small = makeRepository(join(folder, 'small'), 1000)
  const large = makeRepository(join(folder, 'large'), ticketCount)
  const repositories: [size: number, repository: string][] = [
    [1000, small],
    [ticketCount, large],
  ]
  if (options.huge) repositories.push([100_000, makeRepository(join(folder, 'huge'), 100_000)])
  const sizes = repositories.slice(0, 2).map(([size, repository]) => [repository, size.toLocaleString('en')] as const)
  const parts = {
    files() {
      const bareRebuildMs = measureRebuild(large)
      measureNoOp(large)
      measurePull(large, bareRebuildMs)
    },
    merge: () => measureMergeDriver(join(folder, 'merge')),
    cli() {
      for (const [repository, size] of sizes) measureCli(repository, size)
      measureCompletion(large)
    },
    async resident() {
      for (const [size, repository] of repositories)
        await measureResident(repository, size, { cli, runs, alternate, note })
    },
    import: measureImport,
    sources: () => measureSources(join(folder, 'sources'), ticketCount, { cli, openPlan, alternate, note, runs }),
    sql: () => measureSql(large),
    watching: () => measureWatching(repositories),
    record: () => measureRecord(large),
    async mcp() {
      for (const [repository, size] of sizes) await measureMcp(repository, size)
    },
  }
  for (const [name, measure] of Object.entries(parts)) if (only.length === 0 || only.includes(name)) await measure()
}

/** A repository with Tickets of 0.8 KB: two relations each, a tenth queued, more than half settled. */
function makeRepository(path: string, count: number): string {
  mkdirSync(join(path, 'tickets'), { recursive: true })
  spawnSync('git', ['init', '-q', path])
  const id = (n: number) => `T-${String(n).padStart(6, '0')}`
  const ulid = (n: number) => `01JX${String(n).padStart(22, '0')}`
  for (let n = 0; n < count; n++) {
    const at = new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString()
    const reason = 'the record schema has to land before anything can refer to it '.repeat(2).trim()
    const relation = (k: number, kind: string, target: number) => ({
      at,
      by: 'orchestrator',
      id: ulid(n * 2 + k),
      kind,
      reason,
      target: id(target),
    })
    const ticket = {
      created_at: at,
      decisions:
        n < 50
          ? []
          : [
              relation(0, 'blocked_by', n - 1 - (n % 40)),
              relation(1, n % 3 ? 'after' : 'conflicts_with', n - 1 - (n % 49)),
            ],
      format: 1,
      id: id(n),
      queued_at: at,
      queued_by: 'panel',
      slug: `ticket-number-${n}`,
      state: stateOf(n),
      state_at: at,
      title: `A Ticket of the usual length, number ${n}, about the usual things`,
    }
    writeFileSync(join(path, 'tickets', `${ticket.id}.json`), encodeTicket(ticket as unknown as Ticket))
  }
  return path
}

/** A tenth queued, a fifth planned, the rest settled, scattered. */
function stateOf(n: number): string {
  const digit = (Math.imul(n, 2654435761) >>> 16) % 10
  return digit === 0 ? 'queued' : digit < 3 ? 'planning' : 'closed'
}

/** The floor too, in ms: it says what the rows of one Ticket cost. */
function measureRebuild(repository: string): number {
  using plan = openPlan({ root: repository })
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
    2,
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
  const statements = migrationTexts('index').join('').split('--> statement-breakpoint')
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

function measureNoOp(repository: string): void {
  using plan = openPlan({ root: repository })
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
function measurePull(repository: string, bareRebuildMs: number): void {
  using plan = openPlan({ root: repository })
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

/** One merge of a Ticket that both sides decided about, as git starts it. */
function measureMergeDriver(path: string): void {
  mkdirSync(path)
  const decision = (id: string) => ({ at: '2026-06-08T11:30:00.000Z', by: 'bench', id, kind: 'note', reason: 'a note' })
  const base = { format: 1, id: 'T-1', title: 'Ticket', state: 'queued' } as Omit<Ticket, 'decisions'>
  const version = (name: string, ...ids: string[]) => {
    writeFileSync(join(path, name), encodeTicket({ ...base, decisions: ids.map(decision) } as Ticket))
    return join(path, name)
  }
  const [common, ours, theirs] = [
    '01JX8Z3V7Q4T9K2M5N6P7R8S00',
    '01JX8Z3V7Q4T9K2M5N6P7R8S01',
    '01JX8Z3V7Q4T9K2M5N6P7R8S02',
  ]
  const program = join(root, 'dist', 'merge-driver.cjs')
  const run = (...args: string[]) => spawnSync(process.execPath, args, { stdio: 'ignore' })
  const files = [version('base', common), version('ours', common, ours), version('theirs', common, theirs)]
  const [measuredMs, floorMs] = alternate(
    runs * 5,
    () => {
      version('ours', common, ours)
      if (run(program, ...files, 'tickets/T-1.json').status !== 10) throw new Error('the merge failed')
    },
    () => run('-e', '0'),
  )
  note('merge driver, one Ticket', measuredMs!, 'node -e 0', floorMs!, 1.4)
}

/** Waits until no file is so young that its stat data might hide a change. */
function settle(plan: Plan): void {
  const until = performance.now() + 100
  while (performance.now() < until);
  plan.sync()
}

function measureCli(repository: string, size: string): void {
  const last = readdirSync(join(repository, 'tickets'))
    .filter((_, n) => n % 10 === 0)
    .at(-1)!
    .replace('.json', '')
  const run = (...args: string[]) => spawnSync(process.execPath, args, { stdio: 'ignore' })
  run(cli, '-C', repository, 'sync')
  const [measuredMs, floorMs] = alternate(
    runs * 3,
    () => run(cli, '-C', repository, 'consult', last, '--json'),
    () => run('-e', '0'),
  )
  note(`CLI consult, cold, ${size} Tickets`, measuredMs!, 'node -e 0', floorMs!, size === '1,000' ? 2 : 3)
}

/** What a shell runs at each press of the tab key: the start of a name that a hundred Tickets have. */
function measureCompletion(repository: string): void {
  const name = readdirSync(join(repository, 'tickets')).sort().at(-1)!.replace('.json', '')
  const words = ['-C', repository, 'consult', name.slice(0, -2)]
  const complete = () => spawnSync(process.execPath, [cli, '__complete', 'fish', ...words], { encoding: 'utf8' })
  if (!complete().stdout.includes(`\n${name}\t`)) throw new Error(`the completion does not list ${name}`)
  const [measuredMs, floorMs] = alternate(runs * 3, complete, () => spawnSync(process.execPath, ['-e', '0']))
  const tickets = `${ticketCount.toLocaleString('en')} Tickets`
  note(`completion of a Ticket's name, cold, ${tickets}`, measuredMs!, 'node -e 0', floorMs!, 5)
}

function measureImport(): void {
  const script = `const t = performance.now(); await import(${JSON.stringify(join(root, 'dist', 'index.js'))}); console.log(performance.now() - t, process.memoryUsage().rss / 1048576)`
  const results = Array.from({ length: runs }, () => {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    return stdout.trim().split(' ').map(Number) as [number, number]
  })
  note('import of the SDK, ms', median(results.map(([ms]) => ms)), 'the limit of 100 ms', 100, 1)
  note(
    'memory of a process with the SDK imported, MB',
    median(results.map(([, mb]) => mb)),
    'the limit of 70 MB',
    70,
    1,
  )
}

function measureSql(repository: string): void {
  using plan = openPlan({ root: repository })
  const db = new Database(plan.db().path, { readonly: true })
  const byTicket = db.prepare('select * from relations where ticket_id = ?')
  const byKind = db.prepare('select * from relations where kind = ? and ticket_id = ?')
  const ids = db.prepare('select id from tickets').pluck().all() as string[]
  let next = 0
  const id = () => {
    next = (next + 7919) % ids.length
    return ids[next]!
  }
  note(
    'relations of a Ticket, prepared SQL, us',
    medianUs(() => byTicket.all(id())),
    'the goal of 25 us',
    25,
    1,
  )
  note(
    'relations of a kind and a Ticket, prepared SQL, us',
    medianUs(() => byKind.all('blocked_by', id())),
    'the goal of 25 us',
    25,
    1,
  )
  db.close()
}

/**
 * `consult` while a watch is on, over a hundred queued Tickets: only its files are checked, and nothing else is read
 * again. And the same where the index has changed since, so that rows are read again.
 */
async function measureWatching(repositories: [size: number, repository: string][]): Promise<void> {
  const subjects = []
  for (const [size, repository] of repositories) {
    const plan = openPlan({ root: repository })
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
    subjects.push({ size, plan, db, touch, consult, warm: [] as number[], cold: [] as number[] })
  }
  for (let sample = 0; sample < 3000; sample++) for (const { consult, warm } of subjects) warm.push(consult(sample))
  for (let sample = 0; sample < 500; sample++) {
    for (const { consult, touch, cold } of subjects) {
      touch.run()
      cold.push(consult(sample))
    }
  }
  await measureAccepts(subjects)
  const [first] = subjects
  const smallest = { warm: median(first!.warm), cold: median(first!.cold) }
  for (const { size, plan, db, warm, cold } of subjects) {
    const tickets = `${size.toLocaleString('en')} Tickets`
    const isFirst = size === first!.size
    const floor = isFirst ? 'the goal of 60 us' : `that with ${first!.size.toLocaleString('en')} Tickets`
    note(`consult, SDK, watching, ${tickets}, us`, median(warm), floor, isFirst ? 60 : smallest.warm, isFirst ? 1 : 1.3)
    note(
      `the same after a change of the index, ${tickets}, us`,
      median(cold),
      floor,
      isFirst ? 60 : smallest.cold,
      null,
    )
    db.close()
    plan.close()
  }
}

interface Watched {
  size: number
  plan: Plan
  consult(sample: number): number
}

/** `accept` while a watch is on, each after the full scan that the accept before it has caused. */
async function measureAccepts(subjects: readonly Watched[]): Promise<void> {
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

/** Round trips of a client over pipes, warm; the floor is one that reaches the server and asks nothing of the plan. */
async function measureMcp(repository: string, size: string): Promise<void> {
  const client = new Client({ name: 'bench', version: '1' })
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [cli, '-C', repository, 'mcp', '--read-only'] }),
  )
  const ids = readdirSync(join(repository, 'tickets')).filter((_, n) => n % 10 === 0)
  const consults: number[] = []
  const pings: number[] = []
  for (let run = 0; run < 300; run++) {
    const ticket = ids[(run * 7) % ids.length]!.replace('.json', '')
    consults.push(await timedAsync(() => client.callTool({ name: 'consult', arguments: { ticket } })))
    pings.push(await timedAsync(() => client.ping()))
  }
  await client.close()
  const warm = (durations: number[]) => median(durations.slice(100))
  note(`MCP consult, warm round trip, ${size} Tickets`, warm(consults), 'MCP ping', warm(pings), null)
}

async function timedAsync(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await action()
  return performance.now() - startedAt
}

function measureRecord(repository: string): void {
  using plan = openPlan({ root: repository, actor: 'bench' })
  plan.sync()
  const bytes = Buffer.alloc(1000, 'x')
  const directory = join(repository, 'tickets')
  const durableWrite = () => {
    const temp = join(directory, '.bench.tmp')
    const file = openSync(temp, 'w')
    writeSync(file, bytes)
    fsyncSync(file)
    closeSync(file)
    renameSync(temp, join(directory, '.bench'))
    const open = openSync(directory, 'r')
    fsyncSync(open)
    closeSync(open)
  }
  let n = 0
  const record = () =>
    plan.record({ ticket: `T-${String(n++ % ticketCount).padStart(6, '0')}`, kind: 'note', reason: `note ${n}` })
  const [measuredMs, floorMs] = alternate(200, record, durableWrite)
  note('record, SDK', measuredMs!, 'write, fsync, rename, fsync of the folder', floorMs!, 2.1)
}

function alternate(times: number, ...actions: (() => unknown)[]): number[] {
  for (const action of actions) action()
  const durations = actions.map((): number[] => [])
  for (let run = 0; run < times; run++)
    for (const [position, action] of actions.entries()) durations[position]!.push(timed(action))
  return durations.map(median)
}

function timed(action: () => unknown): number {
  const startedAt = performance.now()
  action()
  return performance.now() - startedAt
}

function medianUs(action: () => unknown): number {
  for (let warmUp = 0; warmUp < 500; warmUp++) action()
  return median(Array.from({ length: 2000 }, () => timed(action) * 1000))
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!
}

function note(what: string, measuredMs: number, floor: string, floorMs: number, limit: number | null): void {
  figures.push({ what, measuredMs, floor, floorMs, ratio: measuredMs / floorMs, limit })
  if (!options.json) process.stderr.write('.')
}

function print(): void {
  const failed = figures.filter(({ ratio, limit }) => limit !== null && ratio > limit)
  if (options.json)
    console.log(JSON.stringify({ tickets: ticketCount, node: process.version, cpus: cpus().length, figures }, null, 2))
  else {
    console.log(`\nNode ${process.version}, ${cpus().length} cores, medians. Without "us" or "MB", times are in ms.\n`)
    for (const { what, measuredMs, floor, floorMs, ratio, limit } of figures) {
      const against = limit === null ? '' : `, limit ${limit}${ratio > limit ? '  OVER THE LIMIT' : ''}`
      console.log(
        `${what.padEnd(52)} ${measuredMs.toFixed(1).padStart(8)}   ${ratio.toFixed(2)} x ${floor} (${floorMs.toFixed(1)})${against}`,
      )
    }
  }
  process.exitCode = failed.length > 0 ? 1 : 0
}
