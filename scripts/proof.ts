/**
 * Runs the long forms of the tests that prove a promise by number, and prints what each did: how many, from which seed, with
 * which outcomes. Any part fails the run. docs/reliability.md has the figures of a run.
 *
 * `npm run proof -- --only power,history`, `--short` for the forms of the whole check, `--seed N` to repeat a run.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ProofLine } from '../src/test-support/proof-numbers.ts'

interface Part {
  what: string
  project: 'fast' | 'slow'
  files: string[]
  /** The tests of the files that are run, by the start of their name; all of them without it. */
  name?: string
  /** What the files take as their count, beside TICKETPLAN_LONG. */
  env?: Record<string, string>
}

const PARTS: Record<string, Part> = {
  kills: {
    what: 'kill -9 at each system call that changes something, of every writing command',
    project: 'slow',
    files: ['src/proof/each-call.slow.test.ts'],
    name: 'kills at its calls',
  },
  calls: {
    what: 'EIO, ENOSPC, EINTR, EMFILE and EACCES of each system call of every writing command',
    project: 'slow',
    files: ['src/proof/each-call.slow.test.ts'],
    name: 'errors of its calls',
  },
  faults: {
    what: 'kills, failing calls, short writes and full disks while a Ticket is recorded',
    project: 'slow',
    files: ['src/files/crash.slow.test.ts', 'src/files/faults.slow.test.ts', 'src/operations/accept.slow.test.ts'],
  },
  disk: {
    what: 'every writing command on a nearly full and on a read-only disk',
    project: 'slow',
    files: ['src/proof/disk.slow.test.ts'],
  },
  power: { what: 'power cuts of an ext4 disk', project: 'slow', files: ['src/proof/power-cut.slow.test.ts'] },
  history: {
    what: 'claims of 32 processes over two worktrees, killed and stopped, checked as a history',
    project: 'slow',
    files: ['src/proof/claims-history.slow.test.ts'],
  },
  merges: {
    what: 'laws of the merge on random histories',
    project: 'fast',
    files: ['src/model/merge.test.ts'],
    env: { TICKETPLAN_MERGES: '100000' },
  },
  tickets: { what: 'mutated Ticket files', project: 'fast', files: ['src/model/canonical-json.test.ts'] },
  leases: {
    what: 'steps of leases against a model',
    project: 'fast',
    files: ['src/claims/local-claims.test.ts'],
    env: { TICKETPLAN_LEASE_STEPS: '1000000' },
  },
  inputs: {
    what: 'mutated inputs of merge driver, configuration, init, importers, MCP and SQL',
    project: 'slow',
    files: ['src/proof/mutated-inputs.slow.test.ts'],
  },
  replay: {
    what: 'verdicts on each commit of made histories of yoi and beads, against oracles',
    project: 'slow',
    files: ['scripts/replay.slow.test.ts'],
  },
  soak: { what: 'watch, MCP server and page under change', project: 'slow', files: ['src/proof/soak.slow.test.ts'] },
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
    count: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

function main(): number {
  const names = values.only?.split(',') ?? Object.keys(PARTS)
  const unknown = names.find(name => !(name in PARTS))
  if (unknown !== undefined) {
    console.error(`proof: there is no part "${unknown}"; the parts are ${Object.keys(PARTS).join(', ')}`)
    return 2
  }
  if (values.list) {
    for (const name of names) console.log(`${name.padEnd(8)} ${PARTS[name]!.what}`)
    return 0
  }
  const failed = names.filter(name => !runPart(name, PARTS[name]!))
  console.log(failed.length ? `failed: ${failed.join(', ')}` : `${names.length} parts passed`)
  return failed.length ? 1 : 0
}

/** Runs one part and prints its lines; returns whether it passed. */
function runPart(name: string, { what, project, files, name: tests, env }: Part): boolean {
  const path = join(tmpdir(), `ticketplan-proof-${process.pid}`)
  console.log(`\n${name}: ${what}`)
  const start = performance.now()
  const { status } = spawnSync(
    'npx',
    ['vitest', 'run', '--reporter', 'dot', '--project', project, ...(tests ? ['-t', tests] : []), ...files],
    {
      stdio: ['ignore', values.short ? 'ignore' : 'inherit', 'inherit'],
      env: {
        ...process.env,
        TICKETPLAN_PROOF_FILE: path,
        ...(!values.short && { TICKETPLAN_LONG: '1', ...env }),
        ...(values.seed && { TICKETPLAN_SEED: values.seed }),
        ...(values.count && { TICKETPLAN_COUNT: values.count }),
      },
    },
  )
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : []
  rmSync(path, { force: true })
  for (const line of lines) print(JSON.parse(line) as ProofLine)
  console.log(`  ${status === 0 ? 'passed' : 'FAILED'} in ${((performance.now() - start) / 1000).toFixed(0)} s`)
  return status === 0
}

function print({ what, count, seed, seen = {} }: ProofLine): void {
  const outcomes = Object.entries(seen).map(([name, number]) => `${name} ${number}`)
  const details = [...(seed === undefined ? [] : [`seed ${seed}`]), ...outcomes].join(', ')
  console.log(`  ${count.toLocaleString('en')} ${what}${details && ` (${details})`}`)
}

process.exitCode = main()
