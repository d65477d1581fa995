/** Hostile or unlucky folders that were once handled wrongly. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isPlanError } from '../model/errors.ts'
import { openPlan, type Plan } from '../sdk.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { putTicket, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'

function codeOf(action: () => unknown): string | undefined {
  try {
    action()
  } catch (error) {
    return isPlanError(error) ? error.code : String(error)
  }
  return undefined
}

function addTickets(plan: Plan, ...ids: string[]): void {
  for (const id of ids) plan.add({ id, title: `Ticket ${id}`, state: 'queued' })
}

describe('links', () => {
  test('verify --fix removes nothing outside, and cyclic links do not hang it', () => {
    using outside = temporaryFolder()
    using repository = temporaryRepository()
    const precious = join(outside.path, '.notes.0123456789ab.tmp')
    writeFileSync(precious, 'precious')
    utimesSync(precious, 0, 0)
    symlinkSync(outside.path, join(repository.ticketsDir, 'link'))
    symlinkSync('.', join(repository.ticketsDir, 'circle'))
    using plan = checkedPlan(repository.root)
    expect(plan.verify({ fix: true })).toMatchObject({ ok: false, fixed: [] })
    expect(readFileSync(precious, 'utf8')).toBe('precious')
    expect(plan.verify().problems.map(({ code, path }) => [code, path])).toEqual([
      ['symbolic_link', 'tickets/circle'],
      ['symbolic_link', 'tickets/link'],
    ])
  })

  test('init creates nothing behind a link', () => {
    using outside = temporaryFolder()
    using folder = temporaryFolder()
    symlinkSync(outside.path, join(folder.path, 'tickets'))
    using plan = openPlan({ root: folder.path, actor: 'tester' })
    expect(codeOf(() => plan.init())).toBe('unsafe_path')
    expect(readdirSync(outside.path)).toEqual([])
  })
})

test('a command that fails in a folder without a plan creates nothing there', () => {
  using folder = temporaryFolder()
  using plan = openPlan({ root: folder.path, actor: 'tester' })
  expect(codeOf(() => plan.add({ id: 'A', title: 'a' }))).toBe('not_initialized')
  expect(codeOf(() => plan.accept({ ticket: 'A', holder: 'h' }))).toBe('not_initialized')
  expect(readdirSync(folder.path)).toEqual([])
})

test('a program with its own clock and one without see the same live claim', () => {
  using repository = temporaryRepository()
  using given = openPlan({ root: repository.root, actor: 'tester', now: () => Date.now() })
  using plain = openPlan({ root: repository.root, actor: 'tester' })
  addTickets(plain, 'A', 'B')
  expect(given.accept({ ticket: 'A', holder: 'one' }).accepted).toBe(true)
  expect(plain.accept({ ticket: 'A', holder: 'two' })).toMatchObject({
    accepted: false,
    reasons: [{ code: 'claimed' }],
  })
  expect(plain.accept({ ticket: 'B', holder: 'two' }).accepted).toBe(true)
  expect(given.accept({ ticket: 'B', holder: 'one' }).accepted).toBe(false)
})

describe('a conflict in a file that can no longer be read', () => {
  test.each([
    ['spread over lines and broken', (text: string) => `${JSON.stringify(JSON.parse(text), null, 2)},`],
    [
      'with the target in escapes, and broken',
      (text: string) => `${text.replace('"target":"B"', '"target":"\\u0042"')}}`,
    ],
    ['grown beyond the limit', (text: string) => text + ' '.repeat(1_100_000)],
  ])('%s still holds the other Ticket', (_, broken) => {
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    addTickets(plan, 'A', 'B', 'C')
    plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
    plan.accept({ ticket: 'A', holder: 'one' })
    const path = join(repository.ticketsDir, 'A.json')
    writeFileSync(path, broken(readFileSync(path, 'utf8')))
    expect(plan.accept({ ticket: 'B', holder: 'two' })).toMatchObject({
      accepted: false,
      reasons: [{ code: 'quarantined', ticket: 'A' }],
    })
  })

  test('a file replaced by a link holds every Ticket while its Ticket is claimed', () => {
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    addTickets(plan, 'A', 'B')
    const { claim } = plan.accept({ ticket: 'A', holder: 'one' })
    renameSync(join(repository.ticketsDir, 'A.json'), join(repository.root, 'A.json'))
    symlinkSync('../A.json', join(repository.ticketsDir, 'A.json'))
    expect(plan.consult('B').verdict).toBe('hold')
    plan.release({ ticket: 'A', token: claim!.token })
    expect(plan.consult('B').verdict).toBe('accept')
  })
})

test('an id that differs from an existing one only in case is refused', () => {
  using repository = temporaryRepository()
  using plan = checkedPlan(repository.root)
  addTickets(plan, 'A', 'B')
  expect(codeOf(() => plan.record({ ticket: 'B', kind: 'conflicts_with', other: 'a' }))).toBe('unknown_ticket')
  const decision = {
    at: '2026-06-08T11:30:00.000Z',
    by: 't',
    id: '01JX8Z3V7Q4T9K2M5N6P7R8S9T',
    kind: 'blocked_by',
    target: 'a',
  }
  putTicket(repository.root, 'C', { decisions: [asDecision(decision)], state: 'queued' })
  expect(plan.queue().problems).toMatchObject([{ code: 'dangling', path: 'tickets/C.json' }])
})

test.skipIf(process.platform !== 'linux')(
  'a name that is not valid UTF-8 is reported, of a file and of a folder (skipped where names are text)',
  () => {
    using repository = temporaryRepository()
    const named = (end: string) =>
      Buffer.concat([Buffer.from(`${repository.ticketsDir}/`), Buffer.from([0xff]), Buffer.from(end)])
    writeFileSync(named('.json'), '{}')
    mkdirSync(named(''))
    using plan = checkedPlan(repository.root)
    expect(plan.verify()).toMatchObject({ ok: false, problems: [{ code: 'id_mismatch' }, { code: 'id_mismatch' }] })
    expect(plan.sync()).toMatchObject({ changed: 0, quarantined: 2 })
  },
)

test('a conflict that both files store is one relation, in lists and exports', () => {
  const conflict = (id: string, target: string) => ({
    at: '2026-06-08T11:30:00.000Z',
    by: 't',
    id,
    kind: 'conflicts_with',
    target,
  })
  const ids = ['01JX8Z3V7Q4T9K2M5N6P7R8S9T', '01JX8Z3V7Q4T9K2M5N6P7R8S9V'] as const
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { decisions: [asDecision(conflict(ids[0], 'Z'))] })
  putTicket(repository.root, 'Z', { decisions: [asDecision(conflict(ids[1], 'A'))] })
  using plan = checkedPlan(repository.root)
  expect(plan.relations().relations).toMatchObject([{ ticket: 'A', other: 'Z', decisions: ids }])
  expect(plan.relations({ ticket: 'Z' }).relations).toMatchObject([{ ticket: 'Z', other: 'A', decisions: ids }])
  expect(plan.export({ format: 'csv' }).text.trim().split('\n')).toHaveLength(2)
})

test('an export reports what it could not read', () => {
  using repository = temporaryRepository()
  writeFileSync(join(repository.ticketsDir, 'B.json'), '{')
  using plan = checkedPlan(repository.root)
  expect(plan.export({ format: 'json' }).problems).toMatchObject([{ path: 'tickets/B.json' }])
  expect(existsSync(join(repository.ticketsDir, 'B.json'))).toBe(true)
})

test('options, actors and pools are checked before anything is done', () => {
  using repository = temporaryRepository()
  writeFileSync(join(repository.root, 'ticketplan.json'), '{"pools":{"gpu":1}}')
  putTicket(repository.root, 'A', { state: 'queued' })
  expect(codeOf(() => openPlan({ rot: repository.root } as never))).toBe('invalid_input')
  using plan = openPlan({ root: repository.root, actor: 'two\nlines' })
  expect(codeOf(() => plan.record({ ticket: 'A', kind: 'note', reason: 'x' }))).toBe('invalid_input')
  expect(codeOf(() => plan.consult({ ticket: 'A', pool: 'nope' }))).toBe('unknown_pool')
  expect(codeOf(() => plan.add({ id: 'B', titel: 'x' } as never))).toBe('invalid_input')
})

test('claims from before the folder was a git repository stay live', () => {
  using repository = temporaryRepository({ git: false })
  putTicket(repository.root, 'A', { state: 'queued' })
  {
    using plan = checkedPlan(repository.root)
    plan.claim({ ticket: 'A', holder: 'one' })
  }
  execFileSync('git', ['init', '--quiet', repository.root])
  using plan = checkedPlan(repository.root)
  expect(plan.claim({ ticket: 'A', holder: 'two' })).toMatchObject({ refused: 'held' })
  expect(plan.doctor().checks.find(({ name }) => name === 'databases from before git')).toMatchObject({ ok: true })
})
