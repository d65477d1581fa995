/** Asks whether a standard stream is a terminal. Imports nothing: every start of a command loads it. */

/** What readable output must know of the stream that it goes to. */
export interface Terminal {
  isTerminal: boolean
  /** Columns; undefined if it is no terminal, or one of unknown width. */
  width: number | undefined
  /** False off a terminal, with NO_COLOR and on a dumb terminal. */
  hasColours: boolean
}

/** Returns what the descriptor leads to; opens no stream unless it is a terminal. */
export function terminalOf(descriptor: 1 | 2): Terminal {
  const { isatty } = process.getBuiltinModule('node:tty')
  if (!isatty(descriptor)) return { isTerminal: false, width: undefined, hasColours: false }
  const { columns } = descriptor === 1 ? process.stdout : process.stderr
  return {
    isTerminal: true,
    width: columns || undefined, // 0 columns: the terminal does not know its width
    hasColours: !process.env.NO_COLOR && process.env.TERM !== 'dumb',
  }
}
