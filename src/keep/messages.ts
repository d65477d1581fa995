/** What the process of `keep` and its renewer say to each other: lines of JSON over pipes. */

/** The first line that the renewer reads. */
export interface RenewRequest {
  /** The root of the checkout. */
  root: string
  ticket: string
  token: number
  ttlMs: number
  /** How long the command has between SIGTERM and SIGKILL. */
  graceMs: number
}

/** Each later line that the renewer reads: the command has been started. The end of its input ends the renewer. */
export interface Started {
  pid: number
}

/** A line that the renewer writes. */
export type Report =
  /** A renewal has succeeded. */
  | { kind: 'renewed' }
  /** The holder has released the claim with its token: it is not renewed any more, and the command goes on. */
  | { kind: 'released' }
  /** The claim is lost: the command is being ended. */
  | { kind: 'lost'; why: string }
  /** What a person should know. */
  | { kind: 'note'; message: string }

/** Calls `action` with each line of the chunks that it is given, parsed. */
export function jsonLines<T>(action: (line: T) => void): (chunk: string) => void {
  let rest = ''
  return chunk => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) action(JSON.parse(line) as T)
  }
}
