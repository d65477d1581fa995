/**
 * Measures that time grows with the input and not faster, whatever its shape: reading a Ticket file, and a queue whose Tickets
 * block each other.
 *
 * Usage: npm run bench:shapes. Each shape is measured at one size and at four times that size: linear growth is a factor of 4,
 * quadratic growth 16. Exit status 1 where a factor is above LIMIT. `.ci/run` runs it after the tests.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTicket } from '../src/files/ticket-files.ts'
import { encodeTicket } from '../src/model/canonical-json.ts'
import type { Ticket } from '../src/model/ticket.ts'
import { openPlan } from '../src/sdk.ts'

const LIMIT = 9
const GROWTH = 4
const ENCODER = new TextEncoder()
const STAT = { sizeBytes: 0, mtimeMs: 0, ctimeMs: 0, inode: 0 }
const MADE = { format: 1, id: 'A', title: 'a', state: 'open', decisions: [], created_at: '2026-01-01T00:00:00.000Z' }

/** Texts of a Ticket file by the number of their parts. None is canonical, so each is read in full. */
const FILES: Record<string, (size: number) => string> = {
  'a long string': size => fileWith(`"x":${JSON.stringify('x'.repeat(size * 20))}`),
  'many keys': size => fileWith(list(size, n => `"k${n}":${n}`)),
  'a long key above many values': size => fileWith(`"${'k'.repeat(size)}":{${list(size, n => `"v${n}":"${n}"`)}}`),
  'long keys, nested': size =>
    fileWith(list(Math.ceil(size / 30), n => `"k${n}":${'{"long key":'.repeat(25)}1${'}'.repeat(25)}`)),
  'many small arrays': size => fileWith(`"x":[${list(size, () => '[[],[1]]')}]`),
  'many decisions': size => fileOf(Array.from({ length: size / 8 }, (_, n) => note(n, 'x'))),
  'decisions with long reasons': size =>
    fileOf(Array.from({ length: Math.ceil(size / 20) }, (_, n) => note(n, 'x\u00e9'.repeat(300)))),
  'numbers with many digits': size => fileWith(`"x":[${list(size, () => '1.2345678901234e-7')}]`),
  'escapes and surrogates': size => fileWith(`"x":"${'\\ud83d\\ude00\\n'.repeat(size)}"`),
}

const results: { what: string; smallMs: number; largeMs: number }[] = []
for (const [what, textOf] of Object.entries(FILES)) measure(`read: ${what}`, size => readerOf(textOf(size)), 4000)
const folder = mkdtempSync(join(tmpdir(), 'ticketplan-shapes-'))
try {
  measure('queue: each of the last three blocks the next', size => queueOf(size, n => [n - 1, n - 2, n - 3]), 250)
  measure('queue: one chain', size => queueOf(size, n => [n - 1]), 250)
  measure('queue: one Ticket blocks all', size => queueOf(size, () => [0]), 250)
  measure('queue: each Ticket touches five areas', size => queueOf(size, () => [], true), 500)
  compareAreas(2000)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
print()

function fileWith(members: string): string {
  return `${JSON.stringify(MADE).slice(0, -1)},${members} }`
}

function fileOf(decisions: object[]): string {
  return `${JSON.stringify({ ...MADE, decisions })} `
}

function note(number: number, reason: string): object {
  const id = `01ARZ3NDEKTSV4RRFFQ6${String(number).padStart(6, '0')}`
  return { id, kind: 'note', reason, at: '2026-01-01T00:00:00.000Z', by: 'bench' }
}

function list(size: number, item: (number: number) => string): string {
  return Array.from({ length: size }, (_, number) => item(number)).join(',')
}

function readerOf(text: string): () => void {
  const bytes = Buffer.from(ENCODER.encode(text))
  return () => {
    const file = readTicket('tickets/A.json', bytes, STAT)
    if (!file.readable) throw new Error(`the shape is refused, so nothing was measured: ${file.message}`)
  }
}

/** Five globs, which overlap with those of some Tickets near by. */
function areaOf(number: number): object {
  const paths = ['app/part/*.ts', 'app/part/**/test.ts', 'docs/part.md', 'lib/part/', 'part?.json']
  return {
    ...note(900_000 + number, 'x'),
    kind: 'touches',
    paths: paths.map(path => path.replace('part', `p${number >> 1}`)),
  }
}

/**
 * Measures a queue of Tickets with five areas each against the same without: the limit is twice the time. Both have one blocker
 * each, and a tenth of them is active.
 */
function compareAreas(size: number): void {
  const [without, withAreas] = [false, true].map(hasAreas => queueOf(size, number => [number - 20], hasAreas)) as [
    () => void,
    () => void,
  ]
  let [withoutMs, withMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let run = 0; run < 15; run++) {
    withoutMs = Math.min(withoutMs, timed(without))
    withMs = Math.min(withMs, timed(withAreas))
  }
  const factor = withMs / withoutMs
  const verdict = factor > 2 ? '  OVER THE LIMIT' : ''
  console.log(
    `queue, ${size} Tickets: ${withoutMs.toFixed(2)} ms, with five areas each ${withMs.toFixed(2)} ms, x ${factor.toFixed(2)}, limit 2${verdict}`,
  )
  if (factor > 2) process.exitCode = 1
}

/** Returns an action that judges the queue of Tickets that block each other; of those with areas, every tenth is active. */
function queueOf(size: number, blockersOf: (number: number) => number[], hasAreas = false): () => void {
  const root = mkdtempSync(join(folder, 'plan-'))
  mkdirSync(join(root, 'tickets'))
  mkdirSync(join(root, '.ticketplan'))
  for (let number = 0; number < size; number++) {
    const blockers = blockersOf(number).filter(blocker => blocker >= 0 && blocker < number)
    const decisions = blockers.map((blocker, at) => ({
      ...note(number * 3 + at, 'x'),
      kind: 'blocked_by',
      target: `T-${blocker}`,
    }))
    const state = number % 10 === 9 ? 'in_progress' : 'queued'
    const all = hasAreas ? [...decisions, areaOf(number)] : decisions
    const ticket = { ...MADE, id: `T-${number}`, state, decisions: all } as unknown as Ticket
    writeFileSync(join(root, 'tickets', `T-${number}.json`), encodeTicket(ticket))
  }
  const plan = openPlan({ root, actor: 'bench' })
  plan.sync()
  return () => JSON.stringify(plan.queue())
}

/** Measures an action at a size and at four times that size: the least of some alternating runs. */
function measure(what: string, prepare: (size: number) => () => void, size: number): void {
  const [small, large] = [prepare(size), prepare(size * GROWTH)]
  let [smallMs, largeMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let run = 0; run < 7; run++) {
    smallMs = Math.min(smallMs, timed(small))
    largeMs = Math.min(largeMs, timed(large))
  }
  results.push({ what, smallMs, largeMs })
}

function timed(action: () => void): number {
  const startedAt = performance.now()
  action()
  return performance.now() - startedAt
}

function print(): void {
  console.log(`Growth of time for ${GROWTH} times the input; the limit is ${LIMIT}.`)
  for (const { what, smallMs, largeMs } of results) {
    const factor = largeMs / smallMs
    const verdict = factor > LIMIT ? '  OVER THE LIMIT' : ''
    console.log(
      `${what.padEnd(48)} ${smallMs.toFixed(2).padStart(8)} -> ${largeMs.toFixed(2).padStart(8)} ms  x ${factor.toFixed(1)}${verdict}`,
    )
    if (factor > LIMIT) process.exitCode = 1
  }
}
