/** Defines the command `keep`, which runs another command. The command line alone has it: see cli/keep.ts. */
import * as z from 'zod/mini'
import { renew } from './claim.ts'
import { command, filledLine, flag, type InputOf, ticketName } from './operation.ts'

const fields = {
  ticket: { ...renew.fields.ticket, schema: ticketName },
  command: {
    schema: z.array(z.string()).check(z.minLength(1)),
    help: 'the command with its arguments',
    positional: true,
    list: true,
    afterDashes: true,
    completes: 'file',
  },
  token: renew.fields.token,
  ttl: { ...renew.fields.ttl, help: 'how long a renewal lasts: seconds, or 30m, 2h (default: as the claim was taken)' },
  grace: {
    schema: z._default(z.number().check(z.minimum(0), z.maximum(3600, 'must be at most an hour')), 10),
    help: 'if the claim is lost: how long the command has from SIGTERM to SIGKILL (default: 10)',
    value: 'time',
    span: true,
  },
  release: { schema: flag, help: 'release the claim when the command has ended' },
  state: {
    schema: z.optional(filledLine),
    help: 'with --release: also set this state if the command has succeeded',
    value: 'state',
    completes: 'state',
  },
} as const

export type KeepInput = InputOf<typeof fields>

export const keepCommand = command({
  name: 'keep',
  summary: 'Run a command, and renew its claim while it runs',
  details: `Renews at a third of the time to live, from a process that does nothing else: a busy or stopped command does not lose its claim. If this process is killed, the renewals end and the claim expires. The command inherits standard input, output and error, gets SIGINT, SIGTERM and SIGHUP passed on, and finds TICKETPLAN_TICKET and TICKETPLAN_TOKEN in its environment.

If the claim is lost (taken over, released by force, expired), it says so, ends the command and exits with 75. Else the exit status is that of the command: 128 and the number of the signal that ended it, 127 if it was not found, 126 if it cannot be run. Works on a branch without a tickets folder. With --json its messages are JSON lines on standard error, at the end one with status, lost and released: standard output is the command's.`,
  fields,
  examples: [
    'ticketplan keep T-2 --token 1781234567 -- npm test',
    'ticketplan keep T-2 --token 1781234567 --release --state done -- ./work.sh',
  ],
  check({ release, state }, nameOf) {
    if (state === undefined || release) return undefined
    return { field: 'state', message: `${nameOf('state')} needs ${nameOf('release')}` }
  },
})
