/** Exported files, opened from the disk in a real browser and read as XML, and how they look. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserObstacle, goTo, launchBrowser, openPage } from '../test-support/browser.ts'
import { writeBusyPlan } from '../test-support/busy-plan.ts'
import { errorOf, jsonOf, runCli } from '../test-support/run-cli.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

const obstacle = browserObstacle()

async function exported(root: string, ...args: string[]): Promise<string> {
  const run = await runCli(root, ['export', ...args])
  expect(run.status, run.stderr).toBe(0)
  return run.stdout
}

describe('claims', () => {
  test.each(['svg', 'html'])('are in no %s, unless they are asked for', async format => {
    using repository = temporaryRepository()
    for (const id of ['A', 'B', 'C']) putTicket(repository.root, id, { state: 'queued' })
    const runs = [
      ['record', 'B', 'conflicts_with', 'A'],
      ['record', 'C', 'blocked_by', 'A'],
      ['claim', 'A', '--holder', 'secret-pod', '--session', 'secret-session'],
    ]
    for (const args of runs) expect((await runCli(repository.root, args)).status).toBe(0)
    expect(await exported(repository.root, format)).not.toMatch(/secret/)
    expect(await exported(repository.root, format, '--claims')).toContain('secret-pod')
  })

  test('are no option of other formats', async () => {
    using repository = temporaryRepository()
    for (const args of [
      ['dot', '--claims'],
      ['json', '--focus', 'A'],
      ['svg', '--all'],
    ]) {
      const run = await runCli(repository.root, ['export', ...args, '--json'])
      expect(run.status).toBe(2)
      expect(errorOf(run).message).toContain(`${args[0]} takes no ${args[1]}`)
    }
  })
})

test('a focus draws only what is around the Ticket', async () => {
  using repository = temporaryRepository()
  for (const id of ['A', 'B', 'C', 'D']) putTicket(repository.root, id, { state: 'queued' })
  await runCli(repository.root, ['record', 'B', 'blocked_by', 'A'])
  await runCli(repository.root, ['record', 'D', 'blocked_by', 'C'])
  const text = await exported(repository.root, 'svg', '--focus', 'B')
  expect(text).toMatch(/>A</)
  expect(text).not.toMatch(/>D</)
})

describe.skipIf(obstacle)('in the browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  /** Opens a file; returns the shares of the colours in its picture, the most frequent first. */
  async function picture(path: string, colorScheme: 'light' | 'dark'): Promise<{ colour: string; share: number }[]> {
    const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, colorScheme })
    const page = await context.newPage()
    await page.goto(pathToFileURL(path).href)
    const shot = await page.screenshot()
    const canvas = await context.newPage()
    const shares = await canvas.evaluate(async data => {
      const image = new Image()
      image.src = `data:image/png;base64,${data}`
      await image.decode()
      const draw = new OffscreenCanvas(image.width, image.height).getContext('2d')!
      draw.drawImage(image, 0, 0)
      const { data: bytes } = draw.getImageData(0, 0, image.width, image.height)
      const counts = new Map<string, number>()
      for (let at = 0; at < bytes.length; at += 4) {
        const colour = `${bytes[at]},${bytes[at + 1]},${bytes[at + 2]}`
        counts.set(colour, (counts.get(colour) ?? 0) + 1)
      }
      return [...counts]
        .map(([colour, n]) => ({ colour, share: (n * 4) / bytes.length }))
        .sort((a, b) => b.share - a.share)
    }, shot.toString('base64'))
    await context.close()
    return shares
  }

  test('the SVG is well-formed, and shows its boxes on the ground of each mode', async () => {
    using repository = temporaryRepository()
    writeBusyPlan(repository.root, { tickets: 352, nowMs: Date.now() })
    putTicket(repository.root, 'T-300', { state: 'queued', title: ']]> <script>alert(1)</script> &amp; "x"' })
    const text = await exported(repository.root, 'svg')
    const path = join(repository.root, 'map.svg')
    writeFileSync(path, text)
    const page = await browser.newPage()
    const parsed = await page.evaluate(xml => {
      const document = new DOMParser().parseFromString(xml, 'image/svg+xml')
      const error = document.querySelector('parsererror')?.textContent ?? null
      return {
        error,
        boxes: document.querySelectorAll('.node rect').length,
        scripts: document.querySelectorAll('script').length,
      }
    }, text)
    expect(parsed).toMatchObject({ error: null, scripts: 0 })
    expect(parsed.boxes).toBeGreaterThan(50)
    await page.close()
    for (const [mode, ground, green] of [
      ['light', '255,255,255', '227,246,232'],
      ['dark', '22,26,32', '17,41,26'],
    ] as const) {
      const shares = await picture(path, mode)
      expect(shares[0], mode).toMatchObject({ colour: ground })
      expect(shares[0]!.share).toBeLessThan(0.98)
      expect(shares.find(({ colour }) => colour === green)?.share ?? 0, mode).toBeGreaterThan(0.002)
    }
  })

  test('the HTML opens without a server and without an error, and shows what the page shows', async () => {
    using repository = temporaryRepository()
    writeBusyPlan(repository.root, { tickets: 352, nowMs: Date.now() })
    putTicket(repository.root, 'T-300', { state: 'queued', title: '</script><script>window.pwned = 1</script>' })
    const path = join(repository.root, 'plan.html')
    writeFileSync(path, await exported(repository.root, 'html'))
    const { counts, causes } = jsonOf<{ counts: { hold: number }; causes: { tickets: string[] }[] }>(
      await runCli(repository.root, ['overview', '--json']),
    )
    await using open = await openPage(browser, pathToFileURL(path).href)
    const { page } = open
    expect(await page.locator('.figure.hold b').textContent()).toBe(String(counts.hold))
    expect(await page.locator('.link').textContent()).toMatch(/^as of /)
    await goTo(page, `#/ticket/${causes[0]!.tickets[0]}`)
    await page.locator('#decisions').waitFor()
    await goTo(page, '#/log')
    await goTo(page, '#/tickets?q=T-300')
    expect(await page.locator('.table').innerText()).toContain('</script>')
    await goTo(page, '#/map')
    expect(await page.locator('svg.map .node').count()).toBeGreaterThan(20)
    expect(await page.evaluate(() => (window as { pwned?: number }).pwned)).toBeUndefined()
    expect([open.errors, open.foreign]).toEqual([[], []])
    for (const [mode, ground] of [
      ['light', '244,245,246'],
      ['dark', '13,16,20'],
    ] as const) {
      const shares = await picture(path, mode)
      expect(
        shares.slice(0, 2).map(({ colour }) => colour),
        mode,
      ).toContain(ground)
      expect(shares[0]!.share).toBeLessThan(0.95)
    }
  })
})
