/** Files of the work tree in conflict: checks that no person has edited one, and replaces it. Paths are from the root. */
import { lstatSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeFileAtomically } from '../files/atomic-write.ts'
import { checkFolders } from '../files/repository.ts'
import { hasMarkers } from './conflict-markers.ts'

/**
 * Returns the bytes of a file, null where there is none.
 * @param versions what the file may hold: one of these, or lines of them between conflict markers.
 * @throws Error where it holds something else, which is a person's work; PlanError unsafe_path, io.
 */
export function readUnedited(root: string, path: string, versions: readonly Buffer[]): Buffer | null {
  const absolute = join(root, path)
  checkFolders(root, dirname(absolute))
  const stat = lstatSync(absolute, { throwIfNoEntry: false })
  if (!stat) return null
  if (!stat.isFile()) throw new Error('a link or a folder is in its place; move it away and run the command again')
  const bytes = readFileSync(absolute)
  if (versions.some(version => version.equals(bytes))) return bytes
  const lines = new Set(versions.flatMap(linesOf))
  const isTextMerge = hasMarkers(bytes.toString()) && linesOf(bytes).every(line => lines.has(line) || hasMarkers(line))
  if (isTextMerge) return bytes
  throw new Error('it was edited by hand since the merge stopped; "git add" it if it is correct')
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString().split(/\r?\n/)
}

/** Replaces the bytes that were read before. @throws Error where another program has changed the file; PlanError io. */
export function replaceFile(root: string, path: string, bytes: Buffer, before: Buffer | null): void {
  if (before?.equals(bytes)) return
  const absolute = join(root, path)
  mkdirSync(dirname(absolute), { recursive: true })
  const mode = before === null ? undefined : statSync(absolute).mode
  const stillExpected = () => before === null || readFileSync(absolute).equals(before)
  if (writeFileAtomically(absolute, bytes, { create: before === null, mode, stillExpected }) === 'replaced') return
  throw new Error('another program changed it at the same time; run the command again')
}
