/**
 * Notes the changes of one checkout for `undo`: each operation that asks for it, with all files that it writes.
 *
 * Invariant: a write that cannot be noted is made all the same, and a notice says that `undo` does not know it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  appendToNote,
  type BegunNote,
  beginNote,
  type ChangeNote,
  findLastNote,
  forgetNote,
  type NotedFile,
  type NoteHead,
} from '../files/change-notes.ts'
import type { ReadTicket } from '../files/ticket-files.ts'
import { encodeTicket } from '../model/canonical-json.ts'
import type { Stamp } from '../model/change.ts'
import { count } from '../model/count.ts'
import { isoTime } from '../model/text.ts'
import type { Checkout } from './checkout.ts'
import type { PendingWrite } from './edit-batch.ts'

/** The folder of the notes, beside the index. */
const NOTES_DIR = 'undo'

export interface ChangeNoter {
  /** Runs the action under the write lock, as `locked` does, and notes what it writes as one change. */
  noting<T>(operation: NoteHead['operation'], action: () => T): T
  /** Returns the last noted change by the author in this worktree. Called under the write lock. @throws the system's error. */
  findLastChange(by: string): ChangeNote | undefined
  /** Forgets a noted change. Called under the write lock. @throws the system's error. */
  forgetChange(name: string): void
  /** Notes writes that are about to be made. */
  noteWrites(changes: readonly PendingWrite[]): void
}

export function changeNoter(checkout: Checkout, stamp: () => Stamp, notify: (message: string) => void): ChangeNoter {
  let current: { operation: NoteHead['operation']; note: BegunNote | undefined } | undefined
  const folder = () => join(checkout.repository.indexDir, NOTES_DIR)

  const write = (files: readonly NotedFile[]) => {
    if (current!.note) return appendToNote(folder(), current!.note, files)
    const { by, nowMs } = stamp()
    current!.note = beginNote(folder(), { operation: current!.operation, by, at: isoTime(nowMs) }, files)
  }
  return {
    noting(operation, action) {
      return checkout.locked(() => {
        if (current) return action()
        current = { operation, note: undefined }
        try {
          return action()
        } finally {
          current = undefined
        }
      })
    },
    findLastChange: by => findLastNote(folder(), by),
    forgetChange: name => forgetNote(folder(), name),
    noteWrites(changes) {
      if (!current || changes.length === 0) return
      try {
        const { root } = checkout.repository
        write(
          changes.map(({ path, before, after }) => ({ path, before: textOf(root, before), after: after.toString() })),
        )
      } catch (error) {
        const others = changes.length > 1 ? ` and ${count(changes.length - 1, 'other file')}` : ''
        notify(`"undo" will not know this change of ${changes[0]!.path}${others}: ${(error as Error).message}`)
      }
    },
  }
}

/** Returns the bytes that were read, or those of a later change: then the file will not be written. */
function textOf(root: string, before: ReadTicket | null): string | null {
  if (!before) return null
  if (before.canonical) return encodeTicket(before.ticket) // a file of a later format is never written
  return readFileSync(join(root, before.path)).toString()
}
