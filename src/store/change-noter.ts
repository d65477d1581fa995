/**
 * Notes the changes of one checkout for `undo`: each operation that asks for it, with all files that it writes.
 *
 * Invariant: a write that cannot be noted is made all the same, and a notice says that `undo` does not know it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  appendToNote,
  beginNote,
  type ChangeNote,
  findLastNote,
  type NoteHead,
  removeNote,
} from '../files/change-notes.ts'
import { createStateFolder } from '../files/state-folder.ts'
import { hashOf, type ReadTicket } from '../files/ticket-files.ts'
import type { Stamp } from '../model/change.ts'
import { isoTime } from '../model/text.ts'
import type { Checkout } from './checkout.ts'

/** The folder of the notes, beside the index. */
const NOTES_DIR = 'undo'

export interface ChangeNoter {
  /** Runs the action under the write lock, as `locked` does, and notes what it writes as one change. */
  noting<T>(operation: NoteHead['operation'], action: () => T): T
  /** Returns the last noted change by the author in this worktree. Called under the write lock. @throws the system's error. */
  findLastChange(by: string): ChangeNote | undefined
  /** Forgets a noted change. Called under the write lock. @throws the system's error. */
  forgetChange(number: number): void
  /** Notes a write that is about to be made. */
  noteWrite(path: string, before: ReadTicket | null, after: Buffer): void
}

export function changeNoter(checkout: Checkout, stamp: () => Stamp, notify: (message: string) => void): ChangeNoter {
  let current: { operation: NoteHead['operation']; path: string | undefined } | undefined
  const folder = () => join(checkout.repository.indexDir, NOTES_DIR)

  const write = (path: string, before: string | null, after: Buffer) => {
    if (!current) return
    if (current.path === undefined) {
      const { by, nowMs } = stamp()
      createStateFolder(checkout.repository.indexDir)
      current.path = beginNote(folder(), { operation: current.operation, by, at: isoTime(nowMs) })
    }
    appendToNote(current.path, { path, before, after: after.toString() })
  }
  return {
    noting(operation, action) {
      return checkout.locked(() => {
        if (current) return action()
        current = { operation, path: undefined }
        try {
          return action()
        } finally {
          current = undefined
        }
      })
    },
    findLastChange: by => findLastNote(folder(), by),
    forgetChange: number => removeNote(folder(), number),
    noteWrite(path, before, after) {
      if (!current) return
      try {
        const bytes = before && readFileSync(join(checkout.repository.root, path))
        if (before && bytes && hashOf(bytes) !== before.hash) return // changed meanwhile, so it will not be written
        write(path, bytes === null ? null : bytes.toString(), after)
      } catch (error) {
        notify(`"undo" will not know this change of ${path}: ${(error as Error).message}`)
      }
    },
  }
}
