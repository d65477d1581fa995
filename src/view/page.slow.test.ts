/** The page in a real browser: what it shows, keys, changes, and a server that stops. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserObstacle, goTo, launchBrowser, openPage, serveBusyPlan, servePlan } from '../test-support/browser.ts'
import { runCli } from '../test-support/run-cli.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

const obstacle = browserObstacle()
if (obstacle) console.warn(`the page is not tested: ${obstacle}`)

let browser: Browser
beforeAll(async () => {
  if (!obstacle) browser = await launchBrowser()
})
afterAll(() => browser?.close())

const focused = (page: Page) =>
  page.evaluate(() => document.activeElement?.getAttribute('data-id') ?? document.activeElement?.textContent ?? '')
const hashOf = (page: Page) => page.evaluate(() => location.hash)

describe.skipIf(obstacle)('what is shown', () => {
  test('every verdict is that of queue, every hold has a cause, and nothing is loaded from elsewhere', async () => {
    await using plan = await serveBusyPlan(352)
    await using open = await openPage(browser, plan.url)
    const { page } = open
    const { stdout } = await runCli(plan.root, ['queue', '--json'])
    const queue = JSON.parse(stdout).queue as { ticket: { id: string }; verdict: string }[]
    for (const [look, verdict] of [
      ['accept', 'accept'],
      ['hold', 'hold'],
    ])
      expect(await page.locator(`.figure.${look} b`).textContent()).toBe(
        String(queue.filter(one => one.verdict === verdict).length),
      )
    await goTo(page, '#/tickets?phase=queued')
    const rows = await page.locator('.table tbody tr').all()
    expect(rows.length).toBe(queue.length)
    const shown = await page
      .locator('.table td .id')
      .evaluateAll(links =>
        links.map(link => [link.querySelector('b')!.textContent, link.querySelector('.spoken')!.textContent!.trim()]),
      )
    for (const { ticket, verdict } of queue) {
      const [, word] = shown.find(([id]) => id === ticket.id)!
      if (word !== 'running') expect(word, ticket.id).toBe(verdict === 'accept' ? 'may run' : 'held')
    }
    await goTo(page, '#/')
    const more = page.locator('#held > .more')
    while ((await more.count()) > 0) await more.click()
    for (const group of await page.locator('#held details').all()) {
      if ((await group.getAttribute('open')) === null) await group.locator('summary').click()
      for (const row of await group.locator('.row').all())
        expect(await row.locator('.why > *').count()).toBeGreaterThan(0)
    }
    expect([open.errors, open.foreign]).toEqual([[], []])
  })

  test('a settled plan has its own form, without empty cards', async () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { state: 'done' })
    await using plan = await servePlan(repository.root)
    await using open = await openPage(browser, plan.url)
    expect(await open.page.locator('.sentence').textContent()).toBe(
      'Nothing is queued and nothing runs. 1 Ticket settled, 0 not queued.',
    )
    expect(await open.page.locator('.card:visible h2').allTextContents()).toEqual([
      'The queue is empty',
      'Decided last',
      'Who holds what0',
      'The last day',
    ])
  })

  test('every box holds its texts, whatever the titles are', async () => {
    await using plan = await serveBusyPlan(352)
    await using open = await openPage(browser, plan.url)
    await goTo(open.page, '#/map')
    const over = await open.page.locator('svg.map .node').evaluateAll(nodes =>
      nodes.flatMap(node => {
        const right = node.querySelector('rect')!.getBoundingClientRect().right
        return [...node.querySelectorAll('text')]
          .filter(text => text.getBoundingClientRect().right > right + 1)
          .map(text => text.textContent)
      }),
    )
    expect(over).toEqual([])
  })

  test('the map is unfolded, zoomed, filtered and saved', async () => {
    using repository = temporaryRepository()
    for (const id of ['A', 'B', 'C', 'D', 'E', 'F']) putTicket(repository.root, id, { state: 'queued' })
    for (const id of ['B', 'C', 'D', 'E'])
      expect((await runCli(repository.root, ['record', id, 'blocked_by', 'A'])).status).toBe(0)
    expect((await runCli(repository.root, ['record', 'A', 'conflicts_with', 'F'])).status).toBe(0)
    await using plan = await servePlan(repository.root)
    await using open = await openPage(browser, plan.url)
    const { page } = open
    await goTo(page, '#/map')
    expect(await page.locator('svg.map .node').count()).toBe(3)
    await page.locator('.node.fold').click()
    await page.locator('svg.map .node').nth(5).waitFor()
    expect(await hashOf(page)).toContain('unfold=')
    await page.getByRole('link', { name: 'conflicts' }).click()
    await page.locator('svg.map .edge.conflicts_with').waitFor({ state: 'detached' })
    expect(await hashOf(page)).toContain('kinds=blocked_by%2Cafter')
    const width = async () => (await page.locator('svg.map').boundingBox())!.width
    const before = await width()
    await page.getByRole('button', { name: 'Zoom in' }).click()
    await page.waitForFunction(
      least => document.querySelector('svg.map')!.getBoundingClientRect().width > least,
      before * 1.2,
    )
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'save as SVG' }).click()
    expect((await download).suggestedFilename()).toMatch(/-map\.svg$/)
  })
})

describe.skipIf(obstacle)('keys', () => {
  test('everything is reached without a pointer', async () => {
    await using plan = await serveBusyPlan(24)
    await using open = await openPage(browser, plan.url)
    const { page } = open
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('To the content')
    await page.keyboard.press('j')
    const first = await focused(page)
    await page.keyboard.press('j')
    expect(await focused(page)).not.toBe(first)
    await page.keyboard.press('k')
    expect(await focused(page)).toBe(first)
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => location.hash.startsWith('#/ticket/'))
    await page.keyboard.press('Escape')
    await page.waitForFunction(() => location.hash === '#/')
    for (const [key, hash] of [
      ['m', '#/map'],
      ['l', '#/log'],
      ['t', '#/tickets'],
      ['n', '#/'],
    ] as const) {
      await page.keyboard.press('g')
      await page.keyboard.press(key)
      await page.waitForFunction(wanted => location.hash === wanted, hash)
    }
    await page.keyboard.press('/')
    await page.keyboard.type('T-20')
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => location.hash === '#/ticket/T-20')
    await page.locator('main h1').click()
    await page.keyboard.press('?')
    expect(await page.locator('dialog').getAttribute('open')).not.toBeNull()
  })

  test('the arrows walk the map, which is one tab stop', async () => {
    await using plan = await serveBusyPlan(24)
    await using open = await openPage(browser, plan.url)
    const { page } = open
    await goTo(page, '#/map')
    const stop = page.locator('svg.map [tabindex="0"]')
    expect(await stop.count()).toBe(1)
    await stop.focus()
    const first = await focused(page)
    await page.keyboard.press('ArrowRight')
    await page.waitForFunction(id => document.activeElement?.getAttribute('data-id') !== id, first)
    await page.keyboard.press('ArrowLeft')
    await page.waitForFunction(() => document.activeElement?.getAttribute('data-id') !== null)
    expect(await stop.count()).toBe(1)
  })
})

describe.skipIf(obstacle)('changes', () => {
  test('a changed verdict is drawn, and said to a screen reader', async () => {
    using repository = temporaryRepository()
    for (const id of ['A', 'B']) putTicket(repository.root, id, { state: 'queued' })
    await using plan = await servePlan(repository.root)
    await using open = await openPage(browser, plan.url)
    await open.page.locator('.link.live').waitFor()
    expect((await runCli(repository.root, ['record', 'B', 'blocked_by', 'A'])).status).toBe(0)
    await open.page.locator('#held .row', { hasText: 'waits for' }).waitFor()
    expect(await open.page.locator('[aria-live]').last().textContent()).toBe('B is held')
    expect((await runCli(repository.root, ['claim', 'A', '--holder', 'pod-77'])).status).toBe(0)
    await open.page.locator('.plot.claims', { hasText: 'pod-77' }).waitFor()
  })

  test('a stopped server is seen, and after a new start the old tab says to open the new link', async () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { state: 'queued' })
    const plan = await servePlan(repository.root)
    await using open = await openPage(browser, plan.url)
    await open.page.locator('.link.live').waitFor()
    const stopped = performance.now()
    await plan[Symbol.asyncDispose]()
    await open.page.locator('.link', { hasText: 'not connected' }).waitFor()
    expect(performance.now() - stopped).toBeLessThan(2000)
    await using again = await servePlan(repository.root, plan.port)
    await open.page.locator('.link', { hasText: 'open its new link' }).waitFor()
    await using next = await openPage(browser, again.url)
    await next.page.locator('.link.live').waitFor()
  })

  test('a hidden page drops its stream, and is current again when it is seen', async () => {
    await using plan = await serveBusyPlan(24)
    await using open = await openPage(browser, plan.url)
    const { page } = open
    await page.locator('.link.live').waitFor()
    const show = (isHidden: boolean) =>
      page.evaluate(hidden => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      }, isHidden)
    const dropped = page.waitForEvent('requestfailed', request => request.url().endsWith('/api/events'))
    await show(true)
    await dropped
    expect((await runCli(plan.root, ['record', 'T-20', 'note', '--reason', 'while it was hidden'])).status).toBe(0)
    const again = page.waitForEvent('request', request => request.url().endsWith('/api/events'))
    await show(false)
    await again
    await page.getByText('while it was hidden').waitFor()
  })

  test('the token is in no address after the start, and in no referrer', async () => {
    await using plan = await serveBusyPlan(24)
    await using open = await openPage(browser, plan.url)
    expect(await open.page.evaluate(() => location.href + document.referrer)).not.toContain(plan.token)
    expect(await open.page.evaluate(() => document.cookie)).toBe('')
    await open.page.reload()
    await open.page.locator('.numbers').waitFor()
  })
})
