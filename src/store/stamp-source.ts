/** Author, time and ids for decisions that are made now. */
import { createRequire } from 'node:module'
import { findGitConfig } from '../git/git.ts'
import type { Stamp } from '../model/change.ts'
import { PlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import { LIMITS } from '../model/text.ts'

/**
 * Returns a function that makes stamps. The author is `actor`, else `$TICKETPLAN_ACTOR`, else git's `user.name` at the root.
 * That function throws PlanError no_actor, invalid_input.
 */
export function stampSource(
  root: string,
  actor: string | undefined,
  now: () => number,
  newId: (timeMs: number) => string = ulidFactory(),
): () => Stamp {
  const author = lazy(() => checkAuthor(actor || process.env.TICKETPLAN_ACTOR || findGitConfig(root, 'user.name')))
  return () => ({ by: author(), nowMs: now(), newId })
}

/** Returns a monotonic source of ULIDs. The package is loaded for the first one: reading needs no ids. */
function ulidFactory(): (timeMs: number) => string {
  const load = () => createRequire(import.meta.url)('ulid') as typeof import('ulid')
  const ulid = lazy(() => load().monotonicFactory(randomFractions()))
  return timeMs => ulid()(timeMs)
}

/** Returns a source of random numbers from 0 to 1. An id needs 16 of them, and each call of the system takes longer than all. */
function randomFractions(): () => number {
  const { randomBytes } = process.getBuiltinModule('node:crypto')
  let bytes: Buffer | undefined
  let next = 0
  return () => {
    if (!bytes || next === bytes.length) {
      bytes = randomBytes(1024)
      next = 0
    }
    return bytes[next++]! / 256
  }
}

function checkAuthor(name: string | undefined): string {
  if (!name) {
    const message =
      'the author of the decision is unknown; name the actor, set TICKETPLAN_ACTOR, or set user.name in git'
    throw new PlanError('no_actor', message, {})
  }
  if (/\p{Cc}/u.test(name) || Buffer.byteLength(name) > LIMITS.lineBytes) {
    throw new PlanError('invalid_input', "the actor's name must be one line of at most 1 KiB", { field: 'actor' })
  }
  return name
}
