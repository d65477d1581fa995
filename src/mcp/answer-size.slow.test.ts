import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Decision } from '../model/decision.ts'
import { CLI } from '../test-support/run-cli.ts'
import {
  makeNote,
  putTicket,
  type TemporaryRepository,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

const MOST_TOKENS = 25_000
const TICKETS = 10_000
const TITLE = 'é"\\'.repeat(256)
const REASON = 'x"\n\\'.repeat(3000)

let repository: TemporaryRepository

/** The worst that files can hold: long titles, many reasons, a long chain, many long decisions, unknown fields. */
beforeAll(() => {
  repository = temporaryRepository()
  const { root } = repository
  const fields = { state: 'queued', title: TITLE, queued_at: '2026-06-08T11:00:00.000Z' }
  for (let n = 0; n < TICKETS; n++) putTicket(root, `T-${n}`, { ...fields, decisions: chain(n) })
  for (let n = 0; n < 10; n++) putTicket(root, `A-${n}`, { ...fields, decisions: blockers(500) })
  const notes = Array.from({ length: 30 }, () => makeNote(REASON))
  const strange = Object.fromEntries(Array.from({ length: 1500 }, (_, n) => [`unknown ${n} ${'x'.repeat(100)}`, n]))
  putTicket(root, 'LONG', { ...fields, decisions: [...notes, { ...makeNote('x'), ...strange } as Decision] })
}, 120_000)

afterAll(() => repository[Symbol.dispose]())

let ids = 0

function blocker(target: string): Decision {
  const id = `01JY${String(++ids).padStart(22, '0')}`
  return { at: '2026-06-08T11:30:00.000Z', by: 'tester', id, kind: 'blocked_by', target } as Decision
}

/** The first 600 Tickets wait for each other in one chain. */
function chain(n: number): Decision[] {
  return n > 0 && n < 600 ? [blocker(`T-${n - 1}`)] : []
}

function blockers(count: number): Decision[] {
  return Array.from({ length: count }, (_, n) => blocker(`T-${3000 + n}`))
}

const ROWS = "select printf('%.*c', 16384, '\"') a, printf('%.*c', 16384, '\"') b from tickets limit 1000"
const COLUMNS = `select ${Array.from({ length: 2000 }, (_, n) => `1 as "${'c'.repeat(25)}${n}"`).join(', ')}`

const REQUESTS: [what: string, method: string, params: object][] = [
  ...[
    ['queue', {}],
    ['queue', { limit: 500 }],
    ['query', {}],
    ['query', { ticket: 'LONG', limit: 500 }],
    ['query', { ticket: 'A-1', limit: 500 }],
    ['consult', { ticket: 'T-599' }],
    ['consult', { ticket: 'A-1' }],
    ['brief', {}],
    ['claims', {}],
    ['sql', { query: ROWS }],
    ['sql', { query: ROWS, limit: 1000 }],
    ['sql', { query: COLUMNS }],
    ['sql', { query: `select "${'c'.repeat(90_000)}"."x" from tickets` }],
    ['accept', { ticket: 'A-1', holder: 'pod-1' }],
    ['accept', { ticket: 'T-0', holder: 'pod-1' }],
    ['record', { ticket: 'LONG', kind: 'note', reason: REASON }],
  ].map(([name, given]): [string, string, object] => [
    `${name} ${JSON.stringify(given).slice(0, 60)}`,
    'tools/call',
    { name, arguments: given },
  ]),
  ...['queue', 'brief', 'ticket/LONG', 'ticket/A-1', 'ticket/T-599'].map((name): [string, string, object] => [
    `the resource ${name}`,
    'resources/read',
    { uri: `ticketplan://${name}` },
  ]),
  ...['route-queue', 'resume'].map((name): [string, string, object] => [`the prompt ${name}`, 'prompts/get', { name }]),
  ['the list of resources', 'resources/list', {}],
]

describe('an answer', () => {
  test(`has less than 25,000 tokens, whatever the files hold`, async () => {
    const clientInfo = { name: 'test', version: '1' }
    const hello = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
    const child = spawn(process.execPath, [CLI, '-C', repository.root, '--actor', 'tester', 'mcp'])
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text
    })
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: hello })}\n`)
    const lines = () => stdout.split('\n').slice(0, -1)
    const answers = new Map<string, { line: string; result: { isError?: boolean } }>()
    for (const [position, [what, method, params]] of REQUESTS.entries()) {
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: position + 1, method, params })}\n`)
      await expect.poll(() => lines().length, { timeout: 60_000, interval: 20 }).toBe(position + 2)
      const line = lines()[position + 1]!
      const { id, error, result } = JSON.parse(line)
      expect({ id, error }, what).toEqual({ id: position + 1 })
      answers.set(what, { line, result })
    }
    child.stdin.end()
    await once(child, 'close')
    for (const [what, { line }] of answers) expect(Buffer.byteLength(line) / 4, what).toBeLessThan(MOST_TOKENS)
    // All but the query of an unknown column are answers, and the long ones say that something is missing.
    expect([...answers].filter(([, { result }]) => result.isError).map(([what]) => what.slice(0, 3))).toEqual(['sql'])
    for (const [what, { line }] of answers)
      if (Buffer.byteLength(line) > 50_000) expect(line, what).toContain('left_out')
  }, 300_000)
})
