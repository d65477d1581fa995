/** Reads a text from standard input: a reason given as `-`, or the lines of `record --stdin`. */
import { isUtf8 } from 'node:buffer'
import { readSync } from 'node:fs'
import { ioError } from '../files/io-error.ts'
import { pause } from '../files/pause.ts'
import { PlanError } from '../model/errors.ts'

/** Returns the text on standard input for an option, without line breaks at its end. @throws PlanError usage, io. */
export function readStdinText(flag: string): string {
  if (process.getBuiltinModule('node:tty').isatty(0))
    process.stderr.write(`reading --${flag} from standard input; end it with ctrl-d\n`)
  return readStdin(`--${flag}`).replace(/[\r\n]+$/, '')
}

/** Returns all of standard input, without a byte order mark. `what` names it in errors. @throws PlanError usage, io. */
export function readStdin(what: string): string {
  const bytes = readAll()
  if (!isUtf8(bytes)) throw new PlanError('usage', `${what}: standard input is not UTF-8`, { command: null })
  const text = bytes.toString('utf8')
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

function readAll(): Buffer {
  const chunks: Buffer[] = []
  const chunk = Buffer.alloc(64 * 1024)
  for (;;) {
    try {
      const length = readSync(0, chunk)
      if (length === 0) return Buffer.concat(chunks)
      chunks.push(Buffer.from(chunk.subarray(0, length)))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EOF') return Buffer.concat(chunks) // on Windows
      if (code !== 'EAGAIN') throw ioError(error, 'standard input')
      pause(20) // a program has left the pipe in non-blocking mode
    }
  }
}
