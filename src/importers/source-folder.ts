/** Reads the files of a source that is a folder. A file that cannot be read is reported and does not end the import. */
import { isUtf8 } from 'node:buffer'
import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PlanError } from '../model/errors.ts'
import type { Collector } from './import-collector.ts'
import { withoutBom } from './source-text.ts'

/** A larger file is reported and not read. */
const MAX_MEBIBYTES = 64

/** Returns the names in a folder, sorted. @throws PlanError import_source. */
export function readNames(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    const isFolder = exists(folder) && statSync(folder).isDirectory()
    const message = isFolder ? (error as Error).message : 'no such folder'
    throw new PlanError('import_source', `${folder}: ${message}`, { path: folder, place: null }, error)
  }
}

/** True for anything at the path, including a dangling link and a file without read permission. */
export function exists(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
  }
}

/** Reads the bytes of a file; undefined, and a line in the report, where it cannot be read. `lost` names what is then missing. */
export function readBytes({ drop }: Collector, folder: string, file: string, lost: string): Buffer | undefined {
  const path = join(folder, file)
  try {
    const stat = statSync(path) // before the file is opened: opening a FIFO would block
    if (!stat.isFile()) drop(file, `${lost}: it is not a file`)
    else if (stat.size > MAX_MEBIBYTES * 1024 * 1024) drop(file, `${lost}: it is larger than ${MAX_MEBIBYTES} MiB`)
    else return readFileSync(path)
  } catch (error) {
    drop(file, `${lost}: ${(error as Error).message}`)
  }
  return undefined
}

/** Reads the text of a file, without a byte order mark; undefined, and a line in the report, where it cannot be read. */
export function readText(collector: Collector, folder: string, file: string, lost: string): string | undefined {
  const bytes = readBytes(collector, folder, file, lost)
  if (!bytes) return undefined
  if (isUtf8(bytes)) return withoutBom(bytes.toString('utf8'))
  collector.drop(file, `${lost}: it is not valid UTF-8`)
  return undefined
}
