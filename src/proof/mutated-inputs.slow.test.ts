/** Damaged inputs of everything that reads files or lines of others: each is taken, or refused with an error that is named. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../files/config.ts'
import { mergeFiles } from '../merging/merge-files.ts'
import { decodeTicket, encodeTicket } from '../model/canonical-json.ts'
import { isPlanError } from '../model/errors.ts'
import { openPlan } from '../sdk.ts'
import { agentFiles } from '../setup/agent-files.ts'
import { checkAfterFault } from '../test-support/check-after-fault.ts'
import { imported } from '../test-support/imported-source.ts'
import { mutatedBytes } from '../test-support/mutated-bytes.ts'
import { proofCount, proofSeed, reportProof, tally } from '../test-support/proof-numbers.ts'
import { randomNumbers } from '../test-support/random-numbers.ts'
import { CLI, cleanEnvironment } from '../test-support/run-cli.ts'
import type { Item } from '../test-support/source-case.ts'
import { SOURCE_CASES, writeFiles } from '../test-support/source-cases.ts'
import {
  makeNote,
  makeTicket,
  putTicket,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

const all = proofCount({ short: 2000, long: 200_000 })
const seed = proofSeed()
/** The share of each kind of input; a query of SQL starts a process. */
const share = (part: number) => Math.ceil(all * part)

/** Tries one input; returns what became of it, unless that is counted later. */
type TryOnce = (random: (bound: number) => number) => string | undefined | Promise<string | undefined>

/** Defines a test that damages its inputs as often as its share says. */
function testMutated(
  what: string,
  part: number,
  run: (tryOften: (tryOnce: TryOnce) => Promise<void>, seen: ReturnType<typeof tally>) => Promise<void>,
): void {
  test(`${what}: taken, or refused by name (seed ${seed})`, { timeout: 7_200_000 }, async () => {
    const random = randomNumbers(seed)
    const seen = tally()
    await run(async tryOnce => {
      for (let left = share(part); left > 0; left--) {
        const outcome = await tryOnce(random)
        if (outcome !== undefined) seen.add(outcome)
      }
    }, seen)
    // Damage that is always taken, or always refused, would prove nothing.
    expect(Object.keys(seen.counts).length).toBeGreaterThan(1)
    reportProof({ what: `mutated inputs: ${what}`, count: share(part), seed, seen: seen.counts })
  })
}

/** Returns what became of a call that may fail with a PlanError only. */
function outcomeOf(run: () => unknown): 'taken' | 'refused' {
  try {
    run()
    return 'taken'
  } catch (error) {
    if (!isPlanError(error)) throw error
    return 'refused'
  }
}

testMutated('merge driver', 0.15, async tryOften => {
  using folder = temporaryFolder()
  const path = (name: string) => join(folder.path, name)
  const bytes = (...reasons: string[]) =>
    Buffer.from(encodeTicket(makeTicket('T', { decisions: reasons.map(makeNote) })))
  const sides = [bytes(), bytes('ours'), bytes('theirs', 'again')]
  const names = ['base', 'ours', 'theirs']
  await tryOften(random => {
    const files = sides.map((side, number) => (random(2) || number === random(3) ? mutatedBytes(side, random) : side))
    for (const [number, name] of names.entries()) writeFileSync(path(name), files[number]!)
    const merge = mergeFiles({ base: path('base'), ours: path('ours'), theirs: path('theirs'), path: 'tickets/T.json' })
    const result = readFileSync(path('ours'))
    if (!merge.merged) {
      expect(merge.message).not.toBe('')
      return merge.markers ? 'refused' : 'merged as text'
    }
    const { ticket, canonical } = decodeTicket(result, 'T' as never)
    expect(canonical).toBe(true)
    const kept = new Set(ticket.decisions.map(({ id }) => id))
    const [base, ...ends] = files.map(file => (file.length ? decodeTicket(file, 'T' as never).ticket.decisions : []))
    // What neither side has removed since the base is in the result.
    for (const { id } of ends.flat()) {
      const isRemoved =
        base!.some(decision => decision.id === id) && ends.some(end => !end.some(each => each.id === id))
      if (!isRemoved) expect(kept.has(id), id).toBe(true)
    }
    return 'taken'
  })
})

testMutated('ticketplan.json', 0.2, async tryOften => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'ticketplan.json')
  const config = {
    ticketsDir: 'tickets',
    claimTtlSeconds: 600,
    pools: { default: 3, gpu: 1 },
    states: { queued: ['todo', 'ready'], terminal: ['done', 'wontfix'] },
    sources: [{ system: 'json', path: 'items.json', map: 'id=key,title=name' }],
  }
  const bytes = Buffer.from(JSON.stringify(config, null, 2))
  await tryOften(random => {
    writeFileSync(path, mutatedBytes(bytes, random))
    return outcomeOf(() => readConfig(path))
  })
})

testMutated('files that init changes', 0.3, async tryOften => {
  const files = agentFiles('tickets')
  const texts = files.flatMap(file => {
    const own = file.add(null)
    const other = Buffer.from(
      file.path.endsWith('.json') ? '{"other": [1, {"a": "b"}], "hooks": {}}\n' : '# Other\n\ntext\n',
    )
    return [other, ...('message' in own ? [] : [Buffer.from(own.after, 'latin1')])].map(bytes => ({ file, bytes }))
  })
  await tryOften(random => {
    const { file, bytes } = texts[random(texts.length)]!
    const before = mutatedBytes(bytes, random).toString('latin1')
    const added = file.add(before)
    if ('message' in added) return 'refused'
    // A file of ours alone says in its first line that it is replaced whole.
    if (before.startsWith('// Written by "ticketplan init')) return 'replaced'
    // What was added can be taken out again, and leaves every byte of others.
    if (!added.isReplaced && added.inserted.length > 0) expect(file.remove(added.after, added.inserted)).toBe(before)
    return added.after === before ? 'unchanged' : 'taken'
  })
})

const ITEMS: Item[] = [
  { n: 1, state: 'done', blockedBy: [], day: 2 },
  { n: 2, state: 'doing', blockedBy: [1], day: 3 },
  { n: 3, state: 'todo', blockedBy: [1, 2], day: 4 },
]

testMutated('sources of the importers', 0.25, async tryOften => {
  const sources = SOURCE_CASES.map(source => ({
    source,
    place: imported(source, ITEMS),
    files: Object.entries(source.files(ITEMS)),
  }))
  try {
    await tryOften(random => {
      const { place, files } = sources[random(sources.length)]!
      const damaged = random(files.length)
      const changed = files.map(([name, text], number) => [
        name,
        number === damaged ? mutatedBytes(Buffer.from(text), random) : text,
      ])
      writeFiles(place.path, Object.fromEntries(changed), 4)
      // Most runs write nothing, which would take most of the time.
      return outcomeOf(() => place.run({ dryRun: random(20) !== 0 }))
    })
    for (const { place } of sources) checkAfterFault(place.root, [])
  } finally {
    for (const { place } of sources) place[Symbol.dispose]()
  }
})

/** Reads lines that end with a line feed alone; readline also ends them at U+2028. */
async function* linesOf(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()!
    yield* parts
  }
}

const MCP_LINES = [
  { method: 'tools/call', params: { name: 'consult', arguments: { ticket: 'A' } } },
  { method: 'tools/call', params: { name: 'query', arguments: { kind: 'note', limit: 5 } } },
  { method: 'tools/call', params: { name: 'claim', arguments: { ticket: 'A', holder: 'pod-1', ttl: 60 } } },
  { method: 'resources/read', params: { uri: 'ticketplan://ticket/A' } },
  { method: 'prompts/get', params: { name: 'brief' } },
  { method: 'tools/list', params: {} },
]

/** Returns a line with one value damaged, as text: it stays JSON, and most of these lines stay requests. */
function withDamagedValue(line: object, random: (bound: number) => number): string {
  let values = 0
  JSON.stringify(line, (_, value) => (typeof value === 'object' ? value : values++))
  let left = random(values)
  return JSON.stringify(line, (_, value) => {
    if (typeof value === 'object' || left-- !== 0) return value
    return mutatedBytes(Buffer.from(String(value)), random).toString()
  })
}

testMutated('lines of MCP', 0.09, async (tryOften, seen) => {
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { state: 'queued' })
  const server = spawn(process.execPath, [CLI, '-C', repository.root, '--actor', 'tester', 'mcp'], {
    env: cleanEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stderr = ''
  server.stderr!.setEncoding('utf8').on('data', text => {
    stderr = (stderr + text).slice(-5000)
  })
  const ended = once(server, 'close')
  const answers = linesOf(server.stdout!)
  const send = (message: object) => server.stdin!.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  send({ id: 'start', method: 'initialize', params: initialize })
  await answers.next()
  send({ method: 'notifications/initialized' })
  let answered = 0
  /** Counts an answer to a damaged line. It may come after that of the ping, for a tool takes longer. */
  const count = (answer: { error?: unknown; result?: { isError?: boolean } }) => {
    expect(JSON.stringify(answer)).not.toContain('"internal"')
    answered++
    seen.add(answer.error || answer.result?.isError ? 'refused' : 'taken')
  }
  let pings = 0
  await tryOften(async random => {
    const line = { jsonrpc: '2.0', id: 'line', ...MCP_LINES[random(MCP_LINES.length)]! }
    const bytes = random(2)
      ? mutatedBytes(Buffer.from(JSON.stringify(line)), random)
      : Buffer.from(withDamagedValue(line, random))
    // One line: what follows a line break would be lines of its own.
    server.stdin!.write(Buffer.concat([Buffer.from(bytes.map(byte => (byte === 10 ? 32 : byte))), Buffer.from('\n')]))
    const ping = `ping ${++pings}`
    send({ id: ping, method: 'ping' })
    for (;;) {
      const { value, done } = await answers.next()
      expect(done, `the server has ended: ${stderr}`).toBe(false)
      const answer = JSON.parse(value!)
      if (answer.id === ping) return undefined
      count(answer)
    }
  })
  server.stdin!.end()
  for await (const line of answers) count(JSON.parse(line))
  expect(await ended, stderr).toEqual([0, null])
  // A line without an id that is a notification, or the answer to a request, has no answer.
  seen.add('no answer', pings - answered)
  checkAfterFault(repository.root, [])
})

const QUERIES = [
  "select id, title from tickets where phase = 'queued' order by id limit 5",
  'with recursive n(i) as (select 1 union all select i + 1 from n where i < 9) select sum(i) from n',
  'select r.kind, count(*) from relations r join tickets t on t.id = r.ticket_id group by r.kind having count(*) > 0',
  "select json_extract('{\"a\":1}', '$.a'), printf('%5.2f', 1.5), x'00ff', -1 from claims",
].map(query => Buffer.from(query))

testMutated('SQL', 0.01, async tryOften => {
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { state: 'queued' })
  using plan = openPlan({ root: repository.root, actor: 'tester' })
  await tryOften(random => {
    // Few damaged queries are SQL: some stay whole.
    const bytes = QUERIES[random(QUERIES.length)]!
    const query = (random(3) ? mutatedBytes(bytes, random) : bytes).toString()
    return outcomeOf(() => plan.sql({ query, timeout: 5 }))
  })
  checkAfterFault(repository.root, [])
})
