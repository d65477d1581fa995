/** The JSON Schemas of the package, judged by a validator that shares no code with the program. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../src/files/config.ts'
import { isPlanError } from '../src/model/errors.ts'
import { globProblem } from '../src/model/glob.ts'
import { DEFAULT_STATES } from '../src/model/states.ts'
import { ticketProblem } from '../src/model/ticket.ts'
import { tickets } from '../src/test-support/arbitraries.ts'
import { temporaryFolder } from '../src/test-support/temporary-repository.ts'
import { configJsonSchema, ticketJsonSchema } from './json-schemas.ts'

const root = join(import.meta.dirname, '..')
const readJson = (...path: string[]) => JSON.parse(readFileSync(join(root, ...path), 'utf8'))
const published = {
  config: readJson('schemas', 'ticketplan.schema.json'),
  ticket: readJson('schemas', 'ticket.schema.json'),
}
const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true })
const isTicket = ajv.compile(published.ticket)
const isConfig = ajv.compile(published.config)

/** True where the program takes the text as a configuration. */
function isAccepted(text: string): boolean {
  using folder = temporaryFolder()
  const path = join(folder.path, 'ticketplan.json')
  writeFileSync(path, text)
  try {
    readConfig(path)
    return true
  } catch (error) {
    if (isPlanError(error, 'bad_config')) return false
    throw error
  }
}

test('the published schemas are those of the sources', () => {
  expect(published.config).toEqual(JSON.parse(JSON.stringify(configJsonSchema())))
  expect(published.ticket).toEqual(JSON.parse(JSON.stringify(ticketJsonSchema())))
})

describe('a Ticket file', () => {
  type Loose = Record<string, unknown> & { decisions: Record<string, { summary?: string } & unknown>[] }
  const VALID = {
    created_at: '2026-06-07T03:57:10.000Z',
    decisions: [
      {
        at: '2026-06-08T11:30:00.000Z',
        by: 'orchestrator',
        id: '01JX8Z3V7Q4T9K2M5N6P7R8S9T',
        kind: 'blocked_by',
        reason: 'needs the record schema',
        target: '00001KTKMS0VG',
      },
      {
        at: '2026-06-08T12:02:11.000Z',
        by: 'orchestrator',
        id: '01JX90YHT3B6C7D8E9F0G1H2J3',
        kind: 'accepted_plan',
        plan: { branch: 'impl/plan-tool', summary: 'typed plan tool', worktree: '.worktree/plan-tool' },
      },
    ],
    format: 1,
    id: '00001KTG3MDFG',
    slug: 'orchestration-plan-tool',
    state: 'queued',
    title: 'Ticket orchestration plan tool',
  }

  test('of this repository, and each past format that this version writes, fits', () => {
    for (const folder of [['tickets'], ['src', 'model', 'golden', 'format-1']]) {
      const names = readdirSync(join(root, ...folder)).filter(name => name.endsWith('.json'))
      expect(names.length).toBeGreaterThan(2)
      for (const name of names) {
        isTicket(readJson(...folder, name))
        expect(isTicket.errors, name).toBeNull()
      }
    }
  })

  test('that the program can write fits', () => {
    fc.assert(
      fc.property(tickets, ticket => {
        isTicket(JSON.parse(JSON.stringify(ticket)))
        expect(isTicket.errors).toBeNull()
      }),
    )
  })

  test('with a key or a decision of a later version fits', () => {
    const later = { ...VALID.decisions[0], kind: 'from_the_future', target: 17 }
    expect(isTicket({ ...VALID, decisions: [later], new_key: [1] })).toBe(true)
  })

  test.each<[string, (ticket: Loose) => unknown]>([
    ['no id', ticket => delete ticket.id],
    ['an id that is a Windows device', ticket => Object.assign(ticket, { id: 'Con' })],
    ['an id that ends with a dot', ticket => Object.assign(ticket, { id: 'A.' })],
    ['an id with a slash', ticket => Object.assign(ticket, { id: '../A' })],
    ['an empty state', ticket => Object.assign(ticket, { state: '' })],
    ['null for an absent slug', ticket => Object.assign(ticket, { slug: null })],
    ['a slug with capitals', ticket => Object.assign(ticket, { slug: 'Plan' })],
    ['a time without milliseconds', ticket => Object.assign(ticket, { queued_at: '2026-06-08T11:21:13Z' })],
    ['a title over 1 KiB', ticket => Object.assign(ticket, { title: 'x'.repeat(1025) })],
    ['another format', ticket => Object.assign(ticket, { format: 2 })],
    ['a claim', ticket => Object.assign(ticket, { claim: {} })],
    ['decisions that are no list', ticket => Object.assign(ticket, { decisions: {} })],
    ['a decision id that is no ULID', ticket => Object.assign(ticket.decisions[0]!, { id: 'x' })],
    ['a decision without an author', ticket => delete ticket.decisions[0]!.by],
    ['a relation without a target', ticket => delete ticket.decisions[0]!.target],
    ['a decision with a token', ticket => Object.assign(ticket.decisions[0]!, { token: 1 })],
    [
      'a conflict with a text for "advisory"',
      ticket => Object.assign(ticket.decisions[0]!, { kind: 'conflicts_with', advisory: 'yes' }),
    ],
    ['an empty list of superseded decisions', ticket => Object.assign(ticket.decisions[0]!, { supersedes: [] })],
    ['a plan without a summary', ticket => delete ticket.decisions[1]!.plan!.summary],
    ['a plan with an absolute worktree', ticket => Object.assign(ticket.decisions[1]!.plan!, { worktree: '/srv/x' })],
    ['a plan with a process id', ticket => Object.assign(ticket.decisions[1]!.plan!, { pid: 17 })],
  ])('with %s does not fit, nor does the program take it', (_, spoil) => {
    const ticket = structuredClone(VALID)
    expect([isTicket(ticket), ticketProblem(ticket)]).toEqual([true, null])
    spoil(ticket as unknown as Loose)
    expect(isTicket(ticket)).toBe(false)
    expect(ticketProblem(ticket)).not.toBeNull()
  })

  test('spoilt anywhere is refused by both, but for what a JSON Schema cannot say', () => {
    const CANNOT_SAY = /longer than|not a time|appears twice|relation of a Ticket to itself/
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom('', 'A/B', '2026-06-08', -1, null, [], {}, 'a\\b', '/x'))
    fc.assert(
      fc.property(tickets, values, fc.nat(), (ticket, value, pick) => {
        const spoilt = JSON.parse(JSON.stringify(ticket))
        const places = placesIn(spoilt)
        const { holder, key } = places[pick % places.length]!
        ;(holder as Record<string | number, unknown>)[key] = value
        const problem = ticketProblem(spoilt)
        if (problem === null) expect(isTicket(spoilt), JSON.stringify(isTicket.errors)).toBe(true)
        else if (isTicket(spoilt)) expect(problem.message).toMatch(CANNOT_SAY)
      }),
      { numRuns: 500 },
    )
  })
})

/** Every place in a JSON value where another value can be put. */
function placesIn(value: unknown): { holder: object; key: string | number }[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [{ holder: value, key }, ...placesIn(inner)])
}

describe('ticketplan.json', () => {
  test('as the documentation shows it fits, and with the line for editors', () => {
    const [, json] = /## Configuration[\s\S]*?```json\n([\s\S]*?)```/.exec(
      readFileSync(join(root, 'docs/cli.md'), 'utf8'),
    )!
    expect(isConfig(JSON.parse(json!))).toBe(true)
    const $schema = './node_modules/ticketplan/schemas/ticketplan.schema.json'
    expect(isConfig({ $schema })).toBe(true)
    expect(isAccepted(JSON.stringify({ $schema }))).toBe(true)
  })

  test('that the program takes fits', () => {
    const words = fc.array(fc.oneof(fc.constantFrom(...Object.values(DEFAULT_STATES).flat()), fc.string()), {
      maxLength: 4,
    })
    const configs = fc.record(
      {
        claimTtlSeconds: fc.integer({ min: -1, max: 3_000_000 }),
        fleet: fc.oneof(
          { weight: 9, arbitrary: fc.constant('shop-01JX8ZQ4M6T2V9W3B5N7C1D8EF') },
          fc.constantFrom('shop', 'Shop-01JX8ZQ4M6T2V9W3B5N7C1D8EF'),
        ),
        pools: fc.dictionary(fc.constantFrom('gpu', 'a.b', '', '-x', 'x y'), fc.integer({ min: -1, max: 9 }), {
          maxKeys: 2,
        }),
        states: fc.record(
          { open: words, queued: words, active: words, terminal: words, abandoned: words },
          { requiredKeys: [] },
        ),
        ticketsDir: fc.constantFrom(
          'tickets',
          'a/b',
          '..',
          'a/../b',
          '/a',
          'a//b',
          '.git',
          '.gitx',
          'a/.git/b',
          'a\\b',
          'C:x',
          'a/',
        ),
      },
      { requiredKeys: [] },
    )
    let taken = 0
    fc.assert(
      fc.property(configs, config => {
        const fits = isConfig(config)
        const accepted = isAccepted(JSON.stringify(config))
        if (accepted) expect(fits, JSON.stringify(config)).toBe(true)
        // What only the program can see: a state in two lists.
        else if (fits) expect(config.states).toBeDefined()
        if (accepted) taken++
      }),
      { numRuns: 300 },
    )
    expect(taken).toBeGreaterThan(20)
  })

  test.each<[string, unknown]>([
    ['an unknown key', { poolz: {} }],
    ['a list of states with an unknown name', { states: { closed: [] } }],
    ['a claim that never expires', { claimTtlSeconds: 0 }],
    ['a URL in place of the id of a fleet', { fleet: 'postgres://db.example.org/plans' }],
    ['half a slot', { pools: { gpu: 0.5 } }],
    ['a pool with a blank in its name', { pools: { 'a b': 1 } }],
    ['an empty state', { states: { open: [''] } }],
    ['a folder outside of the repository', { ticketsDir: '../tickets' }],
    ['a list in place of an object', []],
  ])('with %s does not fit, nor does the program take it', (_, config) => {
    expect(isConfig(config)).toBe(false)
    expect(isAccepted(JSON.stringify(config))).toBe(false)
  })
})

test('a glob fits the schema if and only if the program takes it', () => {
  const isAreas = (glob: string) => isConfig({ areas: { menu: [glob] } })
  const glob = fc.string({ unit: fc.constantFrom('a', '/', '*', '?', '.', '{', '\\', '[', 'é'), maxLength: 8 })
  const seen = { fits: 0, not: 0 }
  fc.assert(
    fc.property(glob, text => {
      expect(isAreas(text), text).toBe(globProblem(text) === null)
      seen[isAreas(text) ? 'fits' : 'not']++
    }),
    { numRuns: 2000 },
  )
  expect(Math.min(seen.fits, seen.not)).toBeGreaterThan(50)
})
