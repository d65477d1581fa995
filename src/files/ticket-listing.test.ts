import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openPlan } from '../sdk.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
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
