/** Blobs of git's store, many in one run of git. */
import { LIMITS } from '../model/text.ts'
import { runGit } from './git.ts'

/** So many bytes of blobs are asked for at once. */
const BATCH_BYTES = 64 * 1024 * 1024

/**
 * The bytes of each blob by the name that it was asked for: an id, or `<commit>:<path>`. One that is larger than a Ticket file
 * may be is not read; one that git does not have, or that is no blob, is left out. No name may hold a line break.
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

/** The size of each blob that git has. Each answer is a line, in the order of the names. */
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

/** Each answer is a line "<id> blob <size>", so many bytes, and a line break. */
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
