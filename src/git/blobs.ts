/** Reads many blobs of git's object store in one run of git. */
import { isPlanError } from '../model/errors.ts'
import { LIMITS } from '../model/text.ts'
import { missingObject, runGit } from './git.ts'

/** One run of git returns at most about this many bytes of blobs. */
const BATCH_BYTES = 64 * 1024 * 1024

/**
 * Returns the bytes of each blob by its name: an id, or `<commit>:<path>`. A blob above the size limit of a Ticket file is
 * not read; a name that git does not know, or that is not a blob, is left out. No name may contain a line break.
 * @throws PlanError no_git, git_failed.
 */
export function readBlobs(root: string, names: Iterable<string>): Map<string, Buffer | 'too_large'> {
  const blobs = new Map<string, Buffer | 'too_large'>()
  let batch: string[] = []
  let batchBytes = 0
  const readBatch = () => {
    for (const [name, bytes] of readAll(root, batch)) blobs.set(name, bytes)
    batch = []
    batchBytes = 0
  }
  for (const [name, sizeBytes] of sizesOf(root, [...new Set(names)])) {
    if (sizeBytes > LIMITS.fileBytes) blobs.set(name, 'too_large')
    else {
      batch.push(name)
      batchBytes += sizeBytes
      if (batchBytes > BATCH_BYTES) readBatch()
    }
  }
  readBatch()
  return blobs
}

/**
 * Returns the bytes of each blob by its id, like `readBlobs`, for ids that come from git's own trees.
 * @throws PlanError no_git, git_failed where an object is missing, which it names.
 */
export function getBlobs(root: string, ids: Iterable<string>): Map<string, Buffer | 'too_large'> {
  const wanted = new Set(ids)
  const blobs = readBlobs(root, wanted)
  const missing = [...wanted].find(id => !blobs.has(id))
  if (missing === undefined) return blobs
  throw missingObject(root, missing, { command: 'cat-file', status: 0, stderr: '' })
}

/** Returns the size of each blob that git has. git prints one line for each name, in their order. */
function sizesOf(root: string, names: readonly string[]): Map<string, number> {
  const sizes = new Map<string, number>()
  if (names.length === 0) return sizes
  const lines = runGit(root, ['cat-file', '--batch-check'], `${names.join('\n')}\n`)
    .toString()
    .split('\n')
  for (const [position, name] of names.entries()) {
    const size = / blob (\d+)$/.exec(lines[position]!)?.[1]
    if (size !== undefined) sizes.set(name, Number(size))
  }
  return sizes
}

/** Reads blobs that git has. git prints a line "<id> blob <size>", the bytes and a line break for each. */
function readAll(root: string, names: readonly string[]): Map<string, Buffer> {
  const blobs = new Map<string, Buffer>()
  if (names.length === 0) return blobs
  const output = runGit(root, ['cat-file', '--batch'], `${names.join('\n')}\n`)
  let at = 0
  for (const name of names) {
    const lineEnd = output.indexOf('\n', at)
    const length = Number(output.subarray(at, lineEnd).toString().split(' ').at(-1))
    blobs.set(name, output.subarray(lineEnd + 1, lineEnd + 1 + length))
    at = lineEnd + 2 + length
  }
  return blobs
}

/**
 * Reads blobs like `readBlobs`, by their ids, in a clone that may not have fetched all of them. In such a clone `git cat-file`
 * ends at the first missing object, so `git rev-list`, which can pass over these, then selects the ids.
 * @throws PlanError no_git, git_failed.
 */
export function readFetchedBlobs(root: string, ids: ReadonlySet<string>): Map<string, Buffer | 'too_large'> {
  try {
    return readBlobs(root, ids)
  } catch (error) {
    if (!isPlanError(error, 'git_failed')) throw error
    // The order counts: the ids are read where "--stdin" is, under the options before it.
    const options = [
      '--objects',
      '--no-walk',
      '--missing=allow-any',
      '--ignore-missing',
      '--no-object-names',
      '--stdin',
    ]
    const present = runGit(root, ['rev-list', ...options], `${[...ids].join('\n')}\n`)
    const fetched = present
      .toString()
      .split('\n')
      .filter(id => ids.has(id))
    if (fetched.length === ids.size) throw error
    return readBlobs(root, fetched)
  }
}
