/**
 * The merge of three files for git: base, ours and theirs in, the merged Ticket out, in place of ours.
 *
 * Invariant: whatever goes wrong, ours is never left as if it were the result: then the file holds git's own text merge, with
 * markers where the sides differ, and the caller is told of a conflict; where not even that can be written, it throws. Loads neither SQLite nor anything else that a merge can do
 * without: git starts it once for each Ticket that both sides changed.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { DEFAULT_STATES, readConfig } from '../files/config.ts'
import { CONFIG_FILE } from '../files/repository.ts'
import { checkedBytes } from '../files/ticket-bytes.ts'
import { idFromPath } from '../files/ticket-files.ts'
import { mergeText } from '../git/git.ts'
import { decodeTicket } from '../model/canonical-json.ts'
import { anyFields, type Decision } from '../model/decision.ts'
import { escapeText } from '../model/escape-text.ts'
import { lazy } from '../model/lazy.ts'
import { mergeTickets } from '../model/merge.ts'
import { type Phase, phaseFunction } from '../model/phase.ts'
import { Refusal } from '../model/strict-json.ts'
import type { Ticket } from '../model/ticket.ts'

/** The files of one merge, as git names them for a driver: %O, %A, %B, and the path of the result, %P. */
export interface MergeFiles {
  base: string
  ours: string
  theirs: string
  path: string
}

/** What became of it. */
export interface FileMerge {
  /** True where ours holds the merged Ticket; else it holds the text merge, for a person to finish. */
  merged: boolean
  /** True where ours holds the markers of a conflict. */
  markers: boolean
  /** The decisions that keep what lost. */
  contested: Decision[]
  /** What a person should know; null where there is nothing to say. */
  message: string | null
}

/** Merges the three files into ours. */
export function mergeFiles(files: MergeFiles): FileMerge {
  try {
    const read = (side: string) => readFileSync(side)
    const merged = mergeBytes(read(files.base), read(files.ours), read(files.theirs), files.path, phaseOfFolder())
    replace(files.ours, merged.bytes)
    const fields = fieldNames(merged.contested)
    const message = fields
      ? `${escapeText(files.path)}: both sides changed ${fields}; what lost is kept as a contested decision`
      : null
    return { merged: true, markers: false, contested: merged.contested, message }
  } catch (error) {
    const markers = mergeAsText(files)
    const left = markers ? 'git merged it as text, with conflict markers' : 'git merged it as text'
    const message = `${escapeText(files.path)}: ${escapeText((error as Error).message)}; ${left}: mend it by hand, or see "ticketplan resolve --help"`
    return { merged: false, markers, contested: [], message }
  }
}

/**
 * Merges three versions of a Ticket file; an empty base stands for none.
 * @throws PlanError, Refusal or RangeError where a side cannot be read or the result would break a limit.
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
    base.length === 0 ? null : decode(base, 'the common version'),
    decode(ours, 'our side'),
    decode(theirs, 'their side'),
    phaseOf,
  )
  return { bytes: checkedBytes(ticket, path), contested }
}

/** The fields that the decisions are about, fit for a terminal: the first five and how many more. */
function fieldNames(contested: readonly Decision[]): string {
  const fields = [...new Set(contested.map(decision => escapeText(anyFields(decision).field ?? '')))]
  const more = fields.length > 5 ? ` and ${fields.length - 5} more` : ''
  return fields.slice(0, 5).join(', ') + more
}

/** Phases by the configuration of the working folder, where git starts a driver; read only when two states tie. */
function phaseOfFolder(): (state: string) => Phase {
  const phaseOf = lazy(() => {
    try {
      return phaseFunction(readConfig(CONFIG_FILE).states)
    } catch {
      return phaseFunction(DEFAULT_STATES) // in the middle of a merge it may be in conflict itself
    }
  })
  return state => phaseOf()(state)
}

/** Puts git's text merge into ours, or both sides whole between markers; true where there are markers. */
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

/** Whole or not at all: half of a file would look like a side. */
function replace(path: string, bytes: Uint8Array): void {
  const fresh = `${path}.${process.pid}`
  try {
    writeFileSync(fresh, bytes)
    renameSync(fresh, path)
  } finally {
    rmSync(fresh, { force: true })
  }
}
