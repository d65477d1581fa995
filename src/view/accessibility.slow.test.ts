/** axe over every view: WCAG 2.2 AA and best practice, light and dark, wide and narrow, with live claims. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserObstacle, goTo, launchBrowser, openPage, serveBusyPlan } from '../test-support/browser.ts'

const obstacle = browserObstacle()
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const VIEWS = ['#/', '#/map', '#/log', '#/tickets']

declare const window: { axe: { run(context: unknown, options: object): Promise<{ violations: Violation[] }> } }
interface Violation {
  id: string
  nodes: { target: string[]; failureSummary: string }[]
}

async function violations(page: Page): Promise<string[]> {
  const found = await page.evaluate(rules => window.axe.run(document, { runOnly: rules }), RULES)
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  )
}

describe.skipIf(obstacle)('every view', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  test.each([24, 352, 1200, 10_000])('of %i Tickets has no violation and no overflow', async tickets => {
    await using plan = await serveBusyPlan(tickets)
    for (const colorScheme of ['light', 'dark'] as const)
      for (const [width, height] of [
        [1440, 900],
        [400, 800],
      ] as const) {
        // The policy of the page forbids the script of axe, which is no part of the page.
        await using open = await openPage(browser, plan.url, {
          viewport: { width, height },
          colorScheme,
          bypassCSP: true,
        })
        const { page } = open
        const live = await page.locator('.plot.claims .live').count()
        expect(live).toBeGreaterThan(0)
        const held = await page.locator('#held details[open] .id b').first().textContent()
        await page.evaluate(axe)
        for (const view of [...VIEWS, `#/ticket/${held}`]) {
          await goTo(page, view)
          await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))))
          const where = `${tickets} ${colorScheme} ${width} ${view}`
          expect(await violations(page), where).toEqual([])
          expect(
            await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
            where,
          ).toBeLessThanOrEqual(0)
        }
      }
  })
})
