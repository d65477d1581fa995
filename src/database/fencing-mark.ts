/**
 * The highest fencing token, in a plain file beside local.db: tokens must grow even where local.db is deleted.
 *
 * Replaced without fsync: after a power cut that loses the mark, local.db still has the token, and the other way round.
 */
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ioError } from '../files/io-error.ts'
import { checkStateFiles, createNewStateFile } from '../files/state-folder.ts'
import { PlanError } from '../model/errors.ts'

const NAME = 'fencing-token'

/** Returns the highest token that was written to the folder; 0 where there is none. @throws PlanError unsafe_path. */
export function readFencingMark(folder: string): number {
  const path = join(folder, NAME)
  checkStateFiles([path])
  try {
    const token = Number(readFileSync(path, 'utf8'))
    return Number.isSafeInteger(token) && token > 0 ? token : 0
  } catch {
    return 0 // local.db and the clock remain
  }
}

/** Writes a token. Called under the write lock. @throws PlanError contended, unsafe_path, io. */
export function writeFencingMark(folder: string, token: number): void {
  const path = join(folder, NAME)
  const temp = `${path}.${process.pid}-${process.getBuiltinModule('node:crypto').randomBytes(4).toString('hex')}.tmp`
  try {
    createNewStateFile(temp, `${token}\n`)
    // Where two processes think that they have the lock, one of them fails: the mark only grows.
    if (readFencingMark(folder) >= token) {
      const message = `${path}: another process has taken the token ${token}; nothing was written; run the command again`
      throw new PlanError('contended', message, { path })
    }
    renameSync(temp, path)
  } catch (error) {
    rmSync(temp, { force: true })
    throw ioError(error, path)
  }
}
