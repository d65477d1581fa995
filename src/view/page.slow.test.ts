/** The page in a real browser: what it shows, keys, changes, attacks, and a server that stops. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

  test('the token is in no address after the start, and in no referrer', async () => {
    await using plan = await serveBusyPlan(24)
    await using open = await openPage(browser, plan.url)
    expect(await open.page.evaluate(() => location.href + document.referrer)).not.toContain(plan.token)
    expect(await open.page.evaluate(() => document.cookie)).toBe('')
    await open.page.reload()
    await open.page.locator('.numbers').waitFor()
  })
})

describe.skipIf(obstacle)('attacks', () => {
  test('another page on this machine gets nothing, and cannot frame the page', async () => {
    await using plan = await serveBusyPlan(24)
    const evil = createServer((_, response) =>
      response.setHeader('Content-Type', 'text/html').end('<title>evil</title>'),
    )
    await new Promise<void>(resolve => evil.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${plan.port}`
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`)
    const got = await page.evaluate(
      async ({ origin, token }) => {
        const tries: Record<string, string> = {}
        const attempt = async (name: string, action: () => Promise<string>) => {
          tries[name] = await action().catch(() => 'refused')
        }
        const text = async (path: string, init?: RequestInit) => (await fetch(origin + path, init)).text()
        await attempt('read', () => text('/api/overview'))
        await attempt('read with the token', () =>
          text('/api/overview', { headers: { Authorization: `Bearer ${token}` } }),
        )
        await attempt(
          'script',
          () =>
            new Promise((resolve, reject) => {
              const script = document.createElement('script')
              script.src = `${origin}/page.js`
              script.onload = () => resolve('loaded')
              script.onerror = () => reject(new Error())
              document.head.append(script)
            }),
        )
        await attempt(
          'frame',
          () =>
            new Promise(resolve => {
              const frame = document.createElement('iframe')
              frame.src = `${origin}/`
              frame.onload = () => {
                let inside = 'blocked'
                try {
                  inside = frame.contentDocument?.body.textContent ?? 'blocked'
                } catch {}
                resolve(inside)
              }
              document.body.append(frame)
            }),
        )
        return tries
      },
      { origin, token: plan.token },
    )
    expect(got).toMatchObject({
      read: 'refused',
      'read with the token': 'refused',
      script: 'refused',
      frame: 'blocked',
    })
    expect(
      page
        .frames()
        .slice(1)
        .map(frame => frame.url()),
    ).not.toContain(`${origin}/`)
    await context.close()
    evil.close()
  })

  test('a name that resolves to this machine gets nothing', async () => {
    await using plan = await serveBusyPlan(24)
    const rebound = await launchBrowser('--host-resolver-rules=MAP evil.example 127.0.0.1')
    const page = await rebound.newPage()
    const answer = await page.goto(`http://evil.example:${plan.port}/#token=${plan.token}`)
    expect(answer!.status()).toBe(421)
    expect(await page.textContent('body')).not.toContain('T-1')
    await rebound.close()
  })

  test('hostile texts run nothing and break nothing', async () => {
    using repository = temporaryRepository()
    const script = '<img src=x onerror="window.pwned=1">\'"`</script><script>window.pwned=2</script>'
    putTicket(repository.root, 'E-1', { title: script, state: 'in_progress' })
    putTicket(repository.root, 'E-2', { title: 'javascript:alert(1) \u202e reversed ]]> {{7*7}}', state: 'queued' })
    putTicket(repository.root, 'E-3', { title: script, state: `<b>${'x'.repeat(40)}` })
    const runs = [
      ['record', 'E-2', 'blocked_by', 'E-1', '--reason', '</textarea><svg onload="window.pwned=3">'],
      ['claim', 'E-1', '--holder', '"><script>window.pwned=4</script>'],
      ['record', 'E-2', 'note', '--reason', script],
      ['record', 'E-1', 'touches', '--paths', 'src/<b>x'],
    ]
    for (const args of runs) expect((await runCli(repository.root, args)).status, args.join(' ')).toBe(0)
    await using plan = await servePlan(repository.root)
    await using open = await openPage(browser, plan.url)
    for (const hash of [
      '#/',
      '#/map',
      '#/log',
      '#/tickets',
      '#/ticket/E-2',
      '#/ticket/E-1',
      '#/ticket/%3Cscript%3E',
      '#/map?focus=%22%3E%3Cb%3E',
    ]) {
      await open.page.evaluate(to => {
        location.hash = to
      }, hash)
      await open.page.locator('main h1').waitFor()
      await open.page.evaluate(
        () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))),
      )
      expect(await open.page.evaluate(() => (window as { pwned?: number }).pwned), hash).toBeUndefined()
      expect(await open.page.locator('main img, main script, main b b, main textarea').count(), hash).toBe(0)
      expect(await open.page.evaluate(() => document.body.innerText.includes('\u202e')), hash).toBe(false)
    }
    await goTo(open.page, '#/tickets')
    expect(await open.page.locator('.table').innerText()).toContain('<img src=x onerror="window.pwned=1">')
    expect(open.errors.filter(error => !error.includes('404'))).toEqual([])
  })
})
