/** Chromium for tests: that of the system, never a downloaded one. Where there is none, tests are skipped; in CI they fail. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { writeBusyPlan } from './busy-plan.ts'
import { type PlanChild, startCli } from './run-cli.ts'
import type { Obstacle } from './system-abilities.ts'
import { temporaryRepository } from './temporary-repository.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** Returns the path of the system's Chromium; undefined where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(':')
  return NAMES.flatMap(name => folders.map(folder => join(folder, name))).find(path => existsSync(path))
}

/** Returns why no browser can be used; null where one is there. @throws Error in CI, which has to install one. */
export function browserObstacle(): Obstacle {
  if (findChromium() !== undefined) return null
  if (process.env.CI) throw new Error('Chromium is not installed, and CI must have it: apt-get install chromium')
  return 'Chromium is not installed (Debian: apt-get install chromium)'
}

/** Starts the browser, with further arguments. */
export function launchBrowser(...args: string[]): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium()!, args: ['--no-sandbox', ...args] })
}

export interface ServedPlan extends AsyncDisposable {
  root: string
  /** The link, with the token. */
  url: string
  token: string
  port: number
  server: PlanChild
}

/** Serves a busy plan of that many Tickets; with 0 an empty one. */
export async function serveBusyPlan(tickets: number, options: { tidy?: boolean } = {}): Promise<ServedPlan> {
  const repository = temporaryRepository()
  if (tickets > 0) writeBusyPlan(repository.root, { tickets, nowMs: Date.now(), ...options })
  const served = await servePlan(repository.root)
  return {
    ...served,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]()
      repository[Symbol.dispose]()
    },
  }
}

/** Serves the plan of a checkout, on any free port unless one is given. */
export async function servePlan(root: string, port = 0): Promise<ServedPlan> {
  const server = startCli(root, ['view', '--port', String(port)])
  await server.said(1)
  const url = server.lines[0]!
  return {
    root,
    url,
    token: url.split('=')[1]!,
    port: Number(new URL(url).port),
    server,
    async [Symbol.asyncDispose]() {
      server.process.kill('SIGTERM')
      await server.ended
    },
  }
}

export interface OpenPage extends AsyncDisposable {
  page: Page
  /** Errors of the console and of scripts, refused requests included. */
  errors: string[]
  /** Requests to anything but the page's own server. */
  foreign: string[]
}

/** Opens an address in a window of its own, and waits until the page is drawn. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  })
  const page = await context.newPage()
  const errors: string[] = []
  const foreign: string[] = []
  page.on('console', message => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', error => errors.push(error.message))
  const { origin } = new URL(url)
  page.on('request', request => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('file:')) foreign.push(request.url())
  })
  await page.goto(url)
  await page.locator('.numbers').waitFor()
  return { page, errors, foreign, [Symbol.asyncDispose]: () => context.close() }
}

/** Goes to a view, and waits until it is drawn. */
export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(to => {
    location.hash = to
  }, hash)
  const [path = ''] = hash.replace(/^#\/?/, '').split(/[/?]/)
  const drawn = {
    '': '.numbers',
    ticket: '#decisions, .none',
    map: '.map-frame, .none',
    log: '.log.wide',
    tickets: '.table',
  }
  await page
    .locator(`main :is(${drawn[path as keyof typeof drawn]})`)
    .first()
    .waitFor()
}
