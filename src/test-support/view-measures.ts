/** Measures the page in a browser: its start, and how long a change by another process takes to the screen. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { openPage, type ServedPlan } from './browser.ts'

export interface StartMeasures {
  /** From the start of the navigation, in ms. */
  paintMs: number
  contentMs: number
  longestTaskMs: number
  elements: number
}

/** Opens the page in a fresh profile. */
export async function measureStart(browser: Browser, plan: Pick<ServedPlan, 'url'>): Promise<StartMeasures> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  await page.addInitScript(() => {
    const measured = { longest: 0, content: 0 }
    Object.assign(window, { measured })
    new PerformanceObserver(list => {
      for (const { duration } of list.getEntries()) measured.longest = Math.max(measured.longest, duration)
    }).observe({ type: 'longtask', buffered: true })
    new MutationObserver(() => {
      if (measured.content === 0 && document.querySelector('.numbers'))
        requestAnimationFrame(() => {
          measured.content ||= performance.now()
        })
    }).observe(document, { subtree: true, childList: true })
  })
  await page.goto(plan.url)
  await page.waitForFunction(() => (window as unknown as { measured: { content: number } }).measured.content > 0)
  await page.locator('svg.map .node').first().waitFor()
  const found = await page.evaluate(() => ({
    ...(window as unknown as { measured: { longest: number; content: number } }).measured,
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
    elements: document.querySelectorAll('*').length,
  }))
  await context.close()
  return { paintMs: found.paint, contentMs: found.content, longestTaskMs: found.longest, elements: found.elements }
}

/** Changes made by another process, each until its text is on the screen; in ms, sorted. */
export async function measureChanges(
  browser: Browser,
  plan: Pick<ServedPlan, 'url' | 'root'>,
  runs: number,
): Promise<{ writtenMs: number[]; claimedMs: number[] }> {
  await using open = await openPage(browser, plan.url)
  const { page } = open
  await page.locator('.link.live').waitFor()
  const free = await page.locator('#may-run .id b').allTextContents()
  const child = fork(join(import.meta.dirname, 'plan-writer.ts'), [plan.root])
  await once(child, 'message')
  const until = async (text: string) => {
    await page.waitForFunction(wanted => document.body.textContent!.includes(wanted), text, { polling: 'raf' })
    return page.evaluate(() => Date.now())
  }
  const writtenMs: number[] = []
  const claimedMs: number[] = []
  for (let run = 0; run < runs; run++) {
    await sleep(300 + run * 37) // not in step with what is polled
    const text = `change ${run} of the measure`
    const written = await change(child, 'record', { ticket: free[0], kind: 'note', reason: text })
    writtenMs.push((await until(text)) - written)
    const holder = `zz-${run}`
    const claimed = await change(child, 'claim', { ticket: free.at(-1), holder })
    claimedMs.push((await until(holder)) - claimed)
    await change(child, 'release', { ticket: free.at(-1), force: true, reason: 'measured' })
  }
  child.kill()
  return { writtenMs: writtenMs.sort((a, b) => a - b), claimedMs: claimedMs.sort((a, b) => a - b) }
}

/** Has the other process make a change; returns when it was made. */
async function change(child: ChildProcess, method: string, input: object): Promise<number> {
  child.send({ method, input })
  const [answer] = (await once(child, 'message')) as [number | string]
  if (typeof answer === 'string') throw new Error(answer)
  return answer
}
