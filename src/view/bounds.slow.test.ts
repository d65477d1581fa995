/**
 * What bounds the time of the page, in a real browser: how much is loaded, how many elements there are, and that changes reach the
 * screen. The times themselves are measured by `npm run bench:view`, with their limits.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserObstacle, launchBrowser, serveBusyPlan } from '../test-support/browser.ts'
import { PACKAGE_ROOT } from '../test-support/run-cli.ts'
import { measureChanges, measureStart } from '../test-support/view-measures.ts'

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

  test('10,000 Tickets are on the screen with at most 3,000 elements', async () => {
    await using plan = await serveBusyPlan(10_000)
    const { elements } = await measureStart(browser, plan)
    expect(elements).toBeLessThanOrEqual(3000)
  })

  test('of 10,000 Tickets, every written file and every claim of another process reaches the screen', async () => {
    await using plan = await serveBusyPlan(10_000)
    const { writtenMs, claimedMs } = await measureChanges(browser, plan, 3)
    expect([writtenMs.length, claimedMs.length]).toEqual([3, 3])
  })
})
