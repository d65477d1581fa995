/**
 * Merges three files for git: reads base, ours and theirs, and replaces ours by the merged Ticket.
 *
 * Invariant: after a failure, ours never holds what could be taken for a result. It then holds git's text merge, with conflict markers where the
 * sides differ, and the caller gets a conflict; where even that cannot be written, it throws. Must not load SQLite or other
 * modules that a merge does not need: git starts this once for each Ticket that both sides changed.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { readConfig } from '../files/config.ts'
import { CONFIG_FILE } from '../files/repository.ts'
import { checkedBytes } from '../files/ticket-bytes.ts'
import { idFromPath } from '../files/ticket-files.ts'
import { mergeText } from '../git/git.ts'
import { decodeTicket } from '../model/canonical-json.ts'
import { anyFields, type Decision } from '../model/decision.ts'
import { escapeText } from '../model/escape-text.ts'
import { lazy } from '../model/lazy.ts'
import { mergeTickets } from '../model/merge.ts'
import { DEFAULT_STATES, type Phase, statesOf } from '../model/states.ts'
import { Refusal } from '../model/strict-json.ts'
import type { Ticket } from '../model/ticket.ts'

/** The files of one merge, as git passes them to a driver: %O, %A, %B, and the path of the result, %P. */
export interface MergeFiles {
  base: string
  ours: string
  theirs: string
  path: string
}

/** The result of a merge of files. */
export interface FileMerge {
  /** True where ours holds the merged Ticket; false where it holds git's text merge, for a person to finish. */
  merged: boolean
  /** True where ours holds conflict markers. */
  markers: boolean
  /** The decisions that keep the losing values. */
  contested: Decision[]
  /** A line for a person, fit for a terminal; null where there is nothing to report. */
  message: string | null
}

/** Merges the three files into ours. @throws where not even the text merge can be written. */
export function mergeFiles(files: MergeFiles): FileMerge {
  try {
    const read = (side: string) => readFileSync(side)
    const merged = mergeBytes(read(files.base), read(files.ours), read(files.theirs), files.path, phaseOfFolder())
    replace(files.ours, merged.bytes)
    const fields = fieldNames(merged.contested)
    const message = fields
      ? `${escapeText(files.path)}: both sides changed ${fields}; the losing value is kept as a contested decision`
      : null
    return { merged: true, markers: false, contested: merged.contested, message }
  } catch (error) {
    const markers = mergeAsText(files)
    const done = markers ? 'git merged the file as text and left conflict markers' : 'git merged the file as text'
    const message = `${escapeText(files.path)}: ${escapeText((error as Error).message)}; ${done}: fix it by hand, or see "ticketplan resolve --help"`
    return { merged: false, markers, contested: [], message }
  }
}

/**
 * Merges three versions of a Ticket file; empty bytes as the base mean that there is none.
 * @throws PlanError, Refusal or RangeError where a version cannot be read or the result would exceed a limit.
 */
export function mergeBytes(
  base: Uint8Array,
  ours: Uint8Array,
  theirs: Uint8Array,
  path: string,
  phaseOf: (state: string) => Phase,
): { bytes: Buffer; contested: Decision[] } {
  const decode = (bytes: Uint8Array, side: string): Ticket => {
    try {
      return decodeTicket(bytes, idFromPath(path)).ticket
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const place = error.place ? ` (line ${error.place.line}, column ${error.place.column})` : ''
      throw new Refusal(error.code, `${side} cannot be read: ${error.message}${place}`, error.place)
    }
  }
  const { ticket, contested } = mergeTickets(
    base.length === 0 ? null : decode(base, 'the base'),
    decode(ours, 'our side'),
    decode(theirs, 'their side'),
    phaseOf,
  )
  return { bytes: checkedBytes(ticket, path), contested }
}

/** Returns the fields of the decisions, fit for a terminal: the first five and the number of the others. */
function fieldNames(contested: readonly Decision[]): string {
  const fields = [...new Set(contested.map(decision => escapeText(anyFields(decision).field ?? '')))]
  const more = fields.length > 5 ? ` and ${fields.length - 5} more` : ''
  return fields.slice(0, 5).join(', ') + more
}

/** Returns the phases of the configuration in the working folder, where git starts a driver. Reads it when two states tie. */
function phaseOfFolder(): (state: string) => Phase {
  const phaseOf = lazy(() => {
    try {
      return statesOf(readConfig(CONFIG_FILE).states).phaseOf
    } catch {
      return statesOf(DEFAULT_STATES).phaseOf // during a merge the configuration may be in conflict itself
    }
  })
  return state => phaseOf()(state)
}

/**
 * Writes git's text merge into ours, or both sides whole between markers where git cannot merge them.
 * @returns true where there are markers.
 */
function mergeAsText({ base, ours, theirs }: MergeFiles): boolean {
  const text = mergeText({ base, ours, theirs })
  if (text) {
    replace(ours, text)
    return /^<{7}/m.test(text.toString())
  }
  const side = (path: string) => {
    const text = readFileSync(path)
    return text.at(-1) === 10 ? text : Buffer.concat([text, Buffer.from('\n')])
  }
  const parts = [Buffer.from('<<<<<<< ours\n'), side(ours), Buffer.from('=======\n'), side(theirs)]
  replace(ours, Buffer.concat([...parts, Buffer.from('>>>>>>> theirs\n')]))
  return true
}

/**
 * Replaces a file by a rename, so that a process that is killed never leaves half of it. Does not sync as `atomic-write.ts` does:
 * git reads the file at once and writes its own, and the syncs would add 10 ms to each merge.
 */
function replace(path: string, bytes: Uint8Array): void {
  const fresh = `${path}.${process.pid}`
  try {
    writeFileSync(fresh, bytes)
    renameSync(fresh, path)
  } finally {
    rmSync(fresh, { force: true })
  }
}
