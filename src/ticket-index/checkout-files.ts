/**
 * The Ticket files of one checkout: those of the work tree, and those that only git's index has because a sparse checkout leaves
 * them out.
 *
 * Invariant: a file of the work tree wins over git's index. A left-out file has stat data that follow from its blob, so that
 * its rows are compared, kept and replaced like those of any other file. Fetches nothing.
 */
import { existsSync, lstatSync, type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Connection } from '../database/open.ts'
import { statKey } from '../files/file-system.ts'
import { commonDirOf, type Repository } from '../files/repository.ts'
import { findTicketFile } from '../files/ticket-files.ts'
import { listTicketPaths } from '../files/ticket-listing.ts'
import { readBlobs } from '../git/blobs.ts'
import { findSparseIndex, type LeftOutFile, listLeftOutFiles } from '../git/left-out-files.ts'
import { isPlanError } from '../model/errors.ts'
import type { Reading } from './indexed-file.ts'
import { isTicketFile, leftOutStat, readLeftOut } from './left-out-file.ts'
import { findStat, isRacy, type StatData } from './stat-data.ts'

export interface CheckoutFiles {
  /** Lists git's index again if it has changed. The other functions use the list of the last call. @throws PlanError no_git, git_failed, io. */
  refresh(): void
  /**
   * Lists every path that is or should be a Ticket, sorted.
   * @param watched receives the folders and files whose times show that the list, or a left-out file, may have changed.
   */
  list(watched: string[]): string[]
  /** Returns the stat data at a path; undefined where there is nothing. */
  findStat(path: string): StatData | undefined
  /** Reads the left-out files among these paths from git in one run; they are kept for `read` until the next `save`. */
  prefetch(paths: readonly string[]): void
  /** Reads the file at a path; undefined where there is none. @throws PlanError io. */
  read(path: string): Reading | undefined
  /** True where git's index has the file and the work tree has not. */
  isLeftOut(path: string): boolean
  /** True where git's index has Ticket files that are left out. */
  hasLeftOut(): boolean
  /** True where `save` has something to store. */
  isUnsaved(): boolean
  /** Stores the list of left-out files for other processes. Called in a transaction. */
  save(): void
}

/** What is known of git's index. */
interface LeftOut {
  /** The state of git's index file; empty where the list must be made again. */
  key: string
  files: Map<string, LeftOutFile>
  /** Blobs that the clone has not fetched. */
  missing: Set<string>
}

/** Returns what is known where nothing is left out. */
const nothing = (): LeftOut => ({ key: '', files: new Map(), missing: new Set() })

/** Returns the files of a checkout, as one connection to its index knows them. */
export function checkoutFiles(connection: Connection, repository: Repository): CheckoutFiles {
  const { root, gitDir, ticketsDir, config } = repository
  const objects = gitDir ? join(commonDirOf(gitDir), 'objects') : ''
  const stored = storedLeftOut(connection)
  const blobs = new Map<string, Buffer | 'too_large' | null>()
  let leftOut = nothing()
  let isUnsaved = false

  const list = (isSparse: boolean): LeftOutFile[] => {
    try {
      return listLeftOutFiles(root, [config.ticketsDir]).filter(file => isTicketFile(file, config.ticketsDir))
    } catch (error) {
      // Without patterns, a file is left out only where a person has marked it: that is no reason to need git.
      if (isSparse || !isPlanError(error)) throw error
      return []
    }
  }
  const isPresent = (path: string) => lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined
  const packs = (): Stats | undefined => statSync(join(objects, 'pack'), { throwIfNoEntry: false })
  const statOf = (file: LeftOutFile): StatData => {
    if (!leftOut.missing.has(file.blob)) return leftOutStat(file)
    // An object that is fetched comes in a pack, or alone.
    const isLoose = existsSync(join(objects, file.blob.slice(0, 2), file.blob.slice(2)))
    return leftOutStat(file, isLoose ? 'fetched' : (packs()?.mtimeMs ?? 0))
  }
  const files: CheckoutFiles = {
    refresh() {
      const index = gitDir ? findSparseIndex(gitDir) : undefined
      if (!index) {
        if (leftOut.files.size > 0) leftOut = nothing()
        return
      }
      const { stat } = index
      const key = isRacy(stat.mtimeMs, stat.ctimeMs, Date.now()) ? '' : statKey(stat)
      if (key !== '' && key === leftOut.key) return
      const known = stored.read()
      if (key !== '' && key === known.key) {
        leftOut = known
        return
      }
      leftOut = {
        key,
        files: new Map(list(index.hasPatterns).map(file => [file.path, file])),
        missing: leftOut.key ? leftOut.missing : known.missing,
      }
      isUnsaved = true
    },
    list(watched) {
      if (leftOut.files.size === 0) return listTicketPaths(repository, watched)
      watched.push(join(gitDir!, 'index'))
      if (leftOut.missing.size > 0) watched.push(join(objects, 'pack'))
      const hasFolder = existsSync(ticketsDir)
      if (!hasFolder) watched.push(dirname(ticketsDir))
      const present = hasFolder ? listTicketPaths(repository, watched) : []
      return [...new Set([...present, ...leftOut.files.keys()])].sort()
    },
    findStat(path) {
      const stat = findStat(`${root}/${path}`)
      const file = stat ? undefined : leftOut.files.get(path)
      return file ? statOf(file) : stat
    },
    prefetch(paths) {
      if (leftOut.files.size === 0) return
      const wanted = new Set<string>()
      for (const path of paths) {
        const file = leftOut.files.get(path)
        if (file?.mode.startsWith('100') && !blobs.has(file.blob) && !isPresent(path)) wanted.add(file.blob)
      }
      if (wanted.size === 0) return
      const found = readBlobs(root, wanted)
      for (const blob of wanted) {
        blobs.set(blob, found.get(blob) ?? null)
        if (found.has(blob) !== leftOut.missing.has(blob)) continue
        if (found.has(blob)) leftOut.missing.delete(blob)
        else leftOut.missing.add(blob)
        isUnsaved = true
      }
    },
    read(path) {
      const now = Date.now() // before the file is read
      const present = findTicketFile(root, path)
      if (present) return { file: present, racy: isRacy(present.stat.mtimeMs, present.stat.ctimeMs, now) }
      const file = leftOut.files.get(path)
      if (!file) return undefined
      files.prefetch([path])
      const bytes = blobs.get(file.blob) ?? null
      const pack = bytes === null ? packs() : undefined
      return {
        file: readLeftOut(file, bytes, statOf(file)),
        racy: pack !== undefined && isRacy(pack.mtimeMs, pack.ctimeMs, now),
      }
    },
    isLeftOut: path => leftOut.files.has(path) && !isPresent(path),
    hasLeftOut: () => leftOut.files.size > 0,
    isUnsaved: () => isUnsaved,
    save() {
      blobs.clear()
      if (isUnsaved) stored.write(leftOut)
      isUnsaved = false
    },
  }
  return files
}

/** Returns functions that store what is known of git's index beside the rows, and read it. */
function storedLeftOut(connection: Connection) {
  const read = connection.prepare<[], string>("select value from meta where key = 'left_out'").pluck()
  const write = connection.prepare<[string]>("insert or replace into meta values ('left_out', ?)")
  return {
    read(): LeftOut {
      const value = read.get()
      if (value === undefined) return nothing()
      const { key, files, missing } = JSON.parse(value) as { key: string; files: string[][]; missing: string[] }
      const known = files.map(([path, mode, blob]) => ({ path: path!, mode: mode!, blob: blob! }))
      return { key, files: new Map(known.map(file => [file.path, file])), missing: new Set(missing) }
    },
    write({ key, files, missing }: LeftOut): void {
      const known = [...files.values()]
      const blobs = new Set(known.map(({ blob }) => blob))
      const value = {
        key,
        files: known.map(({ path, mode, blob }) => [path, mode, blob]),
        missing: [...missing].filter(blob => blobs.has(blob)),
      }
      write.run(JSON.stringify(value))
    },
  }
}
