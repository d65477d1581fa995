import { existsSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import type { Decision } from '../model/decision.ts'
import { openPlan } from '../sdk.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { makeNote, makeTicket, putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { findRepository } from './repository.ts'
import { listOrphans, listTicketPaths } from './ticket-listing.ts'

describe('listing', () => {
  it('skips temporary files and files that cannot be Tickets, in every folder', () => {
    using repo = temporaryRepository()
    const paths = [putTicket(repo.root, 'B', {}, 'sub'), putTicket(repo.root, 'A'), putTicket(repo.root, 'Z')]
    for (const name of ['README.md', '.hidden.json', '.A.json.0123456789ab.tmp', 'A.json~', 'A.json.orig'])
      writeFileSync(join(repo.ticketsDir, name), '{}')
    mkdirSync(join(repo.ticketsDir, '.cache'))
    putTicket(repo.root, 'C', {}, '.cache')
    expect(listTicketPaths(findRepository(repo.root))).toEqual([...paths].sort())
  })

  it('lists a file whose ending is not in lower case, which is quarantined and blocks its id', () => {
    using repo = temporaryRepository()
    mkdirSync(join(repo.ticketsDir, 'folder.JSON'))
    const blocked: Decision = { ...makeNote('x'), kind: 'blocked_by', target: 'X' }
    const paths = [
      putTicket(repo.root, 'Q', { state: 'queued', decisions: [blocked] }),
      'tickets/X.JSON',
      'tickets/folder.JSON/Y.Json',
    ].sort()
    writeFileSync(join(repo.ticketsDir, 'X.JSON'), encodeTicket(makeTicket('X')))
    writeFileSync(join(repo.ticketsDir, 'folder.JSON/Y.Json'), encodeTicket(makeTicket('Y')))
    expect(listTicketPaths(findRepository(repo.root))).toEqual(paths)
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    const wrong = (path: string) =>
      expect.objectContaining({ code: 'id_mismatch', path, message: expect.stringContaining('in lower case') })
    const problems = [wrong('tickets/X.JSON'), wrong('tickets/folder.JSON/Y.Json')]
    expect(plan.queue().problems).toEqual(problems)
    expect(plan.verify()).toMatchObject({ ok: false, problems })
    expect(planErrorOf(() => plan.add({ id: 'x', title: 'x' }))).toMatchObject({
      code: 'ticket_exists',
      data: { path: 'tickets/X.JSON' },
    })
    expect(plan.consult('Q').reasons).toMatchObject([{ code: 'quarantined', ticket: 'X', path: 'tickets/X.JSON' }])
    expect(plan.queue().problems.map(({ code }) => code)).toEqual(['id_mismatch', 'id_mismatch'])
    renameSync(join(repo.ticketsDir, 'X.JSON'), join(repo.ticketsDir, 'X.json'))
    expect(plan.show('X').ticket.id).toBe('X')
  })

  it('finds temporary files that a crash left, which verify reports and removes when they are old', () => {
    using repo = temporaryRepository()
    const old = 'tickets/sub/.B.json.0123456789ab.tmp'
    const young = 'tickets/.A.json.ba9876543210.tmp'
    mkdirSync(join(repo.ticketsDir, 'sub'))
    for (const path of [old, young]) writeFileSync(join(repo.root, path), '{"half":')
    utimesSync(join(repo.root, old), new Date(), new Date(Date.now() - 2 * 3_600_000))
    expect(listOrphans(findRepository(repo.root))).toEqual([young, old].sort())
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    expect(plan.verify()).toMatchObject({
      ok: true,
      problems: [{ code: 'orphan_temp', path: old, severity: 'warning' }],
    })
    expect(plan.verify({ fix: true }).fixed).toEqual([old])
    expect(existsSync(join(repo.root, young))).toBe(true)
    expect(plan.sync()).toMatchObject({ tickets: 0, quarantined: 0 })
  })
})
