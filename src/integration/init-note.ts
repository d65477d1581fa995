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

/** The paths of the note, from the root; none where there is no note, or one that cannot be read. */
function readNote({ indexDir }: Repository): string[] {
  const text = readLatin1(join(indexDir, NOTE_FILE))
  if (text === null) return []
  try {
    const { added } = JSON.parse(Buffer.from(text, 'latin1').toString()) as { added: string[] }
    return added.filter(path => typeof path === 'string')
  } catch {
    return [] // what it named stays where it is
  }
}

/** The absolute paths that `init` added. */
export function notedPaths(repository: Repository): Set<string> {
  return new Set(readNote(repository).map(path => resolve(repository.root, path)))
}

/** The note with what the changes add outside git's folder; to be written before them, so that it knows of them whatever happens. */
export function noteChanges(repository: Repository, { folders, files }: Changes): FileChange[] {
  const { root, gitDir, indexDir } = repository
  const known = readNote(repository)
  const ours = gitDir ? commonDirOf(gitDir) : null
  const added = [...folders, ...files.map(({ path }) => path)]
    .filter(path => ours === null || !isInside(path, ours))
    .map(path => relative(root, path))
    .filter(path => !known.includes(path))
  if (added.length === 0) return []
  const path = join(indexDir, NOTE_FILE)
  const after = Buffer.from(`${JSON.stringify({ added: [...known, ...added] })}\n`).toString('latin1')
  return [{ path, before: readLatin1(path), after }]
}
