/** Attacks on the page in a real browser: another page, a name that resolves to this machine, hostile texts. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserObstacle, goTo, launchBrowser, openPage, serveBusyPlan, servePlan } from '../test-support/browser.ts'
import { runCli } from '../test-support/run-cli.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

const obstacle = browserObstacle()
let browser: Browser
beforeAll(async () => {
  if (!obstacle) browser = await launchBrowser()
})
afterAll(() => browser?.close())

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
