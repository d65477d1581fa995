import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPlanError, openPlan, type Plan } from '../index.ts'
import { putTicket, readTicketJson, runGit, temporaryRepository } from '../test-support/temporary-repository.ts'

const textOf = (root: string, id: string) => readFileSync(join(root, 'tickets', `${id}.json`), 'utf8')
const commit = (root: string) => {
  runGit(root, 'add', '.')
  runGit(root, 'commit', '--quiet', '--allow-empty', '--message=x')
}

/** Runs a test in a repository with three committed Tickets. */
function withPlan(work: (plan: Plan, root: string) => void): void {
  using repository = temporaryRepository()
  const { root } = repository
  for (const id of ['A', 'B', 'C']) putTicket(root, id, { state: 'queued' })
  commit(root)
  using plan = openPlan({ root, actor: 'anna' })
  work(plan, root)
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (isPlanError(error)) return error.code
    throw error
  }
  return 'none'
}

describe('a change that is not committed', () => {
  test.each<[string, (plan: Plan) => void]>([
    ['record', plan => plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A', reason: 'x' })],
    ['record', plan => plan.record({ ticket: 'B', kind: 'blocked_by', other: ['A', 'C'] })],
    [
      'record',
      plan => plan.recordAll({ decisions: ['A', 'B'].map(ticket => ({ ticket, kind: 'note', reason: 'x' })) }),
    ],
    ['set', plan => plan.set({ ticket: ['A', 'B'], state: 'done' })],
    ['set', plan => plan.set({ ticket: 'A', title: 'other', slug: 's', queuedBy: 'me', requeue: true })],
    ['retract', plan => plan.retract({ decision: plan.show('C').decisions[0]!.id })],
  ])('%s: the files have their earlier bytes again, and the index knows it', (command, change) => {
    withPlan((plan, root) => {
      plan.record({ ticket: 'C', kind: 'note', reason: 'first' })
      commit(root)
      const before = ['A', 'B', 'C'].map(id => textOf(root, id))
      const shown = ['A', 'B', 'C'].map(id => plan.show(id))
      change(plan)
      expect(['A', 'B', 'C'].map(id => textOf(root, id))).not.toEqual(before)
      expect(plan.undo({ dryRun: true })).toMatchObject({ undone: false, change: { command, by: 'anna' } })
      const { undone, files } = plan.undo({})
      expect(undone).toBe(true)
      expect(new Set(files.map(({ how }) => how))).toEqual(new Set(['restored']))
      expect(['A', 'B', 'C'].map(id => textOf(root, id))).toEqual(before)
      expect(['A', 'B', 'C'].map(id => plan.show(id))).toEqual(shown)
      expect(plan.verify({}).ok).toBe(true)
      expect(runGit(root, 'status', '--porcelain')).toBe('')
    })
  })

  test('add: the file is gone again, unless somebody has a claim on it', () => {
    withPlan((plan, root) => {
      plan.add({ id: 'NEW', title: 'n', state: 'queued' })
      const { claim } = plan.claim({ ticket: 'NEW', holder: 'pod-1' })
      expect(codeOf(() => plan.undo({}))).toBe('not_undone')
      plan.release({ ticket: 'NEW', token: claim!.token })
      expect(plan.undo({}).files).toMatchObject([{ path: 'tickets/NEW.json', how: 'removed' }])
      expect(runGit(root, 'status', '--porcelain')).toBe('')
      expect(codeOf(() => plan.show('NEW'))).toBe('unknown_ticket')
    })
  })

  test('undo after undo goes one change further back, and ends with an error', () => {
    withPlan((plan, root) => {
      const before = textOf(root, 'A')
      plan.record({ ticket: 'A', kind: 'note', reason: '1' })
      const one = textOf(root, 'A')
      plan.record({ ticket: 'A', kind: 'note', reason: '2' })
      plan.undo({})
      expect(textOf(root, 'A')).toBe(one)
      plan.undo({})
      expect(textOf(root, 'A')).toBe(before)
      expect(codeOf(() => plan.undo({}))).toBe('nothing_to_undo')
    })
  })
})

describe('a change that is committed, or in a file that was changed since', () => {
  test('what was recorded is retracted, and what was retracted is active again', () => {
    withPlan((plan, root) => {
      const { decision } = plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
      commit(root)
      expect(plan.undo({}).files).toMatchObject([{ how: 'retracted', decisions: [decision.id] }])
      expect(plan.consult('B').verdict).toBe('accept')
      expect(readTicketJson(root, 'tickets/B.json').decisions).toHaveLength(2)

      const again = plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
      const retraction = plan.retract({ decision: again.decision.id })
      commit(root)
      expect(plan.undo({})).toMatchObject({
        change: { command: 'retract' },
        files: [{ decisions: [retraction.decision.id] }],
      })
      expect(plan.consult('B').verdict).toBe('hold')
    })
  })

  test('fields have their earlier values, with a new time of the state', () => {
    withPlan((plan, root) => {
      const before = readTicketJson(root, 'tickets/A.json')
      plan.set({ ticket: 'A', state: 'done', title: 'other' })
      commit(root)
      const set = readTicketJson(root, 'tickets/A.json')
      expect(plan.undo({}).files).toMatchObject([{ how: 'retracted', fields: ['title', 'state'] }])
      const after = readTicketJson(root, 'tickets/A.json')
      expect(after).toMatchObject({ title: before.title, state: before.state })
      expect(after.state_at! >= set.state_at!).toBe(true)
    })
  })

  test("another author's later decision in the same file stays", () => {
    withPlan((plan, root) => {
      const mine = plan.record({ ticket: 'A', kind: 'note', reason: 'mine' })
      using other = openPlan({ root, actor: 'bert' })
      const theirs = other.record({ ticket: 'A', kind: 'note', reason: 'theirs' })
      expect(plan.undo({}).files).toMatchObject([{ how: 'retracted', decisions: [mine.decision.id] }])
      const status = new Map(plan.show('A').decisions.map(({ id, status }) => [id, status]))
      expect([status.get(mine.decision.id), status.get(theirs.decision.id)]).toEqual(['retracted', 'active'])
      expect(codeOf(() => plan.undo({}))).toBe('nothing_to_undo')
      expect(other.undo({}).files).toMatchObject([{ decisions: [theirs.decision.id] }])
    })
  })

  test('a field that was set again, and a committed add, are refused, and nothing is written', () => {
    withPlan((plan, root) => {
      plan.set({ ticket: 'A', state: 'done' })
      using other = openPlan({ root, actor: 'bert' })
      other.set({ ticket: 'A', state: 'open' })
      const text = textOf(root, 'A')
      expect(codeOf(() => plan.undo({}))).toBe('not_undone')
      expect(textOf(root, 'A')).toBe(text)
      other.add({ id: 'NEW', title: 'n' })
      commit(root)
      expect(codeOf(() => other.undo({}))).toBe('not_undone')
    })
  })
})

test('a worktree has its own changes', () => {
  withPlan((plan, root) => {
    using beside = temporaryRepository()
    const path = join(beside.root, 'w')
    runGit(root, 'worktree', 'add', '--quiet', '--detach', path)
    using second = openPlan({ root: path, actor: 'anna' })
    plan.record({ ticket: 'A', kind: 'note', reason: 'x' })
    expect(codeOf(() => second.undo({}))).toBe('nothing_to_undo')
  })
})

test('notes that are torn, foreign or gone are no error; a note whose write never happened is passed over', () => {
  withPlan((plan, root) => {
    const notes = join(root, '.git', 'ticketplan', 'changes.jsonl')
    plan.record({ ticket: 'A', kind: 'note', reason: 'x' })
    const text = readFileSync(notes, 'utf8')
    const line = JSON.parse(text)
    const lost = {
      ...line,
      id: 'lost',
      path: 'tickets/B.json',
      before: textOf(root, 'B'),
      after: textOf(root, 'B').replace('"queued"', '"done"'),
    }
    writeFileSync(notes, `${text}7\n{"id":1}\n${JSON.stringify(lost)}\n${text.slice(0, 90)}`)
    expect(plan.undo({}).files).toMatchObject([{ path: 'tickets/A.json', how: 'restored' }])
    rmSync(notes)
    expect(codeOf(() => plan.undo({}))).toBe('nothing_to_undo')
  })
})

test('any changes, undone one by one, give the first bytes back; committed in between, the first decisions and states', () => {
  const change = fc.record({
    ticket: fc.constantFrom('A', 'B', 'C'),
    what: fc.constantFrom('note', 'block', 'state', 'retract'),
  })
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.boolean(), (changes, commits) => {
      withPlan((plan, root) => {
        const ids = ['A', 'B', 'C']
        const active = () =>
          ids.map(id => [
            plan.show(id).ticket.state,
            plan
              .show(id)
              .decisions.filter(({ kind, status }) => status === 'active' && kind !== 'retraction')
              .map(({ id }) => id),
          ])
        const first = { texts: ids.map(id => textOf(root, id)), active: active() }
        let made = 0
        for (const [n, { ticket, what }] of changes.entries()) {
          const before = ids.map(id => textOf(root, id)).join()
          if (what === 'note') plan.record({ ticket, kind: 'note', reason: `${n}` })
          if (what === 'block')
            plan.record({ ticket, kind: 'blocked_by', other: 'LATER', future: true, reason: `${n}` })
          if (what === 'state') plan.set({ ticket, state: n % 2 ? 'done' : 'in_progress' })
          const own = plan
            .show(ticket)
            .decisions.find(({ kind, status }) => status === 'active' && kind !== 'retraction')
          if (what === 'retract' && own) plan.retract({ decision: own.id })
          if (ids.map(id => textOf(root, id)).join() !== before) made++
          if (commits) commit(root)
        }
        for (; made > 0; made--) plan.undo({})
        if (!commits) expect(ids.map(id => textOf(root, id))).toEqual(first.texts)
        expect(active()).toEqual(first.active)
        expect(codeOf(() => plan.undo({}))).toBe('nothing_to_undo')
        expect(plan.verify({}).ok).toBe(true)
      })
    }),
    { numRuns: 25 },
  )
})

test('notes are not written through a link, and a change without them is made all the same', () => {
  withPlan((plan, root) => {
    const notes = join(root, '.git', 'ticketplan', 'changes.jsonl')
    plan.queue()
    writeFileSync(join(root, 'elsewhere'), 'kept')
    symlinkSync(join(root, 'elsewhere'), notes)
    expect(plan.record({ ticket: 'A', kind: 'note', reason: 'x' }).created).toBe(true)
    expect(readFileSync(join(root, 'elsewhere'), 'utf8')).toBe('kept')
  })
})
