/** The four calls to the server of a fleet. The rules are in the functions of migrations/fleet. */
import type { Released, ReleaseEntry } from '../claims/claims.ts'
import type { AreaPattern } from '../model/area.ts'
import { withoutUndefined } from '../model/objects.ts'
import type {
  FleetAcquired,
  FleetClaim,
  FleetClaims,
  FleetKept,
  FleetLogEntry,
  FleetSnapshot,
  KnownFleetClaim,
  SnapshotRequest,
} from './fleet-claims.ts'
import type { FleetServer } from './fleet-server.ts'
import { FLEET_SCHEMA_VERSION } from './migrations.ts'

/** Whose claims they are. */
export interface ClaimsOwner {
  fleet: string
  /** The random id of this clone. */
  machine: string
  /** The configured capacities of pools, which `fleet status` compares with those of other clones. */
  pools: Record<string, number>
}

/** A clone that has taken claims, with its capacities. */
export interface FleetMachine {
  machine: string
  pools: Record<string, number>
  seen_at: string
}

/** The claims of a fleet on its server. */
export interface ServerClaims extends FleetClaims {
  /** Lists the clones that have taken claims. */
  machines(): Promise<FleetMachine[]>
}

/** A snapshot as the server sends it. */
interface SnapshotDocument {
  server: string
  changes: number
  now: string
  claims: KnownFleetClaim[]
  releases: [ticket: string, state: string, state_at: string | null, at: string][]
  log?: FleetLogEntry[]
  release?: ReleaseEntry | null
  machines?: FleetMachine[]
}

type AcquiredDocument =
  | { status: 'acquired'; claim: FleetClaim; taken_from: string | null; changes: number }
  | { status: 'renewed'; claim: FleetClaim; changes: number }
  | { status: 'held'; claim: FleetClaim; snapshot: SnapshotDocument }
  | { status: 'changed'; snapshot: SnapshotDocument }

/** Returns the claims of a fleet on its server. */
export function serverClaims(server: FleetServer, { fleet, machine, pools }: ClaimsOwner): ServerClaims {
  /** The server's start, which each snapshot has: counts of changes compare only within one. */
  let start: string | undefined

  const call = async <T>(name: 'snapshot' | 'acquire' | 'renew' | 'release', request: object): Promise<T> => {
    const document = JSON.stringify({ version: FLEET_SCHEMA_VERSION, ...request })
    const [row] = await server.query(`select ticketplan.${name}($1, $2::jsonb) as answer`, [fleet, document])
    return row!.answer as T
  }
  const noted = (document: SnapshotDocument, releasesOf: readonly string[] | undefined): FleetSnapshot => {
    start = document.server
    return { ...snapshotOf(document), releasesOf: releasesOf ? new Set(releasesOf) : null }
  }

  return {
    async snapshot(request = {}) {
      return noted(await call('snapshot', snapshotRequest(request)), request.releasesOf)
    },
    async acquire({ asked, token, ttlMs, area, releasesOf, ...request }) {
      const answer = await call<AcquiredDocument>('acquire', {
        capacities: pools,
        ...request,
        machine,
        server: start,
        presented: token,
        releases_of: releasesOf,
        ttl_ms: ttlMs,
        area: area?.map(({ pattern, shared }): AreaPattern => ({ pattern, shared })),
        ...(asked && { tickets: asked.tickets, pools: asked.pools }),
      })
      return acquiredOf(answer, document => noted(document, releasesOf))
    },
    renew: (ticket, token, ttlMs) => call<FleetKept>('renew', { ticket, token, ttl_ms: ttlMs }),
    release: (ticket, by, seen) =>
      call<FleetKept>('release', {
        ticket,
        ...('force' in by ? { reason: by.reason, forced_by: by.by } : { token: by.token }),
        ...seen,
        call: process.getBuiltinModule('node:crypto').randomUUID(),
      }),
    machines: async () =>
      (await call<SnapshotDocument>('snapshot', { machines: true, releases_of: [] })).machines ?? [],
  }
}

function snapshotRequest({ withReleased, releasesOf, log, releaseOf }: SnapshotRequest): object {
  return withoutUndefined({
    with_released: withReleased,
    releases_of: releasesOf,
    log: log && withoutUndefined({ ...log.filter, limit: log.limit }),
    release_of: releaseOf,
  })
}

function snapshotOf({
  changes,
  now,
  claims,
  releases,
  log,
  release,
}: SnapshotDocument): Omit<FleetSnapshot, 'releasesOf'> {
  const released = releases.map(([ticket, state, state_at, at]): [string, Released] => [
    ticket,
    { state, state_at, at },
  ])
  return { changes, now, claims, releases: new Map(released), log: log ?? [], release: release ?? undefined }
}

function acquiredOf(answer: AcquiredDocument, noted: (document: SnapshotDocument) => FleetSnapshot): FleetAcquired {
  if (answer.status === 'acquired') {
    const { status, claim, taken_from, changes } = answer
    return { status, claim, takenFrom: taken_from, changes }
  }
  if (answer.status === 'renewed') return { status: 'renewed', claim: answer.claim, changes: answer.changes }
  if (answer.status === 'changed') return { status: 'changed', snapshot: noted(answer.snapshot) }
  return { status: 'held', claim: answer.claim, snapshot: noted(answer.snapshot) }
}
