/** Writes to standard output and standard error. */
import { writeSync } from 'node:fs'
import { ioError } from '../files/io-error.ts'
import { pause } from '../files/pause.ts'

/**
 * Writes the whole text before it returns. Writes to the file descriptor itself: creating `process.stdout` takes a tenth of the
 * start-up time of Node. If the reader has closed the pipe, drops the rest and returns false; that is not an error.
 */
export function print(descriptor: 1 | 2, text: string | Buffer): boolean {
  const bytes = Buffer.from(text)
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') return false
      if (code !== 'EAGAIN') throw ioError(error, descriptor === 1 ? 'standard output' : 'standard error')
      pause() // the pipe is full and non-blocking
    }
  }
  return true
}
