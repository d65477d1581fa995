/**
 * Notes what each change did to Ticket files, with their bytes before and after, so that `undo` can take it back.
 *
 * One file for each change, beside the index of the worktree and never in git. Its first line says what was run, by whom and
 * when; then there is a line for each write, appended before the write. So a crash leaves a line too many and never one too few: a
 * reader compares each line with the file. Called under the write lock alone. A lost note costs an undo, never a Ticket.
 */
import { appendFileSync, readFileSync, rmSync } from 'node:fs'
import { listNumbers, noteList, notePath } from './note-list.ts'

/** How many changes of one worktree are kept, and how many bytes; the last change is kept whatever its size. */
const MOST_NOTES = 200
const MOST_BYTES = 32 * 1024 * 1024

/** What was run, by whom and when (a timestamp). */
export interface NoteHead {
  operation: 'record' | 'retract' | 'set' | 'add'
  by: string
  at: string
}

/** What a change did to one file; `before` is null for a new one. The path is from the root. */
export interface NotedFile {
  path: string
  before: string | null
  after: string
}

/** A change, with its files in the order of their paths. Numbers grow. */
export interface ChangeNote extends NoteHead {
  number: number
  files: NotedFile[]
}

/** Writes the note of a change with the writes that are about to be made; returns its path. @throws the system's error. */
export function beginNote(folder: string, head: NoteHead, files: readonly NotedFile[]): string {
  const text = linesOf([head, ...files])
  const list = noteList(folder)
  for (;;) {
    const path = list.create(text)
    if (path === undefined) continue // another process has used the number
    list.prune(MOST_NOTES, MOST_BYTES)
    return path
  }
}

/** Adds writes that are about to be made. @throws the system's error. */
export function appendToNote(path: string, files: readonly NotedFile[]): void {
  appendFileSync(path, linesOf(files))
}

/** Returns the last change by the author that wrote anything; undefined where none is noted. @throws the system's error. */
export function findLastNote(folder: string, by: string): ChangeNote | undefined {
  for (const number of listNumbers(folder)) {
    const note = readNote(folder, number)
    if (note?.by === by && note.files.length > 0) return note
  }
  return undefined
}

/** Removes a note. @throws the system's error. */
export function removeNote(folder: string, number: number): void {
  rmSync(notePath(folder, number), { force: true })
}

function readNote(folder: string, number: number): ChangeNote | undefined {
  const [head, ...writes] = readFileSync(notePath(folder, number), 'utf8').split('\n').map(parsed)
  if (!head) return undefined // the process that wrote it was killed
  const files = new Map<string, NotedFile>()
  for (const write of writes as (NotedFile | undefined)[]) {
    if (!write) continue
    const earlier = files.get(write.path)
    // A write that begins with other bytes than the one before it ended with shows that the one before was not made.
    const isNext = earlier !== undefined && earlier.after === write.before
    files.set(write.path, isNext ? { ...write, before: earlier.before } : write)
  }
  const byPath = [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  return { ...(head as NoteHead), number, files: byPath }
}

function parsed(line: string): unknown {
  try {
    return line === '' ? undefined : JSON.parse(line)
  } catch {
    return undefined // cut off by a crash
  }
}

function linesOf(values: readonly object[]): string {
  return values.map(value => `${JSON.stringify(value)}\n`).join('')
}
