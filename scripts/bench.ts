/**
 * Measures the promises of speed, each as a ratio to its floor, both taken in this run, medians of alternating runs.
 *
 * Usage: npm run bench [-- --tickets 10000] [--runs 9] [--only cli,watching] [--huge] [--fleet] [--json]; --huge adds 100,000
 * Tickets to what must not depend on their number; --fleet measures a fleet alone, on a PostgreSQL of this machine. Exit status
 * 1 where a limit is passed. It measures dist/, as users run it, in a temporary git repository. docs/performance.md records the
 * figures and what they mean. Each file of scripts/bench/ measures one subject.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeRepository } from './bench/bench-repository.ts'
import { measureCli, measureCompletion } from './bench/command-line.ts'
import { measureFiles } from './bench/files.ts'
import { measureFleet } from './bench/fleet.ts'
import { measureMcp } from './bench/mcp.ts'
import type { Bench } from './bench/measuring.ts'
import { measureMergeDriver } from './bench/merge-driver.ts'
import { measureRecord } from './bench/record.ts'
import { measureResident } from './bench/resident.ts'
import { measureImport } from './bench/sdk-import.ts'
import { measureSources } from './bench/sources.ts'
import { measureSql } from './bench/sql.ts'
import { measureWatching } from './bench/watching.ts'

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
const only = options.only.split(',').filter(name => name !== '')
const dist = join(import.meta.dirname, '..', 'dist')
const bench: Bench = {
  dist,
  cli: join(dist, 'cli.js'),
  sdk: (await import('../dist/index.js' as string)) as typeof import('../src/index.ts'),
  ticketCount,
  runs: Number(options.runs),
  note(what, measuredMs, floor, floorMs, limit) {
    figures.push({ what, measuredMs, floor, floorMs, ratio: measuredMs / floorMs, limit })
    if (!options.json) process.stderr.write('.')
  },
}

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
  if (options.fleet) await measureFleet(bench)
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
    files: () => measureFiles(bench, large),
    merge: () => measureMergeDriver(bench, join(folder, 'merge')),
    cli() {
      for (const [repository, size] of sizes) measureCli(bench, repository, size)
      measureCompletion(bench, large)
    },
    async resident() {
      for (const [size, repository] of repositories) await measureResident(bench, repository, size)
    },
    import: () => measureImport(bench),
    sources: () => measureSources(bench, join(folder, 'sources')),
    sql: () => measureSql(bench, large),
    watching: () => measureWatching(bench, repositories),
    record: () => measureRecord(bench, large),
    async mcp() {
      for (const [repository, size] of sizes) await measureMcp(bench, repository, size)
    },
  }
  for (const [name, measure] of Object.entries(parts)) if (only.length === 0 || only.includes(name)) await measure()
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
