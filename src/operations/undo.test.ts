import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { readTicketJson, runGit } from '../test-support/temporary-repository.ts'
import { inEffect, stored, withUndoPlace } from '../test-support/undo-place.ts'

describe('undo of what is not committed', () => {
  test('restores the bytes of a file that was recorded in, by hand-edited bytes too', () =>
    withUndoPlace(({ plan, root, bytes }) => {
      writeFileSync(join(root, 'tickets/B.json'), `${bytes('B').replace('"format": 1', '"format":   1')}\n\n`)
      const before = bytes('B')
      const { decision } = plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A', reason: 'schema' })
      expect(bytes('B')).not.toBe(before)
      expect(plan.undo()).toMatchObject({
        undone: true,
        change: { operation: 'record', by: 'tester', at: decision.at },
        files: [{ ticket: 'B', how: 'restored', decisions: [{ id: decision.id }], retractions: [] }],
        warnings: [],
      })
      expect(bytes('B')).toBe(before)
      expect(plan.consult('B').verdict).toBe('accept')
    }))

  test('restores each file of a batch, of record with several others and of recordAll', () =>
    withUndoPlace(({ plan, bytes }) => {
      const before = ['A', 'B', 'C'].map(bytes)
      plan.recordAll({
        decisions: ['A', 'B', 'C', 'A'].map(ticket => ({ ticket, kind: 'note' as const, reason: 'batch' })),
      })
      plan.record({ ticket: 'C', kind: 'blocks', other: ['A', 'B'] })
      expect(plan.undo().files.map(({ ticket, decisions }) => [ticket, decisions.length])).toEqual([
        ['A', 1],
        ['B', 1],
      ])
      expect(plan.undo().files.map(({ ticket, decisions }) => [ticket, decisions.length])).toEqual([
        ['A', 2],
        ['B', 1],
        ['C', 1],
      ])
      expect(['A', 'B', 'C'].map(bytes)).toEqual(before)
      expect(planErrorOf(() => plan.undo())).toMatchObject({ code: 'nothing_to_undo', data: { by: 'tester' } })
    }))

  test('makes a retracted and a replaced decision active again, and says so', () =>
    withUndoPlace(({ plan }) => {
      const first = plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A', reason: 'one' }).decision.id
      const second = plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A', reason: 'two' }).decision.id
      plan.retract(second)
      expect(plan.undo()).toMatchObject({
        change: { operation: 'retract' },
        files: [{ active_again: [{ id: second }] }],
      })
      expect(plan.undo()).toMatchObject({ change: { operation: 'record' }, files: [{ active_again: [{ id: first }] }] })
      expect(plan.relations({ ticket: 'B' }).relations.map(({ decision }) => decision)).toEqual([first])
    }))

  test('sets fields back, and removes an added Ticket', () =>
    withUndoPlace(({ plan, root, bytes }) => {
      const before = bytes('B')
      plan.add({ id: 'D', title: 'Mistake' })
      plan.set({ ticket: 'B', state: 'done' })
      expect(plan.undo().files).toMatchObject([
        {
          how: 'restored',
          fields: [
            { field: 'state', from: 'done', to: 'queued' },
            { field: 'state_at', to: null },
          ],
        },
      ])
      expect(bytes('B')).toBe(before)
      expect(plan.undo().files).toMatchObject([{ ticket: 'D', how: 'removed' }])
      expect(existsSync(join(root, 'tickets/D.json'))).toBe(false)
      expect(planErrorOf(() => plan.show('D')).code).toBe('unknown_ticket')
    }))

  test('works outside of git', () =>
    withUndoPlace(({ plan, bytes }) => {
      const before = bytes('A')
      plan.record({ ticket: 'A', kind: 'note', reason: 'n' })
      expect(plan.undo().files[0]!.how).toBe('restored')
      expect(bytes('A')).toBe(before)
    }, false))

  test('leaves git alone, and says where its index still has the change', () =>
    withUndoPlace(({ plan, root }) => {
      plan.add({ id: 'D', title: 'Mistake' })
      runGit(root, 'add', 'tickets')
      expect(plan.undo().warnings).toEqual([
        `git's index still has the change; "git add tickets/D.json" takes it out of there`,
      ])
      expect(runGit(root, 'status', '--short')).toBe('AD tickets/D.json\n')
      runGit(root, 'add', 'tickets/D.json')
      expect(runGit(root, 'status', '--short')).toBe('')
    }))

  test('--dry-run says the same and changes nothing', () =>
    withUndoPlace(({ plan, bytes }) => {
      plan.record({ ticket: 'A', kind: 'hold', reason: 'ask' })
      const held = bytes('A')
      const dry = plan.undo({ dryRun: true })
      expect(bytes('A')).toBe(held)
      expect({ ...plan.undo(), dryRun: true }).toEqual(dry)
      expect(bytes('A')).not.toBe(held)
    }))
})

describe('undo of what is committed, or was changed since', () => {
  test('adds a retraction to a committed decision and loses nothing', () =>
    withUndoPlace(({ plan, root, commit }) => {
      const { decision } = plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
      commit()
      expect(plan.undo().files).toMatchObject([
        { how: 'retracted', decisions: [{ id: decision.id }], retractions: [{ retracts: decision.id, by: 'tester' }] },
      ])
      expect(stored(root, 'B')).toHaveLength(2)
      expect(inEffect(stored(root, 'B'))).toEqual([])
      commit()
      expect(plan.verify({ since: 'HEAD~2' })).toMatchObject({ ok: true })
    }))

  test('sets committed fields back with a later state_at, so that a merge keeps it', () =>
    withUndoPlace(({ plan, root, commit }) => {
      plan.set({ ticket: 'B', state: 'in_progress', queuedBy: 'ann' })
      const { state_at } = readTicketJson(root, 'tickets/B.json')
      commit()
      expect(plan.undo().files).toMatchObject([{ how: 'set_back' }])
      const now = readTicketJson(root, 'tickets/B.json')
      expect(now).toMatchObject({ state: 'queued', queued_at: '2026-06-08T10:00:00.000Z' })
      expect(now.queued_by).toBe(undefined)
      expect(now.state_at! > state_at!).toBe(true)
    }))

  test('keeps what another author has added to the file, and that author undoes only their own', () =>
    withUndoPlace(({ plan, other, root }) => {
      const mine = plan.record({ ticket: 'B', kind: 'note', reason: 'mine' }).decision.id
      const theirs = other.record({ ticket: 'B', kind: 'note', reason: 'theirs' }).decision.id
      expect(plan.undo().files).toMatchObject([{ how: 'retracted', decisions: [{ id: mine }] }])
      expect(inEffect(stored(root, 'B'))).toEqual([theirs])
      expect(planErrorOf(() => plan.undo()).code).toBe('nothing_to_undo')
      expect(other.undo().files).toMatchObject([{ decisions: [{ id: theirs }] }])
      expect(inEffect(stored(root, 'B'))).toEqual([])
    }))

  test('keeps a field that another author has changed since', () =>
    withUndoPlace(({ plan, other, root }) => {
      plan.set({ ticket: 'B', title: 'mine', slug: 'mine' })
      other.set({ ticket: 'B', title: 'theirs' })
      expect(plan.undo()).toMatchObject({
        files: [{ how: 'set_back', fields: [{ field: 'slug', from: 'mine', to: null }] }],
        warnings: ['B: title was changed since'],
      })
      expect(readTicketJson(root, 'tickets/B.json').title).toBe('theirs')
    }))

  test('treats the files of a batch one by one', () =>
    withUndoPlace(({ plan, root, bytes }) => {
      const before = bytes('A')
      plan.record({ ticket: 'C', kind: 'blocks', other: ['A', 'B'] })
      runGit(root, 'commit', '--quiet', '--message=B', 'tickets/B.json')
      expect(plan.undo().files.map(({ ticket, how }) => [ticket, how])).toEqual([
        ['A', 'restored'],
        ['B', 'retracted'],
      ])
      expect(bytes('A')).toBe(before)
    }))

  test('where nothing is left, says so, changes nothing, and goes on with the next undo', () =>
    withUndoPlace(({ plan, root, bytes }) => {
      plan.record({ ticket: 'A', kind: 'note', reason: 'earlier' })
      plan.record({ ticket: 'B', kind: 'note', reason: 'later' })
      runGit(root, 'checkout', '--quiet', '--', 'tickets/B.json')
      const before = ['A', 'B'].map(bytes)
      expect(plan.undo()).toMatchObject({ undone: false, files: [{ ticket: 'B', how: 'nothing' }] })
      expect(['A', 'B'].map(bytes)).toEqual(before)
      expect(plan.undo()).toMatchObject({ undone: true, files: [{ ticket: 'A' }] })
    }))

  test('a decision that is retracted already is named', () =>
    withUndoPlace(({ plan, other }) => {
      const { decision } = plan.record({ ticket: 'A', kind: 'note', reason: 'n' })
      const by = other.retract(decision.id).decision.id
      expect(plan.undo()).toMatchObject({
        undone: false,
        warnings: [`A: ${decision.id} is retracted already, by ${by}`],
      })
    }))
})
