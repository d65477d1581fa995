/**
 * The list of Ticket files that a sparse checkout leaves out. git makes it, and only when git's index has changed: the list is
 * kept beside the rows for other processes.
 *
 * Invariant: after `refresh` the list equals git's index.
 */
import { join } from 'node:path'
import type { Connection } from '../database/open.ts'
import { statKey } from '../files/file-system.ts'
import { isRacy } from '../files/racy-times.ts'
import type { Repository } from '../files/repository.ts'
import { findSparseIndex, type LeftOutFile, listLeftOutFiles } from '../git/left-out-files.ts'
import { isPlanError } from '../model/errors.ts'
import { isTicketFile } from './left-out-file.ts'
import { findStat } from './stat-data.ts'

export interface LeftOutList {
  /** By path. */
  readonly files: ReadonlyMap<string, LeftOutFile>
  /** Blobs that the clone had not fetched when they were last wanted. */
  readonly missing: ReadonlySet<string>
  /** Lists git's index again if it has changed. @throws PlanError no_git, git_failed, io. */
  refresh(): void
  /** Records whether the clone has fetched a blob. */
  setFetched(blob: string, isFetched: boolean): void
  /** True where `save` has something to store. */
  isUnsaved(): boolean
  /** Stores the list for other processes. Called in a transaction. */
  save(): void
}

/** What is known of git's index. */
interface Known {
  /** The state of git's index file; empty where it was so young that a later change may not show. */
  key: string
  files: Map<string, LeftOutFile>
  missing: Set<string>
}

/** Returns the list as one connection to the index of the checkout knows it; empty before the first `refresh`. */
export function leftOutList(connection: Connection, repository: Repository): LeftOutList {
  const stored = storedList(connection)
  let known = nothing()
  let isUnsaved = false
  return {
    get files() {
      return known.files
    },
    get missing() {
      return known.missing
    },
    refresh() {
      const { gitDir } = repository
      if (!gitDir) return
      const stat = findStat(join(gitDir, 'index'))
      const key = !stat || isRacy(stat.mtimeMs, stat.ctimeMs, Date.now()) ? '' : statKey(stat)
      const isCurrent = () => key !== '' && key === known.key
      if (isCurrent()) return
      const index = findSparseIndex(gitDir)
      if (!index) {
        known = { ...nothing(), key }
        return
      }
      known = stored.read() ?? known
      if (isCurrent()) return
      known = { key, files: listLeftOutTickets(repository, index.hasPatterns), missing: known.missing }
      isUnsaved = true
    },
    setFetched(blob, isFetched) {
      if (isFetched !== known.missing.has(blob)) return
      if (isFetched) known.missing.delete(blob)
      else known.missing.add(blob)
      isUnsaved = true
    },
    isUnsaved: () => isUnsaved,
    save() {
      if (isUnsaved) stored.write(known)
      isUnsaved = false
    },
  }
}

/** Returns what is known where nothing is left out. */
function nothing(): Known {
  return { key: '', files: new Map(), missing: new Set() }
}

/** Lists the Ticket files that a checkout leaves out, by path. @throws PlanError no_git, git_failed. */
export function listLeftOutTickets(
  { root, config }: Pick<Repository, 'root' | 'config'>,
  hasPatterns: boolean,
): Map<string, LeftOutFile> {
  try {
    const files = listLeftOutFiles(root, [config.ticketsDir]).filter(file => isTicketFile(file, config.ticketsDir))
    return new Map(files.map(file => [file.path, file]))
  } catch (error) {
    // Without patterns, a file is left out only where a person has marked it: that is no reason to need git.
    if (hasPatterns || !isPlanError(error)) throw error
    return new Map()
  }
}

/** Returns functions that read and write what is known, as one value beside the rows. */
function storedList(connection: Connection) {
  const read = connection.prepare<[], string>("select value from meta where key = 'left_out'").pluck()
  const write = connection.prepare<[string]>("insert or replace into meta values ('left_out', ?)")
  return {
    read(): Known | undefined {
      const value = read.get()
      if (value === undefined) return undefined
      const { key, files, missing } = JSON.parse(value) as { key: string; files: string[][]; missing: string[] }
      const entries = files.map(([path, mode, blob]) => ({ path: path!, mode: mode!, blob: blob! }))
      return { key, files: new Map(entries.map(file => [file.path, file])), missing: new Set(missing) }
    },
    write({ key, files, missing }: Known): void {
      const entries = [...files.values()]
      const blobs = new Set(entries.map(({ blob }) => blob))
      const value = {
        key,
        files: entries.map(({ path, mode, blob }) => [path, mode, blob]),
        missing: [...missing].filter(blob => blobs.has(blob)),
      }
      write.run(JSON.stringify(value))
    },
  }
}
