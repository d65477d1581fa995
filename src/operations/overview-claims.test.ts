import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { openStore } from '../store/store.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { withoutClaims } from './overview-claims.ts'
import { ticketDocuments } from './page-documents.ts'

const HOLDER = 'secret) pod, (one; two'

test('no holder, session or worktree is left, and every verdict is', () => {
  using repository = temporaryRepository()
  const { root } = repository
  writeFileSync(join(root, 'ticketplan.json'), '{"pools":{"gpu":1},"areas":{"menu":["src/menu/**"]}}')
  for (const id of ['A', 'B', 'C', 'D', 'E', 'F']) putTicket(root, id, { state: 'queued' })
  putTicket(root, 'F', { state: 'done' })
  let nowMs = Date.parse('2026-11-26T12:00:00.000Z')
  using plan = openPlan({ root, actor: 'ann', now: () => nowMs })
  for (const ticket of ['A', 'C']) plan.record({ ticket, kind: 'touches', paths: ['menu'] })
  plan.record({ ticket: 'B', kind: 'conflicts_with', other: 'A' })
  plan.record({ ticket: 'D', kind: 'waiting_for_capacity', pool: 'gpu' })
  plan.claim({ ticket: 'E', holder: 'secret', ttl: 60 })
  plan.claim({ ticket: 'F', holder: 'secret', ttl: 600 })
  nowMs += 120_000
  plan.claim({ ticket: 'A', holder: HOLDER, session: 'secret-session', worktree: '/secret', pool: 'gpu' })
  const overview = plan.overview()
  expect(JSON.stringify(overview)).toContain('secret')
  const bare = withoutClaims(overview, ['secret', HOLDER])
  expect(JSON.stringify(bare)).not.toContain('secret')
  expect(bare.queue.map(({ ticket, verdict }) => [ticket, verdict])).toEqual(
    overview.queue.map(({ ticket, verdict }) => [ticket, verdict]),
  )
  const known = new Set(bare.causes.map(({ key }) => key))
  for (const { causes } of bare.queue) for (const key of causes) expect(known).toContain(key)
  const store = openStore({ root, now: () => nowMs })
  for (const document of Object.values(ticketDocuments(store, ['A', 'B', 'C', 'D'])))
    expect(JSON.stringify(withoutClaims(document, ['secret', HOLDER]))).not.toContain('secret')
  store.close()
})
