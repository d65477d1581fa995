/** The files of the commit that is checked out. */
import { readFetchedBlobs } from './blobs.ts'
import { findCommit, runGit } from './git.ts'

/**
 * Returns the bytes that HEAD has at each of the paths, from the root. A path that HEAD does not have is absent; null means
 * bytes that are too large for a Ticket, or that the clone has not fetched.
 * @throws PlanError no_git, git_failed.
 */
export function readCommittedFiles(root: string, paths: readonly string[]): Map<string, Buffer | null> {
  if (paths.length === 0 || findCommit(root, 'HEAD') === undefined) return new Map() // nothing is committed yet
  const blobs = new Map<string, string>()
  // Named one by one, they would not fit on a command line.
  const wanted = new Set(paths)
  const folders = [...new Set(paths.map(path => path.split('/')[0]!))]
  const listed = runGit(root, ['--literal-pathspecs', 'ls-tree', '-r', '-z', '--full-tree', 'HEAD', '--', ...folders])
  for (const entry of listed.toString().split('\0')) {
    const [, blob, path] = /^\d+ blob (\w+)\t([\s\S]+)$/.exec(entry) ?? []
    if (blob && path && wanted.has(path)) blobs.set(path, blob)
  }
  const contents = readFetchedBlobs(root, new Set(blobs.values()))
  return new Map(
    [...blobs].map(([path, blob]) => {
      const bytes = contents.get(blob)
      return [path, bytes instanceof Buffer ? bytes : null]
    }),
  )
}
