import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkedPlan, testClock } from '../test-support/checked-plan.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

test('sync --quiet prints nothing if all files can be read, else how many cannot', () => {
  using repo = temporaryRepository()
  const notices: string[] = []
  using plan = checkedPlan(repo.root, testClock(), { onNotice: notice => notices.push(notice) })
  putTicket(repo.root, 'A')
  expect(plan.sync({ quiet: true })).toMatchObject({ tickets: 1, changed: 1, quarantined: 0 })
  expect(notices).toEqual([])
  for (const id of ['B', 'C']) writeFileSync(join(repo.root, `tickets/${id}.json`), 'broken')
  expect(plan.sync({ quiet: true })).toMatchObject({ tickets: 1, quarantined: 2 })
  expect(notices).toEqual(['2 Ticket files cannot be read; see "ticketplan verify"'])
})

test('only sync --quiet accepts a branch without a tickets folder', () => {
  using repo = temporaryRepository()
  rmSync(repo.ticketsDir, { recursive: true })
  using plan = checkedPlan(repo.root)
  expect(plan.sync({ quiet: true })).toEqual({ tickets: 0, decisions: 0, changed: 0, quarantined: 0, ms: 0 })
  expect(() => plan.sync()).toThrow(expect.objectContaining({ code: 'not_initialized' }))
})
