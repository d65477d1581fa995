/**
 * Makes the pictures of README.md and docs/view.md: screenshots of the page over plans that are written here.
 *
 * Usage: npm run build && npm run pictures. It needs the system's Chromium. The plans are the same each time; their dates follow
 * the clock.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { browserObstacle, goTo, launchBrowser, openPage, servePlan } from '../src/test-support/browser.ts'
import { writeBusyPlan } from '../src/test-support/busy-plan.ts'
import { temporaryFolder } from '../src/test-support/temporary-repository.ts'

const folder = join(import.meta.dirname, '..', 'docs', 'images')

interface Picture {
  name: string
  tickets: number
  address?: string
  width?: number
  height?: number
  colorScheme?: 'light' | 'dark'
}

const PICTURES: Picture[] = [
  { name: 'view-now.png', tickets: 352 },
  { name: 'view-now-dark.jpeg', tickets: 352, height: 800, colorScheme: 'dark' },
  { name: 'view-now-narrow.jpeg', tickets: 352, width: 400 },
  { name: 'view-map.png', tickets: 352, address: '#/map', height: 720 },
  { name: 'view-ticket.png', tickets: 352, address: '#/ticket/T-232', width: 1200, height: 960 },
  { name: 'view-now-24.jpeg', tickets: 24, height: 800 },
  { name: 'view-now-1200.jpeg', tickets: 1200, height: 800 },
  { name: 'view-now-10000.jpeg', tickets: 10_000, height: 800 },
]

const obstacle = browserObstacle()
if (obstacle) throw new Error(obstacle)
mkdirSync(folder, { recursive: true })
const browser = await launchBrowser()
for (const [tickets, pictures] of Map.groupBy(PICTURES, ({ tickets }) => tickets)) {
  using temporary = temporaryFolder()
  const root = join(temporary.path, 'shop')
  mkdirSync(root)
  execFileSync('git', ['init', '--quiet', root])
  writeBusyPlan(root, { tickets, nowMs: Date.now() })
  await using plan = await servePlan(root)
  for (const { name, address, width = 1440, height = 900, colorScheme = 'light' } of pictures) {
    await using open = await openPage(browser, plan.url, { viewport: { width, height }, colorScheme })
    await open.page.locator('.link.live').waitFor()
    if (address) await goTo(open.page, address)
    await open.page.locator('svg.map').first().waitFor()
    const path = join(folder, name)
    await open.page.screenshot({ path, ...(name.endsWith('.jpeg') && { type: 'jpeg', quality: 70 }) })
    console.log(`${name} ${Math.round(statSync(path).size / 1024)} kB`)
  }
}
await browser.close()
