/**
 * Measures the page in the system's Chromium: its start, changes by another process, exports, and what the browser loads.
 *
 * Usage: npm run build && npm run bench:view [-- --tickets 24,352,1200,10000] [--runs 9]. It exits 1 where a median is over its
 * limit. docs/performance.md records the figures.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { browserObstacle, launchBrowser, serveBusyPlan } from '../src/test-support/browser.ts'
import { PACKAGE_ROOT, runCli } from '../src/test-support/run-cli.ts'
import { measureChanges, measureStart } from '../src/test-support/view-measures.ts'
import { layout } from '../src/view/drawing/layout.ts'
import type { Box, Line } from '../src/view/drawing/layout-items.ts'

const { values } = parseArgs({
  options: { tickets: { type: 'string', default: '24,352,1200,10000' }, runs: { type: 'string', default: '9' } },
})
const runs = Number(values.runs)
const obstacle = browserObstacle()
if (obstacle) throw new Error(obstacle)

for (const name of ['page.js', 'page.css']) {
  const bytes = readFileSync(join(PACKAGE_ROOT, 'dist', 'page', name))
  console.log(`${name}: ${kilobytes(bytes.length)}, ${kilobytes(gzipSync(bytes, { level: 9 }).length)} compressed`)
}
/** Limits of the medians, in ms. */
const LIMITS = { paintMs: 400, contentMs: 1500, longestTaskMs: 200, claimedMs: 1200, exportMs: 3000, layoutMs: 80 }
const writtenLimit = (tickets: number) => (tickets <= 1200 ? 300 : 1000)

const browser = await launchBrowser()
for (const tickets of values.tickets.split(',').map(Number)) {
  await using plan = await serveBusyPlan(tickets)
  const first = await measureStart(browser, plan)
  const starts = await repeat(() => measureStart(browser, plan))
  const median = (name: keyof typeof first) =>
    ms(
      at(
        starts.map(start => start[name]),
        0.5,
      ),
    )
  const { writtenMs, claimedMs } = await measureChanges(browser, plan, runs)
  const startOf = (name: 'paintMs' | 'contentMs' | 'longestTaskMs') => starts.map(start => start[name])
  check('first paint', startOf('paintMs'), LIMITS.paintMs)
  check('content', startOf('contentMs'), LIMITS.contentMs)
  check('longest task', startOf('longestTaskMs'), LIMITS.longestTaskMs)
  check('a written file', writtenMs, writtenLimit(tickets))
  check('a claim', claimedMs, LIMITS.claimedMs)
  const exportMs = (format: string) => repeat(() => timeOf(() => runCli(plan.root, ['export', format])))
  const [svgMs, htmlMs] = [await exportMs('svg'), await exportMs('html')]
  check('export svg', svgMs, LIMITS.exportMs)
  check('export html', htmlMs, LIMITS.exportMs)
  console.log(
    [
      `${tickets.toLocaleString('en')} Tickets`,
      `first paint ${median('paintMs')}`,
      `content ${median('contentMs')} (the first time ${ms(first.contentMs)})`,
      `longest task ${median('longestTaskMs')}`,
      `${first.elements.toLocaleString('en')} elements`,
      `a written file ${spread(writtenMs)}`,
      `a claim ${spread(claimedMs)}`,
      `export svg ${ms(at(svgMs, 0.5))}, html ${ms(at(htmlMs, 0.5))}`,
    ].join('; '),
  )
}
await browser.close()
const layoutMs = await repeat(() => timeOf(() => layout(boxes(160), lines(240), 1400)))
check('layout', layoutMs, LIMITS.layoutMs)
console.log(`layout of 160 boxes with 240 lines: ${ms(at(layoutMs, 0.5))}`)

function boxes(count: number): Box[] {
  return Array.from({ length: count }, (_, n) => ({ id: `T${n}`, height: 40 }))
}

function lines(count: number): Line[] {
  return Array.from({ length: count }, (_, n) => {
    const from = (n * 7) % 150
    return { from: `T${from}`, to: `T${from + 1 + (n % 9)}`, kind: 'blocked_by' }
  })
}

async function timeOf(action: () => unknown): Promise<number> {
  const start = performance.now()
  await action()
  return performance.now() - start
}

function check(what: string, times: readonly number[], limit: number): void {
  if (at(times, 0.5) <= limit) return
  console.log(`over its limit: ${what}, ${ms(at(times, 0.5))} of at most ${limit} ms`)
  process.exitCode = 1
}

async function repeat<T>(action: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let run = 0; run < Math.min(5, runs); run++) results.push(await action())
  return results
}

function at(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!
}

function spread(numbers: readonly number[]): string {
  return `${ms(at(numbers, 0.5))} (p90 ${ms(at(numbers, 0.9))})`
}

function ms(value: number): string {
  return `${Math.round(value)} ms`
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}
