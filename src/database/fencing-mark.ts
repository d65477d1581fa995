/**
 * The highest fencing token, kept beside local.db too: tokens have to grow even where that file is deleted in between. A plain
 * file, replaced by rename; that it may be lost in a power cut is made up for by local.db, and the other way round.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { databaseError } from './sqlite-error.ts'

const NAME = 'fencing-token'

/** The highest token noted; 0 where there is no note. */
export function readFencingMark(folder: string): number {
  try {
    const token = Number(readFileSync(join(folder, NAME), 'utf8'))
    return Number.isSafeInteger(token) && token > 0 ? token : 0
  } catch {
    return 0 // local.db and the clock remain
  }
}

/** Notes a token; called inside the write lock. @throws PlanError io. */
export function writeFencingMark(folder: string, token: number): void {
  const path = join(folder, NAME)
  try {
    writeFileSync(`${path}.tmp`, `${token}\n`)
    renameSync(`${path}.tmp`, path)
  } catch (error) {
    throw databaseError(error, path)
  }
}
