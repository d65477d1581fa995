/** Defines `ticketplan keep`: runs a command while its claim is renewed. */
import { type KeptOutcome, runKept } from '../keep/kept-command.ts'
import { escapeText } from '../model/escape-text.ts'
import { jsonLine } from '../model/json-line.ts'
import { release, renew } from '../operations/claim.ts'
import { releaseOf } from '../operations/claim-in-fleet.ts'
import { type KeepInput, keepCommand } from '../operations/keep.ts'
import { type Command, parseInput } from '../operations/operation.ts'
import { runOperation } from '../operations/run-operation.ts'
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
    return keepClaim(store, input as unknown as KeepInput, message => {
      print(2, json ? jsonLine({ note: message }) : `ticketplan: ${escapeText(message)}\n`)
    })
  },
}

async function keepClaim(store: Store, input: KeepInput, say: (message: string) => void): Promise<number> {
  const { ticket: name, token, ttl, grace, command } = input
  const { claim, refused } = await runOperation(store, renew, { ticket: name, token, ttl })
  if (refused === 'fleet_unreachable') {
    say(`keep: the claim on ${name} could not be renewed; the command was not started`)
    return UNREACHABLE
  }
  if (refused !== undefined || !claim) {
    const holder = claim?.live ? `: ${claim.holder} has the Ticket` : ''
    say(`keep: the claim on ${claim?.ticket ?? name} is lost (${refused})${holder}; the command was not started`)
    return LOST
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
  return input.release && outcome.kind !== 'lost' ? await releaseAtEnd(store, ticket, input, status, say) : status
}

function statusOf(outcome: KeptOutcome, program: string, say: (message: string) => void): number {
  if (outcome.kind === 'lost') return LOST
  if (outcome.kind === 'ended') return outcome.status
  const { code, message } = outcome
  const isMissing = code === 'ENOENT'
  say(`keep: ${program}: ${isMissing ? 'command not found' : message}`)
  return isMissing ? NOT_FOUND : NOT_EXECUTABLE
}

/** Releases the claim; returns the exit status. A command that has released it itself is no failure. */
async function releaseAtEnd(
  store: Store,
  ticket: string,
  { token, state }: KeepInput,
  status: number,
  say: (message: string) => void,
): Promise<number> {
  const given = { ticket, token, ...(status === 0 && state !== undefined && { state }) }
  const { refused, warnings = [] } = await runOperation(store, release, parseInput(release, given))
  for (const warning of warnings) say(`keep: ${warning}`)
  if (refused === undefined) return status
  if ((await releaseOf(store, ticket, token))?.action === 'released') {
    say(`keep: the command has released the claim on ${ticket} itself`)
    return status
  }
  say(`keep: the claim on ${ticket} was lost before it could be released`)
  return LOST
}
