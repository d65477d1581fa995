/** Writing to standard output and standard error. */
import { writeSync } from 'node:fs'
import { ioError } from '../files/io-error.ts'
import { pause } from '../files/pause.ts'

/**
 * Writes all of the text before it returns, straight to the file descriptor: making `process.stdout` costs a tenth of Node's
 * own start. Where the reader has gone away the rest is dropped quietly and the result is false; the exit status still tells.
 */
export function print(descriptor: 1 | 2, text: string): boolean {
  const bytes = Buffer.from(text)
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') return false
      if (code !== 'EAGAIN') throw ioError(error, descriptor === 1 ? 'standard output' : 'standard error')
      pause() // a pipe that is full and does not block
    }
  }
  return true
}

/** What readable output needs to know of standard output; asking does not open it. */
export interface Terminal {
  isTerminal: boolean
  /** Columns; undefined off a terminal. */
  width: number | undefined
}

export function terminalOf(descriptor: 1 | 2): Terminal {
  const { isatty } = process.getBuiltinModule('node:tty')
  if (!isatty(descriptor)) return { isTerminal: false, width: undefined }
  return { isTerminal: true, width: (descriptor === 1 ? process.stdout : process.stderr).columns }
}
