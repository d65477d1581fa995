import { expect, test } from 'vitest'
import { render } from '../cli/render.ts'
import { openPlan } from '../sdk.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

function withPlan(use: (plan: ReturnType<typeof openPlan>, root: string) => void) {
  using repository = temporaryRepository()
  for (const id of ['A', 'B', 'C']) putTicket(repository.root, id, { state: 'queued' })
  using plan = openPlan({ root: repository.root, actor: 'ann' })
  use(plan, repository.root)
}

const TERMINAL = { isTerminal: false, hasColours: false, width: undefined }

test('queue, relations and claims list everything without a limit, and say with one whether there is more', () => {
  withPlan(plan => {
    plan.record({ ticket: 'C', kind: 'related', other: 'A' })
    plan.record({ ticket: 'C', kind: 'related', other: 'B' })
    for (const ticket of ['A', 'B']) plan.claim({ ticket, holder: 'pod' })
    for (const answer of [plan.queue(), plan.relations(), plan.claims()]) expect(answer).not.toHaveProperty('more')
    expect(plan.queue({ limit: 2 })).toMatchObject({
      queue: [{ ticket: { id: 'A' } }, { ticket: { id: 'B' } }],
      more: true,
    })
    expect(plan.queue({ limit: 3 })).toMatchObject({ more: false })
    expect(plan.relations({ limit: 1 }).relations).toHaveLength(1)
    expect(plan.relations({ limit: 1 }).more).toBe(true)
    expect(plan.claims({ limit: 1 })).toMatchObject({ claims: [{ ticket: 'A' }], more: true })
    expect(plan.claims({ limit: 2 }).more).toBe(false)
    expect(() => plan.queue({ limit: 0 })).toThrow(/limit/)
    expect(render('queue', plan.queue({ limit: 2 }), {}, TERMINAL)).toContain(
      '(2 Tickets; there are more, raise --limit',
    )
    expect(render('claims', plan.claims({ limit: 1 }), {}, TERMINAL)).toContain('(1 claim; there are more')
    expect(render('relations', plan.relations({ limit: 1 }), {}, TERMINAL)).toContain('(1 relation; there are more')
  })
})

test('verify with a limit lists errors first, counts all, and judges all', () => {
  withPlan((plan, root) => {
    for (const id of ['X', 'Y']) putTicket(root, id, { state: 'in progres' })
    plan.record({ ticket: 'A', kind: 'related', other: 'B' })
    putTicket(root, 'Z', { state: 'queued', slug: 'same' })
    putTicket(root, 'ZZ', { state: 'queued', slug: 'same' })
    const all = plan.verify()
    expect(all).not.toHaveProperty('more')
    const errors = all.problems.filter(({ severity }) => severity === 'error').length
    const warnings = all.problems.length - errors
    expect([errors, warnings]).toEqual([1, 2])
    const few = plan.verify({ limit: 1 })
    expect(few).toMatchObject({ ok: false, more: true, total: { errors, warnings } })
    expect(few.problems).toMatchObject([{ code: 'duplicate_slug' }])
    expect(render('verify', few, {}, TERMINAL)).toMatch(/1 listed; there are more.*\n.*1 problem, 2 warnings/)
  })
})

test('doctor and verify both warn of an unknown state, in the same words', () => {
  withPlan((plan, root) => {
    putTicket(root, 'X', { state: 'in progres' })
    const { ok, problems } = plan.verify()
    const warning = problems.find(({ code }) => code === 'unknown_state')!
    expect(warning.message).toContain('did you mean in_progress')
    expect(ok).toBe(true)
    const states = plan.doctor().checks.find(({ name }) => name === 'states')!
    expect(states).toMatchObject({ ok: true, detail: expect.stringContaining(`warning: ${warning.message}`) })
  })
})

test('the log of claims says who ended one by force', () => {
  withPlan(plan => {
    plan.claim({ ticket: 'A', holder: 'pod' })
    plan.release({ ticket: 'A', force: true, reason: 'the pod is gone' })
    const log = plan.log({ claims: true })
    expect(log.claims![0]).toMatchObject({ action: 'forced', holder: 'pod', by: 'ann', previous_holder: null })
    expect(log.claims![1]).toMatchObject({ action: 'acquired', by: null })
    expect(render('log', log, {}, TERMINAL)).toContain('the claim of pod was ended by force by ann: the pod is gone')
  })
})
