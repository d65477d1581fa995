/**
 * What the Ticket files of a commit contain, as far as losses are concerned: which decisions, and which of them are retracted.
 *
 * Also reads a file that is no valid Ticket, such as a merge that was committed with its conflict markers.
 */
import { readBlobs } from '../git/blobs.ts'
import type { TicketFile } from './merge-history.ts'

/** The content of one Ticket in one commit, of all its files together. */
export interface TicketContent {
  exists: boolean
  /** The JSON text of each decision, by id. */
  decisions: ReadonlyMap<string, string>
  /** The ids of retracted decisions. */
  retracted: ReadonlySet<string>
}

const ABSENT: TicketContent = { exists: false, decisions: new Map(), retracted: new Set() }

/** Reads the files in one run of git; returns a function from the files of one Ticket to its content. */
export function readContents(
  root: string,
  files: readonly TicketFile[],
): (files: readonly TicketFile[]) => TicketContent {
  const blobs = readBlobs(
    root,
    files.map(({ blob }) => blob),
  )
  const contents = new Map([...blobs].map(([blob, bytes]) => [blob, parseContent(bytes)]))
  return files => {
    const [first, ...more] = files.flatMap(({ blob }) => contents.get(blob) ?? [])
    return more.reduce(union, first ?? ABSENT)
  }
}

function union(one: TicketContent, other: TicketContent): TicketContent {
  return {
    exists: true,
    decisions: new Map([...one.decisions, ...other.decisions]),
    retracted: new Set([...one.retracted, ...other.retracted]),
  }
}

function parseContent(bytes: Buffer | 'too_large'): TicketContent {
  const decisions = parseDecisions(bytes === 'too_large' ? '' : bytes.toString())
  const retracted = decisions.flatMap(({ kind, retracts }) => (kind === 'retraction' && retracts ? [retracts] : []))
  return {
    exists: true,
    decisions: new Map(decisions.map(decision => [decision.id, JSON.stringify(decision)])),
    retracted: new Set(retracted),
  }
}

/** Parses the decisions of a Ticket file; where the text is not JSON, everything that looks like the id of a decision. */
function parseDecisions(text: string): { id: string; kind?: string; retracts?: string }[] {
  try {
    const { decisions } = JSON.parse(text) as { decisions?: { id: string }[] }
    if (Array.isArray(decisions)) return decisions.filter(decision => typeof decision?.id === 'string')
  } catch {}
  return [...text.matchAll(/"id"\s*:\s*"([0-7][0-9A-HJKMNP-TV-Z]{25})"/g)].map(match => ({ id: match[1]! }))
}
