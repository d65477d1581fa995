/** Writes to standard output and standard error, and asks whether they are terminals. */
import { writeSync } from 'node:fs'
import { ioError } from '../files/io-error.ts'
import { pause } from '../files/pause.ts'

/**
 * Writes the whole text before it returns. Writes to the file descriptor itself: creating `process.stdout` takes a tenth of the
 * start-up time of Node. If the reader has closed the pipe, drops the rest and returns false; that is not an error.
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
      pause() // the pipe is full and non-blocking
    }
  }
  return true
}

/** What readable output must know of the stream that it goes to. */
export interface Terminal {
  isTerminal: boolean
  /** Columns; undefined if it is no terminal, or one of unknown width. */
  width: number | undefined
}

/** Returns what the descriptor leads to; opens no stream unless it is a terminal. */
export function terminalOf(descriptor: 1 | 2): Terminal {
  const { isatty } = process.getBuiltinModule('node:tty')
  if (!isatty(descriptor)) return { isTerminal: false, width: undefined }
  const { columns } = descriptor === 1 ? process.stdout : process.stderr
  return { isTerminal: true, width: columns || undefined } // 0 columns: the terminal does not know its width
}
