import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decodeTicket } from '../model/canonical-json.ts'
import { Refusal } from '../model/strict-json.ts'
import { ticketProblem } from '../model/ticket.ts'
import { checkedPlan, testClock } from '../test-support/checked-plan.ts'
import { makeTicket, putTicket, runGit, temporaryRepository } from '../test-support/temporary-repository.ts'

const HOLDER = 'holder-q8x1'
const SESSION = 'session-w7k2'
const WORKTREE = '/worktree-z6m3'
const PID = 918_273_645

/** Returns every file below a folder, except those of git. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== '.git')
    .flatMap(entry => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]))
}

describe('what is local to one machine', () => {
  test('is in no file of the checkout, no export and no commit after every operation on claims', () => {
    using repository = temporaryRepository()
    const { root, localPath } = repository
    writeFileSync(join(root, 'ticketplan.json'), '{"pools":{"default":3}}')
    for (const id of ['A', 'B', 'C', 'D', 'E']) putTicket(root, id, { state: 'queued' })
    const clock = testClock()
    using plan = checkedPlan(root, clock)
    const who = { holder: HOLDER, session: SESSION }
    const tokens = new Set<number>()
    const note = ({ claim }: { claim: { token?: number } | null }) => tokens.add(claim!.token!)

    note(plan.claim({ ticket: 'A', ...who, worktree: WORKTREE, pid: PID }))
    note(plan.accept({ ticket: 'A', ...who, branch: 'impl/a' }))
    note(plan.accept({ ticket: 'B', ...who, worktree: '.worktree/b' }))
    plan.record({ ticket: 'C', kind: 'conflicts_with', other: 'A' })
    const refused = plan.accept({ ticket: 'C', holder: 'other', session: SESSION })
    expect(refused.accepted).toBe(false)
    note(plan.accept({ ticket: 'C', ...who, force: true, reason: 'goes past a claim' }))
    note(plan.renew({ ticket: 'A', token: [...tokens][0]! }))
    plan.release({ ticket: 'A', token: [...tokens][0]! })
    plan.release({ ticket: 'C', force: true, reason: 'done' })
    clock.nowMs += 86_400_000
    note(plan.claim({ ticket: 'B', holder: `${HOLDER}-2`, session: SESSION }))
    note(plan.accept({ ticket: 'D', ...who }))
    plan.set({ ticket: 'D', state: 'in_progress' })
    plan.retract(plan.show('D').decisions[0]!.id)
    plan.verify({ fix: true })
    expect(tokens.size).toBe(5)

    const secrets = [HOLDER, SESSION, WORKTREE, String(PID), ...[...tokens].map(String)]
    const found = (text: string) => secrets.filter(secret => text.includes(secret))
    // The search finds what is there: all of it is in the local database.
    const local = readFileSync(localPath, 'latin1')
    expect(found(local)).toEqual(expect.arrayContaining([HOLDER, SESSION, WORKTREE]))
    expect(found(JSON.stringify(plan.claims({ all: true })))).toEqual(expect.arrayContaining([HOLDER, SESSION]))

    const files = filesBelow(root)
    expect(files.filter(file => file.endsWith('.json'))).toHaveLength(6)
    for (const file of files) expect(found(readFileSync(file, 'latin1')), file).toEqual([])
    for (const format of ['mermaid', 'dot', 'json', 'csv'] as const) {
      for (const all of [false, true]) {
        const { text } = plan.export({ format, all })
        expect(text).toContain('A')
        expect(found(text), format).toEqual([])
      }
    }
    runGit(root, 'add', '--all')
    const staged = runGit(root, 'diff', '--cached')
    expect(staged).toContain('accepted_plan')
    expect(found(staged)).toEqual([])
    expect(runGit(root, 'diff', '--cached', '--name-only').trim().split('\n')).toEqual([
      'ticketplan.json',
      ...['A', 'B', 'C', 'D', 'E'].map(id => `tickets/${id}.json`),
    ])
    // The index is made from the files alone, so it knows nothing either.
    const index = readFileSync(repository.indexPath, 'latin1')
    expect(statSync(repository.indexPath).size).toBeGreaterThan(0)
    expect(found(index)).toEqual([])
  })

  const keys = [
    ['claim', 'claims', 'holder', 'token', 'fencing_token', 'session'],
    ['pid', 'host', 'hostname', 'socket', 'lease', 'expires_at'],
  ].flat()
  const common = { at: '2026-06-08T11:30:00.000Z', by: 'x', id: '01JX8Z3V7Q4T9K2M5N6P7R8S01' }
  const noted = { ...common, kind: 'note' }
  const planned = { ...common, kind: 'accepted_plan', plan: { summary: 's' } }

  test.each(keys)('is refused under the key "%s" in a Ticket, a decision and a plan', key => {
    const local = { [key]: 'x' }
    const cases: [object, (string | number)[]][] = [
      [{ ...makeTicket('T'), ...local }, [key]],
      [{ ...makeTicket('T'), decisions: [{ ...noted, ...local }] }, ['decisions', 0, key]],
      [{ ...makeTicket('T'), decisions: [{ ...noted, kind: 'of a later version', ...local }] }, ['decisions', 0, key]],
      [
        { ...makeTicket('T'), decisions: [{ ...planned, plan: { ...planned.plan, ...local } }] },
        ['decisions', 0, 'plan', key],
      ],
    ]
    for (const [value, path] of cases) {
      expect(ticketProblem(value)).toMatchObject({ path, message: expect.stringContaining('local') })
      const decode = () => decodeTicket(Buffer.from(JSON.stringify(value)), 'T')
      expect(decode).toThrow(Refusal)
      expect(decode).toThrow(expect.objectContaining({ code: 'schema', message: expect.stringContaining(key) }))
    }
    // What an importer keeps of another system is its own affair, and so is a word that only contains the key.
    const free = { ...makeTicket('T'), [`x_${key}`]: 1, source: local, decisions: [{ ...noted, source: local }] }
    expect(ticketProblem(free)).toBeNull()
  })

  test('quarantines a file, so that its Ticket is held and verify fails', () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { state: 'queued', session: 's-1' })
    using plan = checkedPlan(repository.root)
    expect(plan.consult('A').reasons).toMatchObject([{ code: 'quarantined', path: 'tickets/A.json' }])
    expect(plan.verify()).toMatchObject({ ok: false, problems: [{ code: 'schema', path: 'tickets/A.json' }] })
  })
})
