import { execFileSync } from 'node:child_process'
import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { appendToNote, beginNote, findLastNote, forgetNote, type NotedFile } from '../files/change-notes.ts'
import { openPlan } from '../sdk.ts'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { cleanEnvironment } from '../test-support/run-cli.ts'
import { runGit, type TemporaryRepository, temporaryFolder } from '../test-support/temporary-repository.ts'
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

  test('are read where the writer died: within a line, or before a write', () =>
    withUndoPlace(({ plan, repository, bytes }) => {
      plan.record({ ticket: 'A', kind: 'note', reason: 'n' })
      const [noteFile] = noteFiles(repository)
      const line = JSON.parse(readFileSync(noteFile!, 'utf8'))
      const unmade = { path: 'tickets/B.json', before: bytes('B'), after: bytes('A').replaceAll('"A"', '"B"') }
      appendFileSync(noteFile!, `${JSON.stringify({ ...line, files: [unmade] })}\n{"change":"1:0","by":"tes`)
      const result = plan.undo()
      expect(result.files.map(({ ticket, how }) => [ticket, how])).toEqual([
        ['A', 'restored'],
        ['B', 'nothing'],
      ])
    }))

  test.each([
    '',
    '{"change":"1:0","by":"tes',
    '5\n',
    'null\n{}\n',
    '{"change":"1:0","files":null}\n',
    '\0\xff',
  ])('begin after what %j left in the file', left =>
    withUndoPlace(({ plan, repository, root }) => {
      plan.record({ ticket: 'A', kind: 'note', reason: 'first' })
      appendFileSync(noteFiles(repository)[0]!, left)
      plan.record({ ticket: 'B', kind: 'note', reason: 'second' })
      expect(plan.undo().change.tickets).toEqual(['B'])
      expect(plan.undo().change.tickets).toEqual(['A'])
      expect(runGit(root, 'status', '--short')).toBe('')
      expect(planErrorOf(() => plan.undo()).code).toBe('nothing_to_undo')
    }))

  test('do not lead out of the tickets folder', () =>
    withUndoPlace(({ plan, root, repository, bytes }) => {
      plan.record({ ticket: 'A', kind: 'note', reason: 'n' })
      const path = noteFiles(repository)[0]!
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

  test.each(['the folder', 'the file'])('are not written through a link: %s', what =>
    withUndoPlace(({ root, repository, plan }) => {
      using foreign = temporaryFolder()
      plan.record({ ticket: 'A', kind: 'note', reason: 'first' })
      const folder = join(repository.databaseDir, 'undo')
      const own = noteFiles(repository)[0]!
      const target = join(foreign.path, 'foreign')
      renameSync(what === 'the file' ? own : folder, target)
      symlinkSync(target, what === 'the file' ? own : folder)
      const foreignBytes = () => readFileSync(what === 'the file' ? target : join(target, basename(own)), 'utf8')
      const before = foreignBytes()
      const notices: string[] = []
      using fresh = openPlan({ root, actor: 'tester', onNotice: message => notices.push(message) })
      expect(fresh.record({ ticket: 'A', kind: 'note', reason: 'second' }).created).toBe(true)
      expect(foreignBytes()).toBe(before)
      expect(notices).toEqual([expect.stringMatching(/^"undo" will not know this change of tickets\/A\.json/)])
    }))

  test.each(['the folder', 'the file'])('are not read through a link: %s', what =>
    withUndoPlace(({ repository, plan }) => {
      plan.record({ ticket: 'A', kind: 'note', reason: 'first' })
      const [file] = noteFiles(repository)
      const path = what === 'the file' ? file! : dirname(file!)
      renameSync(path, `${path}.moved`)
      symlinkSync(`${path}.moved`, path)
      expect(planErrorOf(() => plan.undo()).code).toBe('unsafe_path')
    }))

  test('join the writes of one change to a file, but for one that another program came before', () => {
    using folder = temporaryFolder()
    const writesOf = (...writes: [before: string, after: string][]) => {
      const [first, ...others] = writes.map(([before, after]) => ({ path: 'tickets/A.json', before, after }))
      const note = beginNote(folder.path, { operation: 'retract', by: 'x', at: '' }, [first!])
      appendToNote(folder.path, note, others)
      return findLastNote(folder.path, 'x')!.files
    }
    expect(writesOf(['1', '2'], ['2', '3'])).toEqual([{ path: 'tickets/A.json', before: '1', after: '3' }])
    expect(writesOf(['1', '2'], ['other', '3'])).toEqual([{ path: 'tickets/A.json', before: 'other', after: '3' }])
  })

  test('of a change stay together, and the next change begins a new file where they have filled one', () => {
    using notes = temporaryNotes()
    const note = notes.add('x', 'a', MEGABYTE)
    appendToNote(notes.path, note, [writeOf('b', 1)])
    expect(readdirSync(notes.path)).toHaveLength(1)
    notes.add('y', 'c', 1)
    expect(readdirSync(notes.path)).toHaveLength(2)
    expect(findLastNote(notes.path, 'x')!.files.map(({ path }) => path)).toEqual(['a', 'b'])
  })

  test('of the oldest changes go where they are too large together, but for the last one', () => {
    using notes = temporaryNotes()
    for (let n = 0; n < 5; n++) notes.add('x', `${n}`, 12 * MEGABYTE)
    expect(readdirSync(notes.path)).toHaveLength(2)
    notes.add('x', 'last', 40 * MEGABYTE)
    expect(readdirSync(notes.path)).toHaveLength(1)
    expect(findLastNote(notes.path, 'x')!.files).toMatchObject([{ path: 'last' }])
  })

  test('are found in order where processes take turns, begin files and remove the folder', () => {
    using notes = temporaryNotes()
    const other = otherProcess(notes.path)
    const last = () => findLastNote(notes.path, 'x')?.files[0]?.path
    notes.add('x', '1', 1)
    other('2', MEGABYTE)
    expect(last()).toBe('2')
    notes.add('x', '3', MEGABYTE)
    expect(readdirSync(notes.path)).toHaveLength(2)
    other('4', 1)
    notes.add('x', '5', 1)
    expect(last()).toBe('5')
    expect(readdirSync(notes.path)).toHaveLength(3)
    rmSync(notes.path, { recursive: true })
    notes.add('x', '6', 1)
    other('7', 1)
    expect(last()).toBe('7')
    expect(readdirSync(notes.path)).toHaveLength(1)
  })

  test('are forgotten one by one, the last of each author first', () => {
    using notes = temporaryNotes()
    const forgetLast = (by: string) => {
      const note = findLastNote(notes.path, by)
      if (note) forgetNote(notes.path, note.name)
      return note?.files[0]?.path
    }
    for (let n = 0; n < 6; n++) notes.add(`${n % 2}`, `${n}`, MEGABYTE / 2)
    expect(readdirSync(notes.path)).toHaveLength(3)
    expect([forgetLast('0'), forgetLast('0'), forgetLast('1')]).toEqual(['4', '2', '5'])
    notes.add('0', 'new', 1)
    expect([forgetLast('0'), forgetLast('0'), forgetLast('0')]).toEqual(['new', '0', undefined])
    expect([forgetLast('1'), forgetLast('1'), forgetLast('1')]).toEqual(['3', '1', undefined])
  })
})

const MEGABYTE = 1024 * 1024

function noteFiles({ databaseDir }: TemporaryRepository): string[] {
  const folder = join(databaseDir, 'undo')
  return readdirSync(folder).map(name => join(folder, name))
}

function writeOf(path: string, bytes: number): NotedFile {
  return { path, before: null, after: 'x'.repeat(bytes) }
}

/** A folder of notes alone. */
function temporaryNotes() {
  const folder = temporaryFolder()
  const path = join(folder.path, 'notes')
  return {
    path,
    add: (by: string, file: string, bytes: number) =>
      beginNote(path, { operation: 'add', by, at: '' }, [writeOf(file, bytes)]),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

/** Returns what notes changes of x in another process, which has its own knowledge of the folder. */
function otherProcess(folder: string): (file: string, bytes: number) => void {
  return (file, bytes) => {
    const script = `import { beginNote } from ${JSON.stringify(join(import.meta.dirname, '../files/change-notes.ts'))}
beginNote(${JSON.stringify(folder)}, { operation: 'add', by: 'x', at: '' }, [{ path: '${file}', before: null, after: 'x'.repeat(${bytes}) }])`
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], { env: cleanEnvironment() })
  }
}
