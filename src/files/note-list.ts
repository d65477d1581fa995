/**
 * The files of the notes of one worktree: numbered, the last has the highest number, and the oldest are removed.
 *
 * A process keeps the list of a folder while the folder's times show that no other process has changed it. Within one tick of
 * the clock they do not; then a number may be in use, which the exclusive creation of a note finds out. Called under the write
 * lock alone.
 */
import { lstatSync, readdirSync, statSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { statKey } from './file-system.ts'
import { createNewStateFile, createStateFolder } from './state-folder.ts'

export interface NoteList {
  /** Creates the next note with a text, and returns its path; undefined where another process has used the number. @throws the system's error. */
  create(text: string): string | undefined
  /**
   * Removes the oldest notes where there are `SLACK` more than `mostNotes`, or where they are larger than `mostBytes` together:
   * then as many as are left fit both. The last note stays. @throws the system's error.
   */
  prune(mostNotes: number, mostBytes: number): void
}

/** Several notes are removed at once: after an fsync each removal may have to wait for the disk. */
export const SLACK = 20

interface KnownNotes {
  /** The state of the folder that has these notes. */
  key: string
  /** The oldest first. */
  numbers: number[]
  /** Of all but the last: a note grows only while it is the last. */
  sizes: Map<number, number>
}

/** What this process knows of folders, by path. */
const knownNotes = new Map<string, KnownNotes>()

/** Returns the notes of a folder, which is created where it does not exist. @throws PlanError unsafe_path, the system's error. */
export function noteList(folder: string): NoteList {
  const forget = () => knownNotes.delete(folder)
  return {
    create(text) {
      const notes = current(folder)
      const number = (notes.numbers.at(-1) ?? 0) + 1
      const path = notePath(folder, number)
      forget() // until the folder has the note
      if (!createNewStateFile(path, text)) return undefined
      notes.numbers.push(number)
      remember(folder, notes)
      return path
    },
    prune(mostNotes, mostBytes) {
      const notes = knownNotes.get(folder)
      if (!notes) return
      const { numbers, sizes } = notes
      const sizeOf = (number: number) => {
        let size = sizes.get(number)
        if (size === undefined) {
          size = statSync(notePath(folder, number), { throwIfNoEntry: false })?.size ?? 0
          if (number !== numbers.at(-1)) sizes.set(number, size)
        }
        return size
      }
      let bytes = numbers.reduce((sum, number) => sum + sizeOf(number), 0)
      if (numbers.length <= mostNotes + SLACK && bytes <= mostBytes) return
      let gone = 0
      while (gone < numbers.length - 1 && (numbers.length - gone > mostNotes || bytes > mostBytes))
        bytes -= sizeOf(numbers[gone++]!)
      if (gone === 0) return
      forget()
      for (const number of numbers.splice(0, gone)) {
        sizes.delete(number)
        remove(notePath(folder, number))
      }
      remember(folder, notes)
    },
  }
}

/** Returns what this process knows, if no other process has changed the folder since; else lists it. */
function current(folder: string): KnownNotes {
  const known = knownNotes.get(folder)
  if (known && known.key !== '' && known.key === keyOf(folder)) return known
  createStateFolder(dirname(folder))
  createStateFolder(folder)
  return { key: '', numbers: listNumbers(folder).reverse(), sizes: new Map() }
}

function remember(folder: string, notes: KnownNotes): void {
  knownNotes.set(folder, { ...notes, key: keyOf(folder) })
}

/** Empty, as for no folder, where the path has become a link. */
function keyOf(folder: string): string {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  return stat?.isDirectory() ? statKey(stat) : ''
}

/** Lists the numbers of the notes, the last first. @throws the system's error. */
export function listNumbers(folder: string): number[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const numbers = names.flatMap(name => (/^\d{12}\.jsonl$/.test(name) ? [Number.parseInt(name, 10)] : []))
  return numbers.sort((a, b) => b - a)
}

/** Returns the path of a note. */
export function notePath(folder: string, number: number): string {
  return `${folder}/${String(number).padStart(12, '0')}.jsonl`
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
