/** The server of the page by hand: real requests over HTTP, with headers that no browser would send. */
import { request } from 'node:http'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ServedPlan, serveBusyPlan, servePlan } from '../../test-support/browser.ts'
import { errorOf, runCli, startCli } from '../../test-support/run-cli.ts'
import { putTicket, temporaryFolder, temporaryRepository } from '../../test-support/temporary-repository.ts'
import { until } from '../../test-support/until.ts'

interface Answer {
  status: number
  headers: Record<string, unknown>
  text: string
}

let plan: ServedPlan
beforeAll(async () => {
  plan = await serveBusyPlan(24)
})
afterAll(() => plan[Symbol.asyncDispose]())

function ask(path: string, headers: Record<string, string> = {}, method = 'GET', { port } = plan): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', part => {
        text += part
      })
      answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, text }))
    })
    asked.on('error', reject).end()
  })
}

const withToken = (more: Record<string, string> = {}) => ({ Authorization: `Bearer ${plan.token}`, ...more })

describe('requests', () => {
  test.each<[what: string, path: string, headers: () => Record<string, string>, method: string, status: number]>([
    ['the page, which has no data', '/', () => ({}), 'GET', 200],
    ['its script', '/page.js', () => ({}), 'GET', 200],
    ['only the headers', '/page.css', () => ({}), 'HEAD', 200],
    ['data with the token', '/api/overview', () => withToken(), 'GET', 200],
    ['data without a token', '/api/overview', () => ({}), 'GET', 401],
    ['data with a wrong token', '/api/overview', () => ({ Authorization: 'Bearer x' }), 'GET', 401],
    ['the stream without a token', '/api/events', () => ({}), 'GET', 401],
    ['the token in the query', '/api/overview?token=TOKEN', () => ({}), 'GET', 401],
    ['the token as a cookie', '/api/overview', () => ({ Cookie: `token=${plan.token}` }), 'GET', 401],
    ['a foreign name', '/api/overview', () => withToken({ Host: 'evil.example' }), 'GET', 421],
    ['a foreign name for the page', '/', () => ({ Host: `evil.example:${plan.port}` }), 'GET', 421],
    ['another port', '/', () => ({ Host: '127.0.0.1:1' }), 'GET', 421],
    ['a foreign origin', '/api/overview', () => withToken({ Origin: 'http://evil.example' }), 'GET', 403],
    ['the origin of a file', '/api/overview', () => withToken({ Origin: 'null' }), 'GET', 403],
    ['a script for another site', '/page.js', () => ({ 'Sec-Fetch-Site': 'cross-site' }), 'GET', 403],
    ['a change', '/api/overview', () => withToken(), 'POST', 405],
    ['a question before a change', '/api/overview', () => withToken(), 'OPTIONS', 405],
    ['a file of the disk', '/../../etc/passwd', () => ({}), 'GET', 404],
    ['the same, encoded', '/%2e%2e/%2e%2e/package.json', () => ({}), 'GET', 404],
    ['a document that does not exist', '/api/nothing', () => withToken(), 'GET', 404],
    ['a Ticket that does not exist', '/api/ticket?id=nope', () => withToken(), 'GET', 404],
    ['a log of a kind that does not exist', '/api/log?kind=nope', () => withToken(), 'GET', 400],
  ])('%s', async (_, path, headers, method, status) => {
    const answer = await ask(path.replace('TOKEN', plan.token), headers(), method)
    expect(answer.status).toBe(status)
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
    expect(answer.headers).not.toHaveProperty('set-cookie')
    if (status >= 400) expect(answer.text).not.toMatch(/"queue"|T-1/)
  })

  test('a file that the browser has is not sent again', async () => {
    const { headers } = await ask('/page.js')
    const again = await ask('/page.js', { 'If-None-Match': String(headers.etag) })
    expect([again.status, again.text]).toEqual([304, ''])
  })

  test('documents are those of the operations', async () => {
    const { text } = await ask('/api/overview', withToken())
    const { stdout } = await runCli(plan.root, ['queue', '--json'])
    const verdicts = (list: { verdict: string; ticket: unknown }[], id: (one: never) => string) =>
      Object.fromEntries(list.map(one => [id(one as never), one.verdict]))
    const { queue } = JSON.parse(text)
    expect(queue.length).toBeGreaterThan(3)
    expect(verdicts(queue, (one: { ticket: string }) => one.ticket)).toEqual(
      verdicts(JSON.parse(stdout).queue, (one: { ticket: { id: string } }) => one.ticket.id),
    )
    expect(text).not.toContain('"token"')
    const found = JSON.parse((await ask('/api/tickets?q=t-2&phase=queued', withToken())).text)
    expect(found.tickets.map(({ id }: { id: string }) => id)).toContain('T-20')
    const log = JSON.parse((await ask('/api/log?kind=blocked_by&limit=2', withToken())).text)
    expect(log).toMatchObject({ decisions: [{ kind: 'blocked_by' }, { kind: 'blocked_by' }], more: true })
  })
})

test('a change is sent to every stream, and at most 32 are open', async () => {
  await using served = await serveBusyPlan(24)
  const texts: string[] = []
  const statuses: number[] = []
  const open = Array.from({ length: 34 }, () =>
    request({
      host: '127.0.0.1',
      port: served.port,
      path: '/api/events',
      headers: { Authorization: `Bearer ${served.token}` },
    })
      .on('response', answer => {
        const position = statuses.push(answer.statusCode!) - 1
        texts[position] = ''
        answer.setEncoding('utf8').on('data', part => {
          texts[position] += part
        })
        answer.on('error', () => {})
      })
      .on('error', () => {}),
  )
  for (const asked of open) asked.end()
  await until('all are answered', () => statuses.length === 34)
  expect(statuses.filter(status => status === 200)).toHaveLength(32)
  expect(statuses.filter(status => status === 503)).toHaveLength(2)
  expect((await runCli(served.root, ['record', 'T-20', 'note', '--reason', 'now'])).status).toBe(0)
  await until(
    'every stream has the event',
    () => texts.filter(text => /event: changed\ndata: .*"T-20"/.test(text)).length === 32,
  )
  for (const asked of open) asked.destroy()
})

test('a source with a URL of another kind has no link', async () => {
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { source: { system: 'github', url: 'https://example.org/1' } })
  putTicket(repository.root, 'B', { source: { system: 'x', url: 'javascript:alert(1)' } })
  await using served = await servePlan(repository.root)
  const source = async (id: string) =>
    JSON.parse((await ask(`/api/ticket?id=${id}`, { Authorization: `Bearer ${served.token}` }, 'GET', served)).text)
      .source
  expect(await source('A')).toEqual({ system: 'github', url: 'https://example.org/1' })
  expect(await source('B')).toEqual({ system: 'x', url: null })
})

describe('the command', () => {
  test('listens on the loopback address alone, says the token once, and ends with SIGTERM', async () => {
    using repository = temporaryRepository()
    const served = await servePlan(repository.root)
    expect(served.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{32}$/)
    await ask('/api/overview', { Authorization: `Bearer ${served.token}` }, 'GET', served)
    served.server.process.kill('SIGTERM')
    expect((await served.server.ended).status).toBe(0)
    expect(served.server.stderr()).not.toContain(served.token)
    expect(served.server.lines).toHaveLength(1)
  })

  test('the same folder has the same port, and another token each time', async () => {
    using repository = temporaryRepository()
    const urls: URL[] = []
    for (let n = 0; n < 2; n++) {
      const server = startCli(repository.root, ['view'])
      await server.said(1)
      urls.push(new URL(server.lines[0]!))
      server.process.kill('SIGTERM')
      await server.ended
    }
    expect(urls[0]!.port).toBe(urls[1]!.port)
    expect(urls[0]!.hash).not.toBe(urls[1]!.hash)
  })

  test('a port that is taken is an error that says what to do', async () => {
    using repository = temporaryRepository()
    const other = createServer().listen(0, '127.0.0.1')
    await until('it listens', () => other.listening)
    const { port } = other.address() as { port: number }
    const run = await runCli(repository.root, ['view', '--port', String(port), '--json'])
    expect(run.status).toBe(2)
    expect(errorOf(run)).toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining(`port ${port} is in use`),
    })
    other.close()
  })

  test('a folder without Tickets is an error, and nothing is served', async () => {
    using folder = temporaryFolder()
    const run = await runCli(folder.path, ['view', '--port', '0', '--json'])
    expect([run.status, run.stdout]).toEqual([1, ''])
    expect(errorOf(run).code).toBe('not_initialized')
  })

  test('another address is served with a warning', async () => {
    using repository = temporaryRepository()
    const server = startCli(repository.root, ['view', '--port', '0', '--host', '0.0.0.0'])
    await server.said(1)
    server.process.kill('SIGTERM')
    await server.ended
    expect(server.stderr()).toContain('anybody who sees the traffic sees the token')
  })

  test('--open gives the link to the browser in a file that only this user can read', async () => {
    using repository = temporaryRepository()
    const show = `${repository.root}/show`
    const { chmodSync, existsSync, readFileSync, writeFileSync } = await import('node:fs')
    writeFileSync(
      show,
      `#!/bin/sh\nf=\${1#file://}\nstat -c %a "$f" > ${show}.mode\ncat "$f" > ${show}.text\necho "$1" > ${show}.arguments\n`,
    )
    chmodSync(show, 0o755)
    const server = startCli(repository.root, ['view', '--port', '0', '--open'], { env: { BROWSER: show } })
    await server.said(1)
    await until(
      'the browser was started',
      () => existsSync(`${show}.arguments`) && readFileSync(`${show}.arguments`, 'utf8') !== '',
    )
    const read = (name: string) => readFileSync(`${show}.${name}`, 'utf8')
    const token = server.lines[0]!.split('=')[1]!
    expect(read('mode').trim()).toBe('600')
    expect(read('text')).toContain(token)
    expect(read('arguments')).not.toContain(token)
    const file = read('arguments').trim().slice('file://'.length)
    server.process.kill('SIGTERM')
    await server.ended
    expect(existsSync(file)).toBe(false)
  })
})
