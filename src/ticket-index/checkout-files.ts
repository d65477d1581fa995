/**
 * The Ticket files of one checkout: those of the work tree, and those that only git's index has because a sparse checkout leaves
 * them out.
 *
 * Invariant: a file of the work tree wins over git's index. A left-out file has stat data that follow from its blob, so that
 * its rows are compared, kept and replaced like those of any other file. Fetches nothing.
 */
import { existsSync, lstatSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Connection } from '../database/open.ts'
import { inFolder } from '../files/file-system.ts'
import { isRacy } from '../files/racy-times.ts'
import type { Repository } from '../files/repository.ts'
import { fileStat, findTicketFile } from '../files/ticket-files.ts'
import { listTicketNames, ticketsPrefix } from '../files/ticket-listing.ts'
import type { WrittenTicket } from '../files/ticket-writing.ts'
import { readFetchedBlobs } from '../git/blobs.ts'
import type { LeftOutFile } from '../git/left-out-files.ts'
import { lazy } from '../model/lazy.ts'
import type { IndexedFile, Reading } from './indexed-file.ts'
import { leftOutStat, readLeftOut } from './left-out-file.ts'
import { type LeftOutList, leftOutList } from './left-out-list.ts'
import { findStat, type StatData } from './stat-data.ts'

export interface CheckoutFiles extends Pick<LeftOutList, 'refresh' | 'isUnsaved'> {
  /** What comes before a name to make it a path from the root. */
  prefix: string
  /**
   * Lists every file that is or should be a Ticket by its name, which is the path from the tickets folder, sorted.
   * @param watched receives the folders and files whose times show that the list, or a left-out file, may have changed.
   */
  listNames(watched?: string[]): string[]
  /** Returns the stat data at a path; undefined where there is nothing. */
  findStat(path: string): StatData | undefined
  /**
   * Runs the action with a `findStat` for many names, which is faster than the one for paths. Relative paths of the system may
   * mean others meanwhile.
   */
  scanning<T>(action: (findStat: (name: string) => StatData | undefined) => T): T
  /** Reads the left-out files among these paths from git, all at once. They are kept for `read` until the next `refresh` or `save`. */
  prefetch(paths: readonly string[]): void
  /** Returns the file at a path, read unless it is still the one that was written; undefined where there is none. @throws PlanError io. */
  read(path: string, written?: WrittenTicket): Reading | undefined
  /** True where git's index has the file and the work tree has not. */
  isLeftOut(path: string): boolean
  /** True where git's index has Ticket files that are left out. */
  hasLeftOut(): boolean
  /** Stores what other processes need. Called in a transaction. */
  save(): void
}

/** Returns the files of a checkout. `refresh` comes before all other calls of an answer. */
export function checkoutFiles(connection: Connection, repository: Repository): CheckoutFiles {
  const { root, gitDir, commonDir, ticketsDir } = repository
  const leftOut = leftOutList(connection, repository)
  const blobs = leftOutBlobs(root, leftOut)
  const objects = lazy(() => join(commonDir!, 'objects'))
  const prefix = ticketsPrefix(repository)
  const statOf = (file: LeftOutFile) =>
    leftOutStat(file, leftOut.missing.has(file.blob) ? objectsState(objects(), file.blob) : null)
  const findLeftOutStat = (path: string) => {
    const file = leftOut.files.get(path)
    return file && statOf(file)
  }

  return {
    prefix,
    refresh() {
      blobs.clear() // a blob that was missing may have been fetched since
      leftOut.refresh()
    },
    isUnsaved: leftOut.isUnsaved,
    prefetch: blobs.prefetch,
    listNames(watched = []) {
      if (leftOut.files.size === 0) return listTicketNames(repository, watched)
      watched.push(join(gitDir!, 'index'))
      if (leftOut.missing.size > 0) watched.push(join(objects(), 'pack'))
      const hasFolder = existsSync(ticketsDir)
      if (!hasFolder) watched.push(dirname(ticketsDir))
      const present = hasFolder ? listTicketNames(repository, watched) : []
      const absent = [...leftOut.files.keys()].map(path => path.slice(prefix.length))
      return [...new Set([...present, ...absent])].sort()
    },
    findStat: path => findStat(join(root, path)) ?? findLeftOutStat(path),
    scanning: action =>
      inFolder(ticketsDir, folder => action(name => findStat(folder + name) ?? findLeftOutStat(prefix + name))),
    read(path, written) {
      const own = written && readWritten(root, written)
      if (own) return own
      const now = Date.now() // before the file is read
      const present = findTicketFile(root, path)
      if (present) return { file: present, racy: mayDiffer(present, now) }
      const file = leftOut.files.get(path)
      if (!file) return undefined
      blobs.prefetch([path])
      const racy = leftOut.missing.has(file.blob) && arePacksRacy(objects(), now)
      return { file: readLeftOut(file, blobs.get(file.blob), statOf(file)), racy }
    },
    isLeftOut: path => leftOut.files.has(path) && !isPresent(root, path),
    hasLeftOut: () => leftOut.files.size > 0,
    save() {
      blobs.clear()
      leftOut.save()
    },
  }
}

/** Reads blobs of left-out files from git, many at once, and keeps them until `clear`. */
function leftOutBlobs(root: string, leftOut: LeftOutList) {
  const blobs = new Map<string, Buffer | 'too_large' | undefined>()
  return {
    get: (blob: string) => blobs.get(blob),
    clear: () => blobs.clear(),
    prefetch(paths: readonly string[]): void {
      if (leftOut.files.size === 0) return
      const wanted = new Set<string>()
      for (const path of paths) {
        const file = leftOut.files.get(path)
        if (file?.mode.startsWith('100') && !blobs.has(file.blob) && !isPresent(root, path)) wanted.add(file.blob)
      }
      const found = wanted.size > 0 ? readFetchedBlobs(root, wanted) : undefined
      for (const blob of wanted) {
        blobs.set(blob, found!.get(blob))
        leftOut.setFetched(blob, found!.has(blob))
      }
    },
  }
}

function isPresent(root: string, path: string): boolean {
  return lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined
}

/**
 * Returns a file as it was written, without reading it; undefined where another program has changed it since. A change that the
 * stat data do not show is found later, because the reading counts as racy.
 */
function readWritten(root: string, { path, ticket, hash, stat }: WrittenTicket): Reading | undefined {
  const now = findStat(join(root, path))
  if (!now?.isFile()) return undefined
  const isSame = now.ino === stat.inode && now.size === stat.sizeBytes && now.mtimeMs === stat.mtimeMs
  if (!isSame) return undefined
  return { file: { readable: true, path, ticket, canonical: true, hash, stat: fileStat(now), racy: true }, racy: true }
}

/** True where the same stat data may go with another reading: of a young file, and in a process that may read more. */
function mayDiffer(file: IndexedFile, nowMs: number): boolean {
  if (!file.readable && file.code === 'unreadable') return true
  return isRacy(file.stat.mtimeMs, file.stat.ctimeMs, nowMs)
}

/** Returns a value that differs once a missing blob may have been fetched: that comes in a pack, or alone. */
function objectsState(objects: string, blob: string): number | 'fetched' {
  if (existsSync(join(objects, blob.slice(0, 2), blob.slice(2)))) return 'fetched'
  return statSync(join(objects, 'pack'), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** True where a later pack may leave the time of the folder as it is. */
function arePacksRacy(objects: string, nowMs: number): boolean {
  const stat = statSync(join(objects, 'pack'), { throwIfNoEntry: false })
  return stat !== undefined && isRacy(stat.mtimeMs, stat.ctimeMs, nowMs)
}
