import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Plan } from '../sdk.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { putTicket, readTicketJson, runGit, temporaryRepository } from '../test-support/temporary-repository.ts'

/** A plan with the queued Tickets A to D, a folder src/menu and a file README.md. */
function withPlan(use: (plan: Plan, root: string) => void, config: object = {}): void {
  using repository = temporaryRepository()
  const { root } = repository
  if (Object.keys(config).length > 0) writeFileSync(join(root, 'ticketplan.json'), JSON.stringify(config))
  for (const id of ['A', 'B', 'C', 'D']) putTicket(root, id, { state: 'queued' })
  mkdirSync(join(root, 'src/menu'), { recursive: true })
  writeFileSync(join(root, 'README.md'), '')
  using plan = checkedPlan(root)
  use(plan, root)
}

const touch = (plan: Plan, ticket: string, ...paths: string[]) => plan.record({ ticket, kind: 'touches', paths })
const codes = (answer: { reasons: { code: string }[] }) => answer.reasons.map(({ code }) => code)

describe('record touches', () => {
  test('stores sorted globs, a folder with a final "/"', () =>
    withPlan((plan, root) => {
      const { created, decision, warnings } = touch(plan, 'A', 'src/menu', 'README.md', 'lib/**', 'README.md')
      expect({ created, warnings }).toEqual({ created: true, warnings: [] })
      expect(decision).toMatchObject({ kind: 'touches', paths: ['README.md', 'lib/**', 'src/menu/'] })
      expect(readTicketJson(root, 'tickets/A.json').decisions).toEqual([decision])
    }))

  test('returns the active decision that says the same; other paths add to the area', () =>
    withPlan(plan => {
      const { decision } = touch(plan, 'A', 'b', 'a/')
      expect(touch(plan, 'A', 'a/', 'b')).toMatchObject({ created: false, decision: { id: decision.id } })
      expect(plan.record({ ticket: 'A', kind: 'touches', paths: ['a/', 'b'], shared: true }).created).toBe(true)
      touch(plan, 'A', 'c')
      expect(plan.scope('A').area.map(({ pattern, shared }) => [pattern, shared])).toEqual([
        ['a/', false],
        ['a/', true],
        ['b', false],
        ['b', true],
        ['c', false],
      ])
    }))

  test('warns of a word that is neither an area nor a file, with the nearest area; so does consult', () =>
    withPlan(
      plan => {
        const message = '"meun" is neither an area of ticketplan.json nor a file at the root; did you mean menu?'
        expect(touch(plan, 'A', 'meun').warnings).toEqual([message])
        expect(plan.consult('A')).toMatchObject({
          verdict: 'accept',
          reasons: [{ code: 'unknown_area', severity: 'warn', message, area: 'meun', nearest: ['menu'] }],
        })
        expect(touch(plan, 'B', 'menu', 'README.md').warnings).toEqual([])
        expect(codes(plan.consult('B'))).toEqual([])
      },
      { areas: { menu: ['src/menu/**'] } },
    ))

  test.each([
    [['src/../x'], 'has the segment ".."'],
    [['/src'], 'is absolute'],
    [['src/{a,b}'], 'has "{"'],
    [Array.from({ length: 101 }, (_, n) => `f${n}`), '100'],
    [[], ''],
  ])('refuses %j', (paths, message) =>
    withPlan((plan, root) => {
      const error = planErrorOf(() => plan.record({ ticket: 'A', kind: 'touches', paths }))
      expect(error).toMatchObject({ code: 'invalid_input', data: { field: expect.stringMatching(/^paths/) } })
      expect(error.message).toContain(message)
      expect(readTicketJson(root, 'tickets/A.json').decisions).toEqual([])
    }))

  test('needs paths, and no other kind takes them', () =>
    withPlan(plan => {
      expect(planErrorOf(() => plan.record({ ticket: 'A', kind: 'touches' })).message).toContain('touches needs paths')
      const note = { ticket: 'A', kind: 'note', reason: 'x' } as const
      expect(planErrorOf(() => plan.record({ ...note, paths: ['a'] })).message).toContain('only touches takes paths')
      expect(planErrorOf(() => plan.record({ ...note, shared: true })).message).toContain('only touches takes shared')
    }))
})

describe('an area', () => {
  test('that is taken holds consult, accept and claim, until the claim is released', () =>
    withPlan(plan => {
      touch(plan, 'A', 'src/**')
      touch(plan, 'B', 'src/menu/item.ts')
      const { claim } = plan.accept({ ticket: 'A', holder: 'pod-1' })
      expect(codes(plan.consult('B'))).toEqual(['area'])
      expect(plan.accept({ ticket: 'B', holder: 'pod-2' })).toMatchObject({ accepted: false })
      expect(plan.claim({ ticket: 'B', holder: 'pod-2' })).toMatchObject({ claim: null, refused: 'area' })
      expect(codes(plan.queue().queue.find(({ ticket }) => ticket.id === 'B')!)).toEqual(['area'])
      plan.release({ ticket: 'A', token: claim!.token! })
      expect(plan.accept({ ticket: 'B', holder: 'pod-2' })).toMatchObject({ accepted: true })
      expect(codes(plan.consult('A'))).toContain('area')
    }))

  test('of a claim is that of when it was taken: neither a new decision nor another configuration changes it', () =>
    withPlan(
      (plan, root) => {
        touch(plan, 'A', 'menu')
        touch(plan, 'B', 'src/menu/a.ts')
        touch(plan, 'C', 'lib/a.ts')
        const { claim } = plan.accept({ ticket: 'A', holder: 'pod-1' })
        writeFileSync(join(root, 'ticketplan.json'), '{"areas":{"menu":["lib/**"]}}')
        touch(plan, 'A', 'lib/**')
        expect([codes(plan.consult('B')), codes(plan.consult('C'))]).toEqual([['area'], []])
        plan.renew({ ticket: 'A', token: claim!.token! })
        expect([codes(plan.consult('B')), codes(plan.consult('C'))]).toEqual([['area'], []])
        plan.release({ ticket: 'A', token: claim!.token! })
        plan.accept({ ticket: 'A', holder: 'pod-1' })
        expect([codes(plan.consult('B')), codes(plan.consult('C'))]).toEqual([[], ['area']])
      },
      { areas: { menu: ['src/menu/**'] } },
    ))

  test('of an active Ticket without a claim is that of its file, with the configuration of now', () =>
    withPlan(
      (plan, root) => {
        touch(plan, 'A', 'menu')
        touch(plan, 'B', 'src/menu/a.ts')
        plan.set({ ticket: 'A', state: 'in_progress' })
        expect(codes(plan.consult('B'))).toEqual(['area'])
        writeFileSync(join(root, 'ticketplan.json'), '{"areas":{"menu":["lib/**"]}}')
        expect(codes(plan.consult('B'))).toEqual([])
      },
      { areas: { menu: ['src/menu/**'] } },
    ))

  test('is in SQL with the names of areas expanded, as long as the Ticket is unsettled', () =>
    withPlan(
      plan => {
        const { decision } = touch(plan, 'A', 'menu', 'README.md')
        const query = 'select ticket_id, pattern, shared, decision_id from areas order by pattern'
        const row = (pattern: string) => ['A', pattern, 0, decision.id]
        expect(plan.sql(query).rows).toEqual([row('README.md'), row('docs/menu.md'), row('src/menu/**')])
        plan.set({ ticket: 'A', state: 'done' })
        expect(plan.sql(query).rows).toEqual([])
        plan.set({ ticket: 'A', state: 'queued' })
        plan.retract(decision.id)
        expect(plan.sql(query).rows).toEqual([])
        expect(plan.verify()).toMatchObject({ ok: true })
      },
      { areas: { menu: ['src/menu/**', 'docs/menu.md'] } },
    ))

  test('that is taken is the reason for which brief lists a Ticket as held, in whose place it is', () =>
    withPlan(plan => {
      touch(plan, 'A', 'src/**')
      touch(plan, 'B', 'src/menu/item.ts')
      const linesOfB = () =>
        plan
          .brief()
          .text.split('\n')
          .filter(line => /^(?:hold|accept) B\b/.test(line))
      expect(linesOfB()).toEqual(['accept B "Ticket B"'])
      const { claim } = plan.accept({ ticket: 'A', holder: 'pod-1' })
      expect(linesOfB()).toEqual(['hold B "Ticket B": works where A does (queued): "src/**"'])
      plan.release({ ticket: 'A', token: claim!.token! })
      expect(linesOfB()).toEqual(['accept B "Ticket B"'])
    }))

  test('can be forced, and the plan says so', () =>
    withPlan(plan => {
      for (const id of ['A', 'B']) touch(plan, id, 'src/**')
      plan.accept({ ticket: 'A', holder: 'pod-1' })
      const forced = plan.accept({ ticket: 'B', holder: 'pod-2', force: true, reason: 'only comments' })
      expect(forced).toMatchObject({ accepted: true, decision: { overrides: ['area'] } })
    }))

  test.each([
    ['{"areas":{"menu":"src"}}', 'areas.menu'],
    ['{"areas":{"menu":["/src"]}}', 'areas.menu.0: the path is absolute'],
    ['{"areas":{"a/b":["src"]}}', 'areas.a/b'],
  ])('of a broken configuration %s is an error that names the place', (text, message) =>
    withPlan((plan, root) => {
      writeFileSync(join(root, 'ticketplan.json'), text)
      const error = planErrorOf(() => plan.queue())
      expect(error.code).toBe('bad_config')
      expect(error.message).toContain(message)
    }))
})

describe('scope --diff', () => {
  const commit = (root: string, message: string) => {
    runGit(root, 'add', '--all')
    runGit(root, 'commit', '--quiet', '--message', message)
  }
  /** A branch off main that changes the files, each to its own name as content. */
  function onBranch(root: string, ...files: string[]): void {
    writeFileSync(join(root, 'src/menu/old.ts'), 'old name\n'.repeat(20))
    commit(root, 'start')
    runGit(root, 'switch', '--quiet', '--create', 'topic')
    for (const file of files) writeFileSync(join(root, file), file)
    commit(root, 'work')
  }

  test('lists the changed files outside of the area, without those of the tickets folder', () =>
    withPlan((plan, root) => {
      touch(plan, 'A', 'src/menu/**')
      onBranch(root, 'src/menu/new.ts', 'src/ä b.ts', 'README.md', 'tickets/B.json')
      expect(plan.scope({ ticket: 'A', diff: 'main...HEAD' })).toMatchObject({
        files: 3,
        outside: ['README.md', 'src/ä b.ts'],
      })
      touch(plan, 'A', 'src/*', 'README.md')
      for (const diff of ['main..HEAD', 'main', 'main..', 'HEAD~1'])
        expect(plan.scope({ ticket: 'A', diff })).toMatchObject({ files: 3, outside: [] })
    }))

  test('counts both names of a moved file', () =>
    withPlan((plan, root) => {
      touch(plan, 'A', 'lib/**')
      onBranch(root, 'README.md')
      mkdirSync(join(root, 'lib'))
      runGit(root, 'mv', 'src/menu/old.ts', 'lib/old.ts')
      commit(root, 'move')
      expect(plan.scope({ ticket: 'A', diff: 'HEAD~1' }).outside).toEqual(['src/menu/old.ts'])
    }))

  test('of a Ticket without an area finds every changed file outside', () =>
    withPlan((plan, root) => {
      onBranch(root, 'README.md')
      expect(plan.scope({ ticket: 'A', diff: 'main' })).toMatchObject({ area: [], files: 1, outside: ['README.md'] })
    }))

  test.each([
    'nowhere',
    'main...nowhere',
    '--output=x',
    'main...--output=x',
    'HEAD:README.md',
  ])('refuses the range %s', diff =>
    withPlan((plan, root) => {
      onBranch(root, 'README.md')
      expect(planErrorOf(() => plan.scope({ ticket: 'A', diff }))).toMatchObject({
        code: 'invalid_input',
        message: expect.stringContaining('git has no commit'),
      })
    }))

  test('outside git is a named error', () => {
    using repository = temporaryRepository({ git: false })
    putTicket(repository.root, 'A')
    using plan = checkedPlan(repository.root)
    expect(planErrorOf(() => plan.scope({ ticket: 'A', diff: 'main' })).code).toBe('no_git')
  })
})
