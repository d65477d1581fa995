/** Who asks for a verdict: the fields that `consult`, `accept` and `claim` share. */
import * as z from 'zod/mini'
import type { Asking } from '../model/asking.ts'
import { poolName } from '../model/fields.ts'
import type { Store } from '../store/store.ts'
import { filledLine } from './operation.ts'

export const sessionField = {
  schema: z.optional(filledLine),
  help: "the holder's session (default: $TICKETPLAN_SESSION); the same name in another session is another holder",
  value: 'name',
} as const
export const askingTokenField = {
  schema: z.optional(z.int().check(z.positive())),
  help: 'the token of the live claim, which makes its bearer the holder',
  value: 'n',
} as const
export const askedPoolField = {
  schema: z.optional(poolName()),
  help: 'the pool to take a slot of',
  value: 'name',
  completes: 'pool',
} as const

/** Returns the asker of an input; the session is the one given, else that of the store. */
export function askingOf(store: Store, { holder, session, token, pool }: Asking): Asking {
  return { holder, session: session ?? store.session, token, pool, machine: store.fleet?.machine }
}
