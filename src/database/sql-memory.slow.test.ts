import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CLI } from '../test-support/run-cli.ts'
import { putTicket, type TemporaryRepository, temporaryRepository } from '../test-support/temporary-repository.ts'

const MOST_MB = 500

let repository: TemporaryRepository

beforeAll(() => {
  repository = temporaryRepository()
  putTicket(repository.root, 'A')
})

afterAll(() => repository[Symbol.dispose]())

/** Queries of which each needs far more memory than is allowed, in different places: rows, values, functions, sorting. */
const HUGE: [what: string, query: string][] = [
  ['one row of 10 columns of 60 MB', columns(10)],
  ['one row of 40 columns of 60 MB', columns(40)],
  ['one row of 2,000 columns of 1 MB', `select ${Array(2000).fill("printf('%.*c', 1000000, 'x')").join(', ')}`],
  ['a value that SQLite makes twice as long', 'select length(hex(zeroblob(450000000)))'],
  ['a text that is collected', `select length(group_concat(hex(randomblob(1000)))) from ${numbers(500_000)}`],
  [
    'columns with random values',
    `select ${Array(12).fill('hex(randomblob(15000000 + abs(random() % 2)))').join(', ')}`,
  ],
]

describe.skipIf(process.platform !== 'linux')('the memory of a query (skipped where nothing limits it)', () => {
  test.each(HUGE)(`is below ${MOST_MB} MB, with a clear error: %s`, async (_, query) => {
    const { stderr, status, peakMb } = await measured(['sql', '--timeout', '60', '--json', query])
    const { code, message } = JSON.parse(stderr).error
    expect({ code, status }).toEqual({ code: 'sql_failed', status: 1 })
    expect(message).toMatch(/more than \d+ MB/)
    expect(message).toContain('substr()')
    expect(peakMb).toBeGreaterThan(30)
    expect(peakMb).toBeLessThan(MOST_MB)
  })

  test('is as small in a read-only MCP server, which continues', async () => {
    const request = (id: number, method: string, params: object) =>
      `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`
    const hello = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
    const input =
      request(1, 'initialize', hello) +
      request(2, 'tools/call', { name: 'sql', arguments: { query: columns(40) } }) +
      request(3, 'tools/call', { name: 'sql', arguments: { query: 'select id from tickets' } })
    const { stdout, peakMb } = await measured(['mcp', '--read-only'], input)
    const answers = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const results = [2, 3].map(id => answers.find(answer => answer.id === id).result)
    expect(JSON.parse(results[0].content[0].text).error).toMatchObject({ code: 'sql_failed' })
    expect(results[1].structuredContent.rows).toEqual([['A']])
    expect(peakMb).toBeLessThan(MOST_MB)
  })

  test('suffices for the largest result that is returned', async () => {
    const { stdout, status } = await measured([
      'sql',
      '--json',
      '--limit',
      '100',
      `select zeroblob(1000000) from ${numbers(100)}`,
    ])
    const { rows, truncated } = JSON.parse(stdout)
    expect({ status, truncated }).toEqual({ status: 0, truncated: true })
    expect(rows.length).toBe(16)
    expect(rows.at(-1)).toEqual(['0'.repeat(2_000_000)])
  })
})

function columns(count: number): string {
  return `with b as materialized (select zeroblob(60000000) x) select ${Array(count).fill('x').join(', ')} from b`
}

function numbers(count: number): string {
  return `(with recursive n(x) as (select 1 union all select x + 1 from n limit ${count}) select x from n)`
}

/** Runs the command line; returns its output and the largest resident memory of it and of each process below it. */
async function measured(args: string[], input = '') {
  const child = spawn(process.execPath, [CLI, '-C', repository.root, '--actor', 'tester', ...args])
  let peakKb = 0
  const timer = setInterval(() => {
    for (const pid of treeOf(child.pid!)) peakKb = Math.max(peakKb, highWaterKb(pid))
  }, 10)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', text => {
      output[name] += text
    })
  child.stdin.end(input)
  const [status] = await once(child, 'close')
  clearInterval(timer)
  return { ...output, status: status as number, peakMb: peakKb / 1024 }
}

function treeOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
    return [pid, ...children.flatMap(treeOf)]
  } catch {
    return [] // it has ended
  }
}

function highWaterKb(pid: number): number {
  try {
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
