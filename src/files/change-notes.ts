/**
 * Notes what each change did to Ticket files, with their bytes before and after, so that `undo` can take it back.
 *
 * The notes are lines in numbered files beside the index of the worktree, never in git: one line for the writes that are about to
 * be made, appended before them. So a crash leaves a line too many and never one too few: a reader compares each with the file.
 * A full file is followed by a new one, and the oldest files are removed. Called under the write lock alone. A lost note costs an
 * undo, never a Ticket.
 */
import {
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { checkStateFiles, checkStateFolder, createNewStateFile, createStateFolder } from './state-folder.ts'

/** The size from which a file is followed by a new one. A change is never divided between two files. */
const FULL_BYTES = 1024 * 1024
/** What the files may have together; the newest is kept whatever its size. */
const MOST_BYTES = 32 * 1024 * 1024
/** Appended to, never created, and never through a link. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

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

/** A change, with its files in the order of their paths. */
export interface ChangeNote extends NoteHead {
  name: string
  files: NotedFile[]
}

/** A change that is being noted. Its name is the number of its file and where it begins there, which no other change shares. */
export interface BegunNote {
  name: string
  head: NoteHead
}

/** One line of a file: writes of a change, or that the change of that name is forgotten. */
type NoteLine = (NoteHead & { change: string; files: NotedFile[] }) | { forgotten: string }

/** The file that each folder's changes go to, by folder, until it is full: another process begins a new one only then. */
const currentFiles = new Map<string, number>()

/** Notes writes that are about to be made as a new change. @throws PlanError unsafe_path, the system's error. */
export function beginNote(folder: string, head: NoteHead, files: readonly NotedFile[]): BegunNote {
  checkStateFolder(folder)
  const begun =
    begin(folder, currentFiles.get(folder), head, files) ?? begin(folder, listNumbers(folder)[0], head, files)
  if (begun) return begun
  const first = begin(folder, startFile(folder), head, files)
  if (!first) throw new Error(`${folder}: another program removes files from it`)
  removeOldest(folder)
  return first
}

/** Adds writes that are about to be made to the change. @throws the system's error. */
export function appendToNote(folder: string, { name, head }: BegunNote, files: readonly NotedFile[]): void {
  append(notePath(folder, fileOf(name)), () => ({ ...head, change: name, files: [...files] }))
}

/** Returns the last change by the author; undefined where none is noted. @throws PlanError unsafe_path, the system's error. */
export function findLastNote(folder: string, by: string): ChangeNote | undefined {
  checkStateFolder(folder)
  for (const number of listNumbers(folder)) {
    const path = notePath(folder, number)
    checkStateFiles([path])
    const lines = readFileSync(path, 'utf8').split('\n').flatMap(parsed)
    const forgotten = new Set(lines.flatMap(line => ('forgotten' in line ? [line.forgotten] : [])))
    const written = lines.filter(line => 'change' in line)
    const last = written.findLast(line => line.by === by && !forgotten.has(line.change))
    if (!last) continue
    const { operation, at, change } = last
    const files = joined(written.flatMap(line => (line.change === change ? line.files : [])))
    return { name: change, operation, by, at, files }
  }
  return undefined
}

/** Forgets a change, so that the one before it is the last. @throws the system's error. */
export function forgetNote(folder: string, name: string): void {
  append(notePath(folder, fileOf(name)), () => ({ forgotten: name }))
}

/** Notes a new change in a file; undefined where there is none, or it is full. */
function begin(
  folder: string,
  number: number | undefined,
  head: NoteHead,
  files: readonly NotedFile[],
): BegunNote | undefined {
  if (number === undefined) return undefined
  let name = ''
  const isNoted = append(notePath(folder, number), size => {
    if (size >= FULL_BYTES) return undefined
    name = `${number}:${size}`
    return { ...head, change: name, files: [...files] }
  })
  if (!isNoted) return undefined
  currentFiles.set(folder, number)
  return { name, head }
}

/** Appends the line that is returned for the file's size; false where none is, or the file is gone. */
function append(path: string, lineAt: (size: number) => NoteLine | undefined): boolean {
  let file: number
  try {
    file = openSync(path, APPEND)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  try {
    const line = lineAt(fstatSync(file).size)
    // The line break before it ends a line that a crash cut off.
    if (line) appendFileSync(file, `\n${JSON.stringify(line)}\n`)
    return line !== undefined
  } finally {
    closeSync(file)
  }
}

/** Creates the next file. Returns its number. */
function startFile(folder: string): number {
  createStateFolder(dirname(folder))
  createStateFolder(folder)
  const number = (listNumbers(folder)[0] ?? 0) + 1
  createNewStateFile(notePath(folder, number))
  return number
}

/** Removes the oldest files where all are too large together; the newest stays. */
function removeOldest(folder: string): void {
  let bytes = 0
  for (const [position, number] of listNumbers(folder).entries()) {
    const path = notePath(folder, number)
    bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0
    if (position > 0 && bytes > MOST_BYTES) rmSync(path, { force: true })
  }
}

/** Lists the numbers of the files, the last first. @throws the system's error. */
function listNumbers(folder: string): number[] {
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

function notePath(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(12, '0')}.jsonl`)
}

function fileOf(name: string): number {
  return Number.parseInt(name, 10)
}

/** Joins the writes of one change to the same file, and sorts them by path. */
function joined(writes: readonly NotedFile[]): NotedFile[] {
  const files = new Map<string, NotedFile>()
  for (const write of writes) {
    const earlier = files.get(write.path)
    // A write that begins with other bytes than the one before it ended with shows that the one before was not made.
    const isNext = earlier !== undefined && earlier.after === write.before
    files.set(write.path, isNext ? { ...write, before: earlier.before } : write)
  }
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Returns the line; nothing for an empty one, one that a crash cut off, or one of another version. */
function parsed(text: string): NoteLine[] {
  try {
    const line = JSON.parse(text)
    return 'forgotten' in line || ('change' in line && Array.isArray(line.files)) ? [line] : []
  } catch {
    return []
  }
}
