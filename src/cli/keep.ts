/** Defines `ticketplan keep`: runs a command while its claim is renewed. */
import { statSync } from 'node:fs'
import { type KeptOutcome, runKept } from '../keep/kept-command.ts'
import { isPlanError } from '../model/errors.ts'
import { escapeText } from '../model/escape-text.ts'
import { jsonLine } from '../model/json-line.ts'
import { release, renew } from '../operations/claim.ts'
import { releaseOf } from '../operations/claim-in-fleet.ts'
import { type KeepInput, keepCommand } from '../operations/keep.ts'
import { type Command, parseInput } from '../operations/operation.ts'
import { runOperation } from '../operations/run-operation.ts'
import type { OutputOf } from '../sdk.ts'
import type { Store } from '../store/store.ts'
import { print } from './print.ts'
import type { StreamingCommand } from './watch.ts'

/** The exit status where the claim was lost; EX_TEMPFAIL of sysexits.h. */
const LOST = 75
/** That of `renew` where the server of a fleet cannot be reached. */
const UNREACHABLE = 5
/** Those of a shell, for a command that cannot be run. */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126

export const keep: StreamingCommand = {
  ...(keepCommand as unknown as Command),
  async stream(store, { json }, input) {
    const kept = await keepClaim(store, input as unknown as KeepInput, message => {
      print(2, json ? jsonLine({ note: message }) : `ticketplan: ${escapeText(message)}\n`)
    })
    // Standard output is the command's.
    if (json) print(2, jsonLine(kept))
    return kept.status
  },
}

/** What `--json` says at the end. */
interface Kept {
  ticket: string
  /** The exit status. */
  status: number
  /** True where the claim was lost, before or while the command ran. */
  lost: boolean
  /** True where `keep` has released the claim. */
  released: boolean
}

async function keepClaim(store: Store, input: KeepInput, say: (message: string) => void): Promise<Kept> {
  const { ticket: name, token, ttl, grace, command } = input
  const { claim, refused } = await runOperation(store, renew, { ticket: name, token, ttl })
  if (refused === 'fleet_unreachable') {
    say(`keep: the claim on ${name} could not be renewed; the command was not started`)
    return { ticket: name, status: UNREACHABLE, lost: false, released: false }
  }
  if (refused !== undefined || !claim) {
    const holder = claim?.live ? `: ${claim.holder} has the Ticket` : ''
    say(`keep: the claim on ${claim?.ticket ?? name} is lost (${refused})${holder}; the command was not started`)
    return { ticket: claim?.ticket ?? name, status: LOST, lost: true, released: false }
  }
  const { ticket } = claim
  const ttlMs = Date.parse(claim.expires_at) - Date.parse(claim.renewed_at)
  const outcome = await runKept(
    { root: store.repository.root, ticket, token, ttlMs, graceMs: grace * 1000 },
    command as [string, ...string[]],
    {
      env: { ...process.env, TICKETPLAN_TICKET: ticket, TICKETPLAN_TOKEN: String(token) },
      onNote: message => say(`keep: ${message}`),
      onLost: why => say(`keep: the claim on ${ticket} is lost: ${why}; ending the command`),
    },
  )
  const status = statusOf(outcome, command[0]!, say)
  if (!input.release || outcome.kind === 'lost')
    return { ticket, status, lost: outcome.kind === 'lost', released: false }
  return releaseAtEnd(store, ticket, input, status, say)
}

function statusOf(outcome: KeptOutcome, program: string, say: (message: string) => void): number {
  if (outcome.kind === 'lost') return LOST
  if (outcome.kind === 'ended') return outcome.status
  const { code, message } = outcome
  const isMissing = code === 'ENOENT'
  say(`keep: ${program}: ${startProblem(program, code) ?? message}`)
  return isMissing ? NOT_FOUND : NOT_EXECUTABLE
}

/** Returns why a command cannot be started; undefined for a code that says nothing to a person. */
function startProblem(program: string, code: string): string | undefined {
  if (code === 'EACCES') {
    const isFolder = statSync(program, { throwIfNoEntry: false })?.isDirectory()
    return isFolder ? 'is a folder, not a command' : 'is not executable; "chmod +x" makes it so'
  }
  if (code === 'ENOENT') return 'command not found'
  if (code === 'ENOEXEC') return 'is not a program of this machine, and has no "#!" line'
  if (code === 'E2BIG') return 'its arguments and environment are too long for the system'
  return undefined
}

/**
 * Releases the claim; returns what became of it. A command that has released it itself is no failure, and the status of one
 * that has failed stays. @throws PlanError where the command has succeeded and the claim cannot be released.
 */
async function releaseAtEnd(
  store: Store,
  ticket: string,
  { token, state }: KeepInput,
  status: number,
  say: (message: string) => void,
): Promise<Kept> {
  const given = { ticket, token, ...(status === 0 && state !== undefined && { state }) }
  let outcome: OutputOf<'release'>
  try {
    outcome = await runOperation(store, release, parseInput(release, given))
  } catch (error) {
    if (status === 0 || !isPlanError(error)) throw error
    say(`keep: the claim on ${ticket} could not be released: ${error.message}`)
    return { ticket, status, lost: false, released: false }
  }
  const { refused, warnings = [] } = outcome
  for (const warning of warnings) say(`keep: ${warning}`)
  if (refused === undefined) return { ticket, status, lost: false, released: true }
  if ((await releaseOf(store, ticket, token))?.action === 'released') {
    say(`keep: the command has released the claim on ${ticket} itself`)
    return { ticket, status, lost: false, released: false }
  }
  say(`keep: the claim on ${ticket} was lost before it could be released`)
  return { ticket, status: LOST, lost: true, released: false }
}
