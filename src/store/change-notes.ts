/**
 * Notes of the last changes in a worktree, for `undo`: each file's bytes before and after, beside index.db.
 *
 * A note is written before the file is replaced, so no change is without one; whether the file was replaced is seen in the file.
 * The notes are local and may be lost or cut off: without them nothing can be undone, and nothing else depends on them. A line
 * that cannot be read is skipped. Called under the write lock.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../files/atomic-write.ts'
import type { Repository } from '../files/repository.ts'
import { checkStateFiles, createStateFile } from '../files/state-folder.ts'
import type { Stamp } from '../model/change.ts'
import { isObject } from '../model/objects.ts'
import { isoTime } from '../model/text.ts'

/** The file is cut down to its last half when it is longer. */
const MOST_BYTES = 8 * 1024 * 1024

/** One change of one file. The texts are those of the file; `before` is null where there was none. */
export interface FileChange {
  path: string
  before: string | null
  after: string
}

/** What one command changed. */
export interface NotedChange {
  id: string
  command: string
  by: string
  at: string
  files: FileChange[]
}

export interface ChangeNotes {
  /** Runs an action whose writes are one change. */
  during<T>(command: string, action: () => T): T
  /** Returns the source of stamps; a change has the author and time of the last stamp before it. */
  stamped(source: () => Stamp): () => Stamp
  /** Notes a file that is about to be replaced; nothing outside of `during`. Never fails: the change itself must not. */
  note(path: string, after: Uint8Array, isNew: boolean): void
  /** Lists the changes that were not undone, the last first. */
  list(): NotedChange[]
  /** Remembers that a change is undone. */
  markUndone(id: string): void
}

/** Returns the notes of a worktree. */
export function changeNotes(repository: () => Repository): ChangeNotes {
  const pathOf = () => join(repository().indexDir, 'changes.jsonl')
  let current: { id: string; command: string } | undefined
  let stamp: Stamp | undefined
  let changes = 0
  return {
    during(command, action) {
      current = { id: `${process.pid}-${Date.now()}-${changes++}`, command }
      try {
        return action()
      } finally {
        current = undefined
      }
    },
    stamped: source => () => {
      stamp = source()
      return stamp
    },
    note(path, after, isNew) {
      if (!current || !stamp) return
      try {
        const { by, nowMs } = stamp
        const before = isNew ? null : readFileSync(join(repository().root, path), 'utf8')
        const text = Buffer.from(after).toString('utf8')
        append(pathOf(), { ...current, by, at: isoTime(nowMs), path, before, after: text })
      } catch {} // no space, a read-only folder: the change can then not be undone
    },
    list: () => changesIn(linesOf(pathOf())),
    markUndone(id) {
      append(pathOf(), { undone: id })
    },
  }
}

function append(path: string, line: object): void {
  checkStateFiles([path])
  createStateFile(path)
  const file = openSync(path, constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0))
  try {
    writeSync(file, `${JSON.stringify(line)}\n`)
    if (fstatSync(file).size <= MOST_BYTES) return
  } finally {
    closeSync(file)
  }
  const text = readFileSync(path, 'utf8')
  const start = text.indexOf('\n', text.length / 2) + 1
  replaceFile(path, text.slice(start || text.length))
}

function linesOf(path: string): unknown[] {
  let text: string
  try {
    checkStateFiles([path])
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return text.split('\n').flatMap(line => {
    try {
      return [JSON.parse(line) as unknown]
    } catch {
      return [] // the end of a line that a crash or a cut left
    }
  })
}

type Line = Omit<NotedChange, 'files'> & FileChange

function changesIn(lines: unknown[]): NotedChange[] {
  const changes = new Map<string, NotedChange>()
  for (const line of lines) {
    if (!isObject(line)) continue
    if (typeof line.undone === 'string') changes.delete(line.undone)
    if (!isLine(line)) continue
    const { path, before, after, ...change } = line
    const known = changes.get(change.id) ?? { ...change, files: [] }
    // A file that another program changed meanwhile was written again: the last note counts.
    known.files = [...known.files.filter(file => file.path !== path), { path, before, after }]
    changes.set(change.id, known)
  }
  return [...changes.values()].reverse()
}

function isLine(line: object): line is Line {
  const { id, command, by, at, path, before, after } = line as Partial<Line>
  return (
    [id, command, by, at, path, after].every(value => typeof value === 'string') &&
    (before === null || typeof before === 'string')
  )
}
