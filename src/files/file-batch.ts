/**
 * Writes several files durably at once: all bytes beside their targets, fsync of each, then the renames, then one fsync of each
 * folder. A disk makes many files durable in much less time than one after the other.
 *
 * Invariant: each target holds its old bytes or its new bytes, complete, whenever the process ends. No target changes before the
 * bytes of all files are durable.
 */
import { dirname } from 'node:path'
import { type Placement, type StagedFile, stageFile, syncRenamed } from './atomic-write.ts'
import { type FileStat, fileStat } from './ticket-files.ts'

/** How many temporary files are open at the same time. */
const MOST_OPEN = 32

/** A file that is in place. `stat` was taken before it got its name, which changes `ctimeMs`. */
interface PlacedFile {
  path: string
  stat: FileStat
}

/** What became of the files of a batch. Where `error` is set, those in neither list are as they were. */
interface PlacedFiles {
  /** In place, and durable unless there is an error. */
  replaced: PlacedFile[]
  /** Another program has changed them: left as they are. */
  changed: string[]
  /** Why the batch ended early, or why a power cut may undo what is in place. */
  error?: unknown
}

export interface FileBatch extends Disposable {
  /** Writes the bytes beside the target. @throws PlanError io: then the file is not in the batch. */
  add(path: string, bytes: Uint8Array, placement: Placement): void
  /** Makes all bytes durable. @throws PlanError io: then nothing has been replaced. */
  sync(): void
  /** Puts the files in place, in their order. Called after `sync`. Never throws. */
  place(): PlacedFiles
  /** Removes the temporary files that are left. */
  [Symbol.dispose](): void
}

/** Returns an empty batch. */
export function fileBatch(): FileBatch {
  const staged: { file: StagedFile; stat: FileStat | undefined }[] = []
  let synced = 0
  const sync = () => {
    for (; synced < staged.length; synced++) {
      const entry = staged[synced]!
      entry.stat = fileStat(entry.file.sync())
    }
  }
  return {
    add(path, bytes, placement) {
      staged.push({ file: stageFile(path, bytes, placement), stat: undefined })
      if (staged.length - synced >= MOST_OPEN) sync()
    },
    sync,
    place() {
      const placed: PlacedFiles = { replaced: [], changed: [] }
      try {
        for (const { file, stat } of staged) {
          if (file.place() === 'replaced') placed.replaced.push({ path: file.path, stat: stat! })
          else placed.changed.push(file.path)
        }
      } catch (error) {
        placed.error = error
      }
      try {
        syncFolders(placed.replaced.map(({ path }) => path))
      } catch (error) {
        placed.error ??= error
      }
      return placed
    },
    [Symbol.dispose]() {
      for (const { file } of staged.splice(0)) file.discard()
      synced = 0
    },
  }
}

function syncFolders(paths: readonly string[]): void {
  for (const [folder, inFolder] of Map.groupBy(paths, path => dirname(path))) syncRenamed(folder, inFolder)
}
