import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isPlanError } from '../model/errors.ts'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import { readConfig } from './config.ts'

/** Returns the settings in a text, or the message of the refusal, with the file's name for its path. */
function read(text: string) {
  using folder = temporaryFolder()
  const path = join(folder.path, 'ticketplan.json')
  writeFileSync(path, text)
  try {
    return readConfig(path)
  } catch (error) {
    if (!isPlanError(error, 'bad_config')) throw error
    expect(error.data.path).toBe(path)
    return error.message.replace(path, 'ticketplan.json')
  }
}

describe('readConfig', () => {
  const defaults = {
    areas: {},
    claimTtlSeconds: 1800,
    fleet: null,
    pools: {},
    sources: [],
    states: {
      open: [
        'open',
        'backlog',
        'blocked',
        'deferred',
        'draft',
        'new',
        'pending',
        'planning',
        'ready',
        'todo',
        'triage',
      ],
      queued: ['queued'],
      active: ['in_progress', 'inprogress', 'in_review', 'review', 'started', 'doing'],
      terminal: ['closed', 'completed', 'done', 'merged', 'resolved'],
      abandoned: ['abandoned', 'canceled', 'cancelled', 'duplicate', 'not_planned', 'rejected', 'wontfix'],
    },
    ticketsDir: 'tickets',
  }

  it('takes the id of a fleet, and refuses a URL without showing it', () => {
    const fleet = 'shop-01JX8ZQ4M6T2V9W3B5N7C1D8EF'
    expect(read(JSON.stringify({ fleet }))).toEqual({ ...defaults, fleet })
    expect(read('{"fleet": "postgres://kim:hunter2@db.example.org/plans"}')).toBe(
      'ticketplan.json:1:11: fleet: a URL of a server would be in git; set TICKETPLAN_FLEET_URL or ticketplan.fleetUrl of git, and run "ticketplan fleet init"',
    )
    expect(read('{"fleet": "shop"}')).toBe(
      'ticketplan.json:1:11: fleet: not the id of a fleet; "ticketplan fleet init" writes one',
    )
  })

  it('returns the defaults where there is no file, and for keys that a file leaves out', () => {
    using folder = temporaryFolder()
    expect(readConfig(join(folder.path, 'ticketplan.json'))).toEqual(defaults)
    expect(read('{}')).toEqual(defaults)
    expect(read('{"pools":{"gpu":1}}')).toEqual({ ...defaults, pools: { gpu: 1 } })
    expect(read('{"states":{"queued":["ready"]}}')).toEqual({
      ...defaults,
      states: { ...defaults.states, queued: ['ready'], open: defaults.states.open.filter(state => state !== 'ready') },
    })
  })

  it.each([
    [
      'an unknown key',
      '{\n  "pools": {},\n  "claimTtl": 5\n}',
      /^ticketplan\.json:3:15: claimTtl: unknown key; did you mean claimTtlSeconds\? \(the keys are areas, claimTtlSeconds, fleet, pools, sources, states, ticketsDir\)/,
    ],
    [
      'an unknown nested key',
      '{\n  "states": {\n    "waiting": ["x"]\n  }\n}',
      /^ticketplan\.json:3:16: states\.waiting: unknown key; the keys are open, queued, active, terminal, abandoned/,
    ],
    [
      'a string instead of a number',
      '{\n  "claimTtlSeconds": "long"\n}',
      /^ticketplan\.json:2:22: claimTtlSeconds: .*number/,
    ],
    ['a lease of 0 seconds', '{"claimTtlSeconds":0}', /^ticketplan\.json:1:20: claimTtlSeconds: /],
    ['a negative pool', '{"pools":{"gpu":-1}}', /^ticketplan\.json:1:17: pools\.gpu: /],
    ['half a slot', '{"pools":{"gpu":1.5}}', /^ticketplan\.json:1:17: pools\.gpu: /],
    ['an empty state', '{"states":{"queued":["a",""]}}', /^ticketplan\.json:1:26: states\.queued\.1: /],
    ['states that are not a list', '{"states":{"queued":"a"}}', /^ticketplan\.json:1:21: states\.queued: /],
    [
      'a state in two lists',
      '{"states":{"queued":["To Do"],"open":["todo"]}}',
      /^ticketplan\.json: states: "To Do" is in two lists, open and queued/,
    ],
    ['a list', '[]', /^ticketplan\.json:1:1: /],
    ['an empty file', '', /^ticketplan\.json:1:1: .*end of the file/],
    ['half a document', '{"pools":\n{', /^ticketplan\.json:2:2: /],
    ['a duplicate key', '{"pools":{},\n"pools":{"gpu":1}}', /^ticketplan\.json:2:1: duplicate key "pools"/],
    ['a byte order mark', '\ufeff{}', /^ticketplan\.json:1:1: .*byte order mark/],
    [
      'conflict markers',
      '{\n<<<<<<< ours\n  "pools": {}\n=======\n>>>>>>> theirs\n}',
      /^ticketplan\.json:2:1: .*conflict markers/,
    ],
    ['endless depth', '['.repeat(100_000), /^ticketplan\.json:1:9: nested deeper/],
  ])('refuses %s, with path, line and column', (_, text, message) => {
    expect(read(text)).toMatch(message)
  })

  it.each([
    '../x',
    'a/../../x',
    '/x',
    '',
    '.',
    './tickets',
    'a//b',
    'tickets/',
    '.git',
    '.git/tickets',
    'a\\b',
    'C:x',
    'a\0b',
  ])('refuses "%s" as tickets folder', ticketsDir => {
    expect(read(JSON.stringify({ ticketsDir }))).toMatch(/^ticketplan\.json:1:15: ticketsDir: not a folder inside/)
  })

  it.each(['work/tickets', 'plan', 'a/b/c'])('accepts "%s" as tickets folder', ticketsDir => {
    expect(read(JSON.stringify({ ticketsDir }))).toMatchObject({ ticketsDir })
  })

  it('refuses everything but a regular file, without blocking or reading endlessly', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'ticketplan.json')
    const refused = expect.objectContaining({ code: 'bad_config' })
    const device = join(folder.path, 'device')
    symlinkSync('/dev/zero', device)
    expect(() => readConfig(device)).toThrow(refused)
    const outside = join(folder.path, 'outside')
    writeFileSync(outside, '{}')
    for (const target of [outside, join(folder.path, 'nothing')]) {
      const link = `${target}-link`
      symlinkSync(target, link)
      expect(() => readConfig(link)).toThrow(
        expect.objectContaining({ code: 'bad_config', message: expect.stringContaining('a symbolic link') }),
      )
    }
    const fifo = join(folder.path, 'fifo')
    execFileSync('mkfifo', [fifo])
    expect(() => readConfig(fifo)).toThrow(refused)
    const huge = join(folder.path, 'huge')
    writeFileSync(huge, '')
    truncateSync(huge, 2 ** 30)
    expect(() => readConfig(huge)).toThrow(refused)
    mkdirSync(path)
    expect(() => readConfig(path)).toThrow(refused)
  })
})
