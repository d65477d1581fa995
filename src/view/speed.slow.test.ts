/**
 * How fast the page is, in a real browser. Each figure is the best of a few runs, so that other work on the machine does not
 * count; `npm run bench:view` prints them with their medians.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserObstacle, launchBrowser, serveBusyPlan } from '../test-support/browser.ts'
import { PACKAGE_ROOT } from '../test-support/run-cli.ts'
import { measureChanges, measureStart, type StartMeasures } from '../test-support/view-measures.ts'

const obstacle = browserObstacle()

test('the browser loads at most 40 kB of script and 7 kB of style, compressed', () => {
  const sizeOf = (name: string) => gzipSync(readFileSync(join(PACKAGE_ROOT, 'dist', 'page', name)), { level: 9 }).length
  expect(sizeOf('page.js')).toBeLessThanOrEqual(40_000)
  expect(sizeOf('page.css')).toBeLessThanOrEqual(7000)
})

describe.skipIf(obstacle)('in the browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  test('10,000 Tickets are on the screen in 1.5 s, with at most 3,000 elements and no task over 200 ms', async () => {
    await using plan = await serveBusyPlan(10_000)
    const runs: StartMeasures[] = []
    for (let run = 0; run < 5; run++) runs.push(await measureStart(browser, plan))
    const best = (name: 'paintMs' | 'contentMs' | 'longestTaskMs') => Math.min(...runs.map(run => run[name]))
    expect(best('paintMs')).toBeLessThanOrEqual(400)
    expect(best('contentMs')).toBeLessThanOrEqual(1500)
    expect(best('longestTaskMs')).toBeLessThanOrEqual(200)
    expect(Math.max(...runs.map(run => run.elements))).toBeLessThanOrEqual(3000)
  })

  test.each([
    [1200, 300],
    [10_000, 1000],
  ])('of %i Tickets, a written file is on the screen in %i ms, and a claim in 1.2 s', async (tickets, limitMs) => {
    await using plan = await serveBusyPlan(tickets)
    const { writtenMs, claimedMs } = await measureChanges(browser, plan, 9)
    expect(writtenMs[Math.floor(writtenMs.length / 2)]).toBeLessThanOrEqual(limitMs)
    expect(claimedMs[Math.floor(claimedMs.length / 2)]).toBeLessThanOrEqual(1200)
  })
})
