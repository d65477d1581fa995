import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { appendToNote, beginNote, findLastNote, removeNote } from '../files/change-notes.ts'
import { SLACK } from '../files/note-list.ts'
import { openPlan } from '../sdk.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { runGit, temporaryFolder } from '../test-support/temporary-repository.ts'
import { withUndoPlace } from '../test-support/undo-place.ts'

describe('the notes of changes', () => {
  test('belong to one worktree, survive a rebuild, and are not in git', () =>
    withUndoPlace(({ plan, root, clock }) => {
      plan.record({ ticket: 'A', kind: 'note', reason: 'n' })
      using folder = temporaryFolder()
      const linked = join(folder.path, 'linked')
      runGit(root, 'worktree', 'add', '--quiet', linked)
      using inLinked = checkedPlan(linked, clock)
      expect(planErrorOf(() => inLinked.undo()).code).toBe('nothing_to_undo')
      plan.rebuild()
      expect(runGit(root, 'status', '--short')).toBe(' M tickets/A.json\n')
      expect(plan.undo().undone).toBe(true)
      expect(runGit(root, 'status', '--short')).toBe('')
    }))

  test('are not written for a change that says nothing new, nor by an undo', () =>
    withUndoPlace(({ plan }) => {
      plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
      plan.record({ ticket: 'B', kind: 'blocked_by', other: 'A' })
      plan.set({ ticket: 'B', state: 'queued' })
      expect(plan.undo()).toMatchObject({ undone: true, change: { operation: 'record' } })
      expect(planErrorOf(() => plan.undo()).code).toBe('nothing_to_undo')
    }))

  test('are read where the writer died: within a line, before a write, or before it began', () =>
    withUndoPlace(({ plan, repository, bytes }) => {
      plan.record({ ticket: 'A', kind: 'note', reason: 'n' })
      const folder = join(repository.databaseDir, 'undo')
      const [name] = readdirSync(folder)
      const unmade = { path: 'tickets/B.json', before: bytes('B'), after: bytes('B').replace('B', 'b') }
      const cutOff = '{"path":"tickets/C.json","bef'
      appendFileSync(
        join(folder, name!),
        `${JSON.stringify({ ...unmade, after: bytes('A').replaceAll('"A"', '"B"') })}\n${cutOff}`,
      )
      writeFileSync(join(folder, '000000000002.jsonl'), '{"operation":"rec')
      const result = plan.undo()
      expect(result.files.map(({ ticket, how }) => [ticket, how])).toEqual([
        ['A', 'restored'],
        ['B', 'nothing'],
      ])
    }))

  test('do not lead out of the tickets folder', () =>
    withUndoPlace(({ plan, root, repository, bytes }) => {
      plan.record({ ticket: 'A', kind: 'note', reason: 'n' })
      const path = join(repository.databaseDir, 'undo', '000000000001.jsonl')
      writeFileSync(join(root, 'A.json'), bytes('A'))
      writeFileSync(path, readFileSync(path, 'utf8').replace('tickets/A.json', 'tickets/../A.json'))
      expect(planErrorOf(() => plan.undo())).toMatchObject({
        code: 'undo_refused',
        message: expect.stringContaining('"ticketplan undo --skip"'),
      })
    }))

  test('that cannot be written never fail the write', () =>
    withUndoPlace(({ root, repository, bytes }) => {
      const notices: string[] = []
      using plan = openPlan({ root, actor: 'tester', onNotice: message => notices.push(message) })
      plan.sync()
      writeFileSync(join(repository.databaseDir, 'undo'), 'not a folder')
      expect(plan.record({ ticket: 'A', kind: 'note', reason: 'n' }).created).toBe(true)
      expect(bytes('A')).toContain('"n"')
      expect(notices).toEqual([expect.stringMatching(/^"undo" will not know this change of tickets\/A\.json/)])
    }))

  test('join the writes of one change to a file, but for one that another program came before', () => {
    using folder = temporaryFolder()
    const notes = join(folder.path, 'notes')
    const writesOf = (...writes: [before: string, after: string][]) => {
      const [first, ...others] = writes.map(([before, after]) => ({ path: 'tickets/A.json', before, after }))
      const path = beginNote(notes, { operation: 'retract', by: 'x', at: '' }, [first!])
      appendToNote(path, others)
      return findLastNote(notes, 'x')!.files
    }
    expect(writesOf(['1', '2'], ['2', '3'])).toEqual([{ path: 'tickets/A.json', before: '1', after: '3' }])
    expect(writesOf(['1', '2'], ['other', '3'])).toEqual([{ path: 'tickets/A.json', before: 'other', after: '3' }])
  })

  test('of the oldest changes go where they are too large together, but for the last one', () => {
    using folder = temporaryFolder()
    const notes = join(folder.path, 'notes')
    const after = 'x'.repeat(12 * 1024 * 1024)
    for (let n = 0; n < 5; n++)
      beginNote(notes, { operation: 'add', by: 'x', at: `${n}` }, [{ path: 'x', before: null, after }])
    expect(readdirSync(notes)).toHaveLength(2)
    beginNote(notes, { operation: 'add', by: 'x', at: '5' }, [{ path: 'x', before: after, after: after + after }])
    expect(readdirSync(notes)).toHaveLength(1)
    expect(findLastNote(notes, 'x')).toMatchObject({ at: '5' })
  })

  test('get a number of their own, also where another process has noted or forgotten changes meanwhile', () => {
    using folder = temporaryFolder()
    const notes = join(folder.path, 'notes')
    const note = (at: string) =>
      beginNote(notes, { operation: 'add', by: 'x', at }, [{ path: 'x', before: null, after: '' }])
    note('1')
    // As another process does it, within the same tick of the clock.
    writeFileSync(join(notes, '000000000002.jsonl'), readFileSync(note('2')).toString().replace('2', 'theirs'))
    writeFileSync(join(notes, '000000000003.jsonl'), '{"operation":"add","by":"y","at":"3"}\n{"path":"x"}\n')
    expect(note('4')).toBe(join(notes, '000000000004.jsonl'))
    expect(findLastNote(notes, 'y')).toMatchObject({ at: '3' })
    removeNote(notes, 4)
    note('5')
    expect(findLastNote(notes, 'x')).toMatchObject({ at: '5' })
    rmSync(notes, { recursive: true })
    expect(note('6')).toBe(join(notes, '000000000001.jsonl'))
  })

  test('of the oldest changes go', () => {
    using folder = temporaryFolder()
    const notes = join(folder.path, 'notes')
    for (let n = 0; n < 200 + SLACK; n++)
      beginNote(notes, { operation: 'add', by: `${n % 2}`, at: `${n}` }, [{ path: 'x', before: null, after: '' }])
    expect(readdirSync(notes)).toHaveLength(200 + SLACK)
    beginNote(notes, { operation: 'add', by: '0', at: 'last' }, [{ path: 'x', before: null, after: '' }])
    expect(readdirSync(notes)).toHaveLength(200)
    expect(findLastNote(notes, '0')).toMatchObject({ at: 'last' })
    expect(findLastNote(notes, '1')).toMatchObject({ at: `${199 + SLACK}` })
    expect(findLastNote(notes, '2')).toBe(undefined)
  })
})
