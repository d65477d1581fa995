/**
 * The highest fencing token, in a plain file beside local.db: tokens must grow even where local.db is deleted.
 *
 * Replaced without fsync: after a power cut that loses the mark, local.db still has the token, and the other way round.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../files/atomic-write.ts'
import { ioError } from '../files/io-error.ts'

const NAME = 'fencing-token'

/** Returns the highest token that was written to the folder; 0 where there is none. */
export function readFencingMark(folder: string): number {
  try {
    const token = Number(readFileSync(join(folder, NAME), 'utf8'))
    return Number.isSafeInteger(token) && token > 0 ? token : 0
  } catch {
    return 0 // local.db and the clock remain
  }
}

/** Writes a token. Called under the write lock. @throws PlanError io. */
export function writeFencingMark(folder: string, token: number): void {
  const path = join(folder, NAME)
  try {
    replaceFile(path, `${token}\n`)
  } catch (error) {
    throw ioError(error, path)
  }
}
