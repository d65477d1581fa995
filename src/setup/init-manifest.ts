/**
 * Records what `init` added to a checkout outside git's own folder, in a file beside the index of its worktree.
 *
 * `init --undo` removes what is recorded here, and keeps what came with a commit.
 */
import { join, relative, resolve } from 'node:path'
import { isInside } from '../files/is-inside.ts'
import type { Repository } from '../files/repository.ts'
import { checkStateFiles } from '../files/state-folder.ts'
import { type Changes, type FileChange, readLatin1 } from './changes.ts'

/** The name of the file: paths from the root, as JSON. */
export const MANIFEST_FILE = 'init.json'

interface StoredManifest {
  /** Paths from the root. */
  added: string[]
  /** By path: the texts that were added to a file, one after the other, as latin1. */
  inserted: Record<string, string[]>
}

/** What `init` added. Paths are absolute. */
export interface InitManifest {
  added: ReadonlySet<string>
  /** By path: the texts that were added to a file, one after the other, as latin1. */
  inserted: ReadonlyMap<string, readonly string[]>
}

/** Reads what `init` added; nothing where the file is missing or cannot be read. */
export function readManifest(repository: Repository): InitManifest {
  const { added, inserted } = readStored(repository)
  const absolute = (path: string) => resolve(repository.root, path)
  return {
    added: new Set(added.map(absolute)),
    inserted: new Map(Object.entries(inserted).map(([path, texts]) => [absolute(path), texts])),
  }
}

function readStored({ indexDir }: Repository): StoredManifest {
  const nothing: StoredManifest = { added: [], inserted: {} }
  const path = join(indexDir, MANIFEST_FILE)
  checkStateFiles([path])
  const text = readLatin1(path)
  if (text === null) return nothing
  try {
    const { added, inserted = {} } = JSON.parse(Buffer.from(text, 'latin1').toString()) as StoredManifest
    return { added: added.filter(path => typeof path === 'string'), inserted }
  } catch {
    return nothing // what it recorded stays in the checkout
  }
}

/** Returns the change of the file for these changes. Apply it first, so that an interrupted run is recorded too. */
export function manifestChanges(repository: Repository, { folders, files }: Changes): FileChange[] {
  const { root, commonDir, indexDir } = repository
  const known = readStored(repository)
  const added = [...folders, ...files.map(({ path }) => path)]
    .filter(path => commonDir === null || !isInside(path, commonDir))
    .map(path => relative(root, path))
    .filter(path => !known.added.includes(path))
  const inserted = { ...known.inserted }
  for (const { path, inserted: texts = [], isReplaced } of files) {
    const name = relative(root, path)
    if (texts.length > 0) inserted[name] = isReplaced ? [...texts] : [...(inserted[name] ?? []), ...texts]
  }
  const hasMore = files.some(change => change.inserted?.length)
  if (added.length === 0 && !hasMore) return []
  const path = join(indexDir, MANIFEST_FILE)
  const manifest = { added: [...known.added, ...added], ...(Object.keys(inserted).length ? { inserted } : {}) }
  return [{ path, before: readLatin1(path), after: Buffer.from(`${JSON.stringify(manifest)}\n`).toString('latin1') }]
}
