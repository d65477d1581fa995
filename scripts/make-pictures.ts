/**
 * Makes the pictures of README.md and docs/view.md: screenshots of the page over a plan that is written here.
 *
 * Usage: npm run build && npm run pictures [-- --chromium /usr/bin/chromium]. The plan is the same each time; its dates follow
 * the clock.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { writeBusyPlan } from '../src/test-support/busy-plan.ts'
import { startCli } from '../src/test-support/run-cli.ts'
import { temporaryFolder } from '../src/test-support/temporary-repository.ts'

const { values } = parseArgs({ options: { chromium: { type: 'string', default: '/usr/bin/chromium' } } })
const folder = join(import.meta.dirname, '..', 'docs', 'images')

interface Picture {
  name: string
  address: string
  height: number
  colorScheme?: 'light' | 'dark'
}

const PICTURES: Picture[] = [
  { name: 'view-now', address: '#/', height: 900 },
  { name: 'view-now-dark', address: '#/', height: 900, colorScheme: 'dark' },
  { name: 'view-map', address: '#/map', height: 720 },
  { name: 'view-ticket', address: '#/ticket/T-232', height: 900 },
]

mkdirSync(folder, { recursive: true })
using temporary = temporaryFolder()
const root = join(temporary.path, 'shop')
mkdirSync(root)
execFileSync('git', ['init', '--quiet', root])
writeBusyPlan(root, { tickets: 352, nowMs: Date.now() })
const server = startCli(root, ['view', '--port', '0'])
await server.said(1)
const browser = await chromium.launch({ executablePath: values.chromium, args: ['--no-sandbox'] })
for (const { name, address, height, colorScheme = 'light' } of PICTURES) {
  const context = await browser.newContext({ viewport: { width: 1280, height }, colorScheme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  await page.goto(server.lines[0]!)
  await page.locator('.numbers').waitFor()
  await page.evaluate(to => {
    location.hash = to
  }, address)
  await page.locator('svg.map').first().waitFor()
  await page.evaluate(() => document.fonts.ready)
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path })
  console.log(`${name}.png ${Math.round(statSync(path).size / 1024)} kB`)
  await context.close()
}
await browser.close()
server.process.kill('SIGTERM')
await server.ended
