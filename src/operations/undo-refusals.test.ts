import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { holdGuard } from '../store/hold-guard.ts'
import { openStore } from '../store/store.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { type UndoPlace, withUndoPlace } from '../test-support/undo-place.ts'
import { undo } from './undo.ts'

describe('undo is refused', () => {
  const expectRefused = ({ plan, bytes }: UndoPlace, id: string, message: RegExp) => {
    const before = bytes(id)
    const error = planErrorOf(() => plan.undo())
    expect({ code: error.code, message: error.message }).toEqual({
      code: 'undo_refused',
      message: expect.stringMatching(message),
    })
    expect(bytes(id)).toBe(before)
  }

  test('where a claim was taken since, and goes through once it is released', () =>
    withUndoPlace(place => {
      const { plan } = place
      plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
      plan.retract({ decision: 'B', kind: 'blocked_by', other: 'A' })
      const { claim } = plan.accept({ ticket: 'B', holder: 'w1' })
      expectRefused(
        place,
        'B',
        /^B has a live claim by w1, taken at .*, after this change, so it may rest on it.*ticketplan claims.*ticketplan retract 01/,
      )
      plan.release({ ticket: 'B', token: claim!.token })
      expect(plan.undo()).toMatchObject({ undone: true, files: [{ how: 'retracted' }] })
      expect(plan.consult('B').verdict).toBe('hold')
    }))

  test('of a conflict, also where the other Ticket was claimed since', () =>
    withUndoPlace(place => {
      place.plan.record({ ticket: 'A', kind: 'conflicts_with', other: 'B' })
      place.plan.accept({ ticket: 'B', holder: 'w1' })
      expectRefused(place, 'A', /^B has a live claim/)
    }))

  test('of a state under an older claim; a decision made after the claim is taken back', () =>
    withUndoPlace(place => {
      const { plan } = place
      plan.accept({ ticket: 'B', holder: 'w1' })
      plan.record({ ticket: 'B', kind: 'hold', reason: 'wrong Ticket' })
      expect(plan.undo().undone).toBe(true)
      plan.set({ ticket: 'B', state: 'in_progress' })
      expectRefused(
        place,
        'B',
        /^B has a live claim by w1, and the state of a claimed Ticket is not set back;.*ticketplan set/,
      )
    }))

  test('of an added Ticket that is committed, changed since, or named by others; --skip goes on', () =>
    withUndoPlace(place => {
      const { plan, other, commit } = place
      plan.record({ ticket: 'A', kind: 'note', reason: 'earlier' })
      plan.add({ id: 'D', title: 'New' })
      const relation = other.record({ ticket: 'A', kind: 'blocked_by', other: 'D' }).decision.id
      expectRefused(place, 'D', new RegExp(`^A names D in decision ${relation}.*ticketplan retract ${relation}`))
      other.retract(relation)
      other.set({ ticket: 'D', state: 'queued' })
      expectRefused(place, 'D', /changed since it was added.*--state cancelled.*--skip/)
      other.undo()
      commit()
      expectRefused(place, 'D', /is committed/)
      expect(plan.undo({ skip: true })).toMatchObject({
        undone: false,
        skipped: true,
        change: { operation: 'add', tickets: ['D'] },
      })
      expect(plan.undo()).toMatchObject({ undone: true, files: [{ ticket: 'A' }] })
    }))

  test('of a slug that another Ticket has taken since', () =>
    withUndoPlace(({ plan, other }) => {
      plan.set({ ticket: 'A', slug: 'menu' })
      plan.set({ ticket: 'A', slug: 'other-menu' })
      other.set({ ticket: 'B', slug: 'menu' })
      expect(planErrorOf(() => plan.undo()).code).toBe('slug_taken')
    }))

  test('by a guard of holds, also where bytes would be restored', () =>
    withUndoPlace(({ plan, root, bytes }) => {
      plan.record({ ticket: 'A', kind: 'hold', reason: 'ask the author' })
      const held = bytes('A')
      const store = openStore({ root, actor: 'tester' }, { holdGuard: holdGuard() })
      try {
        const error = planErrorOf(() => undo.run(store, { dryRun: false, skip: false }))
        expect(error.code).toBe('hold_protected')
        expect(bytes('A')).toBe(held)
      } finally {
        store.close()
      }
    }))

  test('in the middle of a batch, with the files that were taken back before; the next one does the others', () =>
    withUndoPlace(({ plan, root, bytes }) => {
      const before = ['A', 'B'].map(bytes)
      plan.recordAll({
        decisions: [
          { ticket: 'A', kind: 'note', reason: 'n' },
          { ticket: 'B', kind: 'hold', reason: 'ask' },
        ],
      })
      const store = openStore({ root, actor: 'tester' }, { holdGuard: holdGuard() })
      try {
        const error = planErrorOf(() => undo.run(store, { dryRun: false, skip: false }))
        expect(error).toMatchObject({ code: 'hold_protected', data: { written: ['tickets/A.json'] } })
        expect(error.message).toMatch(/1 file of 2 were taken back before that: tickets\/A.json; run the command again/)
      } finally {
        store.close()
      }
      expect(bytes('A')).toBe(before[0])
      expect(plan.undo().files.map(({ ticket, how }) => [ticket, how])).toEqual([
        ['A', 'nothing'],
        ['B', 'restored'],
      ])
      expect(['A', 'B'].map(bytes)).toEqual(before)
    }))

  test('where a file is in conflict', () =>
    withUndoPlace(({ plan, root, bytes }) => {
      plan.record({ ticket: 'A', kind: 'note', reason: 'n' })
      writeFileSync(join(root, 'tickets/A.json'), `<<<<<<< ours\n${bytes('A')}`)
      expect(planErrorOf(() => plan.undo()).code).toBe('invalid_file')
    }))
})
