/**
 * What `init` added to a checkout outside git's own folder, noted beside the index of its worktree.
 *
 * `init --undo` takes out what this note names, and leaves what came with a commit.
 */
import { join, relative, resolve } from 'node:path'
import { commonDirOf, type Repository } from '../files/repository.ts'
import { type Changes, type FileChange, readLatin1 } from './changes.ts'
import { isInside } from './paths.ts'

/** The file: paths from the root, as JSON. */
export const NOTE_FILE = 'init.json'

interface Note {
  /** Paths from the root. */
  added: string[]
  /** By path: the texts that were put into a file, one after the other. */
  inserted: Record<string, string[]>
}

/** What the note says; nothing where there is none, or one that cannot be read. */
function readNote({ indexDir }: Repository): Note {
  const nothing: Note = { added: [], inserted: {} }
  const text = readLatin1(join(indexDir, NOTE_FILE))
  if (text === null) return nothing
  try {
    const { added, inserted = {} } = JSON.parse(Buffer.from(text, 'latin1').toString()) as Note
    return { added: added.filter(path => typeof path === 'string'), inserted }
  } catch {
    return nothing // what it named stays where it is
  }
}

/** The absolute paths that `init` added. */
export function notedPaths(repository: Repository): Set<string> {
  return new Set(readNote(repository).added.map(path => resolve(repository.root, path)))
}

/** What `init` put into files, by absolute path; as latin1. */
export function notedInsertions(repository: Repository): Map<string, string[]> {
  const { inserted } = readNote(repository)
  return new Map(Object.entries(inserted).map(([path, texts]) => [resolve(repository.root, path), texts]))
}

/** The note with what the changes add outside git's folder; to be written before them, so that it knows of them whatever happens. */
export function noteChanges(repository: Repository, { folders, files }: Changes): FileChange[] {
  const { root, gitDir, indexDir } = repository
  const known = readNote(repository)
  const ours = gitDir ? commonDirOf(gitDir) : null
  const added = [...folders, ...files.map(({ path }) => path)]
    .filter(path => ours === null || !isInside(path, ours))
    .map(path => relative(root, path))
    .filter(path => !known.added.includes(path))
  const inserted = { ...known.inserted }
  for (const { path, inserted: texts = [] } of files) {
    const name = relative(root, path)
    if (texts.length > 0) inserted[name] = [...(inserted[name] ?? []), ...texts]
  }
  const hasMore = files.some(change => change.inserted?.length)
  if (added.length === 0 && !hasMore) return []
  const path = join(indexDir, NOTE_FILE)
  const note = { added: [...known.added, ...added], ...(Object.keys(inserted).length ? { inserted } : {}) }
  return [{ path, before: readLatin1(path), after: Buffer.from(`${JSON.stringify(note)}\n`).toString('latin1') }]
}
