/** What the renewer asks about its claim, wherever the claims are: in local.db, or on the server of a fleet. */
import { statSync } from 'node:fs'
import type { Claim, Kept, LiveClaims, ReleaseEntry } from '../claims/claims.ts'
import { statKey } from '../files/file-system.ts'
import { isPlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import type { RenewRequest } from './messages.ts'

export interface ClaimCalls {
  /** Extends the claim. @throws PlanError. */
  renew(): Promise<Kept>
  /** True where claims have changed since the last question and the token is not that of the live claim any more. */
  isGone(): Promise<boolean>
  /** True where claims have changed since the last question and another claim on the Ticket is live. */
  isTaken(): Promise<boolean>
  /** Returns how a claim ended that cannot be renewed. @throws PlanError. */
  end(): Promise<{ isReleased: boolean; why: string }>
}

type Asked = Pick<RenewRequest, 'ticket' | 'token' | 'ttlMs'>

/** Returns the calls about one claim. */
export function claimCalls(store: Store, { ticket, token, ttlMs }: Asked): ClaimCalls {
  const { renew, read, changed } = store.fleet
    ? fleetCalls(store, store.fleet, ticket, token)
    : localCalls(store, ticket, token)
  const live = async (): Promise<Claim | undefined> => (await read()).claims.find(ticket)
  const unlessFailed = async (ask: () => Promise<boolean>): Promise<boolean> => {
    if (!changed()) return false
    try {
      return await ask()
    } catch (error) {
      if (isPlanError(error)) return false // the next renewal reports it
      throw error
    }
  }
  return {
    renew: () => renew(ttlMs),
    isGone: () => unlessFailed(async () => (await live())?.token !== token),
    isTaken: () =>
      unlessFailed(async () => {
        const claim = await live()
        return claim !== undefined && claim.token !== token
      }),
    async end() {
      const { claims, release } = await read()
      const claim = claims.find(ticket)
      if (claim) return { isReleased: false, why: `${claim.holder} has the Ticket now` }
      const end = release()
      if (end?.action === 'forced') return { isReleased: false, why: `it was released by force: ${end.reason ?? ''}` }
      if (end?.action === 'released') return { isReleased: true, why: 'it was released' }
      return { isReleased: false, why: 'it has expired' }
    },
  }
}

interface EngineCalls {
  renew(ttlMs: number): Promise<Kept>
  read(): Promise<{ claims: LiveClaims; release(): ReleaseEntry | undefined }>
  /** True where claims may have changed since the last question. */
  changed(): boolean
}

function localCalls({ claims, localPath }: Store, ticket: string, token: number): EngineCalls {
  const stat = () => statKey(statSync(localPath, { throwIfNoEntry: false }))
  let known = stat()
  return {
    renew: async ttlMs => claims.renew(ticket, token, ttlMs),
    read: async () => ({ claims: claims.snapshot(), release: () => claims.releaseOf(ticket, token) }),
    changed() {
      const now = stat()
      const isChanged = now !== known
      known = now
      return isChanged
    },
  }
}

function fleetCalls({ claims }: Store, fleet: NonNullable<Store['fleet']>, ticket: string, token: number): EngineCalls {
  let isHinted = false
  fleet
    .listen(() => {
      isHinted = true
    })
    .catch(() => {}) // then the next renewal shows a loss
  return {
    renew: async ttlMs => (await fleet.claims()).renew(ticket, token, ttlMs),
    async read() {
      const snapshot = await (await fleet.claims()).snapshot({ releasesOf: [], releaseOf: { ticket, token } })
      fleet.given.give({ snapshot })
      return { claims: claims.snapshot(), release: () => snapshot.release }
    },
    changed() {
      const was = isHinted
      isHinted = false
      return was
    },
  }
}
