import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { git } from '../test-support/git-clones.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

const EARLY = '2026-06-08T10:00:00.000Z'
const LATE = '2026-06-08T11:00:00.000Z'

/** A clone with T-1 queued, and a linked worktree beside it on a branch of its own. */
function twoWorktrees() {
  const repository = temporaryRepository()
  const { root } = repository
  putTicket(root, 'T-1', { state: 'queued', state_at: EARLY })
  git(root, ['add', '--all'])
  git(root, ['commit', '--quiet', '--message', 'base'])
  const other = join(root, '..', `${root.split('/').at(-1)}-other`)
  git(root, ['worktree', 'add', '--quiet', '-b', 'work', other])
  const consult = (folder: string) => {
    const plan = openPlan({ root: folder, actor: 'tester' })
    const answer = plan.consult('T-1')
    const [queued] = plan.queue().queue
    plan.close()
    return { ...answer, queued }
  }
  return {
    root,
    other,
    consult,
    [Symbol.dispose]() {
      rmSync(other, { recursive: true, force: true })
      repository[Symbol.dispose]()
    },
  }
}

describe('a Ticket that another worktree of the clone has with a later state', () => {
  test.each(['done', 'in_progress', 'wontfix'])('is held here while it is %s there, and there it is not', state => {
    using clone = twoWorktrees()
    putTicket(clone.other, 'T-1', { state, state_at: LATE })
    const { verdict, reasons, queued } = clone.consult(clone.root)
    expect({ verdict, reasons }).toMatchObject({
      verdict: 'hold',
      reasons: [{ code: 'elsewhere', worktree: clone.other, state, state_at: LATE }],
    })
    expect(queued).toMatchObject({ verdict: 'hold', reasons: [{ code: 'elsewhere' }] })
    expect(clone.consult(clone.other).reasons.map(({ code }) => code)).toEqual(['not_queued'])
  })

  test('is held in the linked worktree too, by the main one', () => {
    using clone = twoWorktrees()
    putTicket(clone.root, 'T-1', { state: 'done', state_at: LATE })
    expect(clone.consult(clone.other).reasons).toMatchObject([{ code: 'elsewhere', worktree: clone.root }])
  })

  test.each([
    ['an earlier state', { state: 'in_progress', state_at: '2026-06-08T09:00:00.000Z' }],
    ['a later time of the same phase', { state: 'queued', state_at: LATE }],
    ['an undated open state', { state: 'open' }],
  ])('is not held by %s', (_, fields) => {
    using clone = twoWorktrees()
    putTicket(clone.other, 'T-1', fields)
    expect(clone.consult(clone.root)).toMatchObject({ verdict: 'accept', queued: { verdict: 'accept' } })
  })

  test('is not held by a worktree whose folder is gone, or whose file cannot be read', () => {
    using clone = twoWorktrees()
    writeFileSync(join(clone.other, 'tickets', 'T-1.json'), '{')
    expect(clone.consult(clone.root).verdict).toBe('accept')
    rmSync(clone.other, { recursive: true })
    expect(clone.consult(clone.root).verdict).toBe('accept')
    mkdirSync(clone.other)
    expect(clone.consult(clone.root).verdict).toBe('accept')
  })
})
