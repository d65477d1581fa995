/**
 * Keeps the index current and tells of each change, whoever made it and whoever indexed it first.
 *
 * What chokidar says is a hint. A hint leads to a look at all files; after a burst follows one more; and a look is due every few
 * seconds, hints or none. What is told comes from comparing the index with what was told before. A look that takes long makes
 * the next ones rarer. Where hints cannot be relied on, looks alone remain, and that is said once.
 */
import { lstatSync } from 'node:fs'
import type { LiveClaims } from '../claims/claims.ts'
import { isSharedFileSystem } from '../files/file-system.ts'
import { isPlanError } from '../model/errors.ts'
import { compareText } from '../model/order.ts'
import type { Store } from '../store/store.ts'
import type { Watcher } from '../store/watcher-trust.ts'
import { watchFolder } from './folder-watch.ts'
import { type TicketDifference, ticketMemory } from './ticket-memory.ts'
import { type TracedChange, type VerdictChange, verdictMemory } from './verdict-memory.ts'

/** One change of one Ticket. */
export interface TicketEvent extends Omit<TicketDifference, 'path' | 'change'> {
  /** The Ticket's file, from the root; null where it has none. */
  path: string | null
  change: TicketDifference['change'] | 'claimed' | 'unclaimed'
  /** Queued Tickets whose verdict this change made another one, as far as can be told. */
  verdicts: VerdictChange[]
}

export interface WatchOptions {
  /** How often all files are looked at where nothing is heard, at least, in ms. Default 3,000. */
  checkEveryMs?: number
}

/** A watch that is on. */
export interface Watching extends Disposable {
  /** Ends it; nothing is told after this. */
  close(): void
}

/** From the first hint to a look, at least: what belongs together comes together. */
const QUIET_MS = 50
/** From the first hint to a look, at most, while more hints come. */
const PATIENCE_MS = 500
/** From a look that hints led to, to the one more. */
const FOLLOW_UP_MS = 250
/** How often claims are looked at, and whether another process has changed the index. */
const PULSE_MS = 500
const CHECK_EVERY_MS = 3000
/** Without hints. */
const SCAN_EVERY_MS = 1000
/** The rest between looks, as a multiple of how long one takes: after hints, and without. */
const REST = { hinted: 4, unasked: 50 }

/**
 * Watches until it is closed; keeps the process running so long. The listener is called once a change, in order, never
 * before this has returned. What it throws is thrown again where nobody catches it, as from an event of Node's own: it does
 * not end the watch. What goes wrong in a look is said by the store's `notify` once, and tried again.
 * @throws PlanError where the first look fails.
 */
export function watchTickets(
  store: Store,
  listener: (event: TicketEvent) => void,
  { checkEveryMs = CHECK_EVERY_MS }: WatchOptions = {},
): Watching {
  store.reconcile()
  let version = store.index.version()
  let mark = store.index.generation()
  const { tickets, verdicts, tokens } = store.peek(view => ({
    tickets: ticketMemory(view.queries),
    verdicts: verdictMemory(view),
    tokens: tokensOf(view.claims),
  }))
  let claimTokens = tokens
  let over = false
  let timer: NodeJS.Timeout | undefined
  let lastMs = 0
  /** What a look takes: the shorter of the last two, so that one that had much to do does not put off the next. */
  let lookMs = 0
  let lookedAt = performance.now()
  /** The first and the last hint since the last look began. */
  let hinted: { first: number; last: number } | undefined
  let followUp = false
  let isTroubled = false

  let unwatch: (() => void) | undefined
  let watchedFolder = ''
  let hears: 'not yet' | 'well' | 'not' = 'not yet'
  let saidDeaf = false
  const watcher: Watcher = { isReliable: () => hears === 'well', lastEventAt: Number.POSITIVE_INFINITY, trustedMs: 0 }
  const distrust = store.trust(watcher)

  const hint = () => {
    const now = performance.now()
    watcher.lastEventAt = now
    const isFirst = hinted === undefined
    hinted = { first: hinted?.first ?? now, last: now }
    if (isFirst) schedule()
  }
  const goDeaf = (reason: string) => {
    hears = 'not'
    if (!saidDeaf)
      store.notify(`changes cannot be heard of (${reason}): all files are looked at every second or so instead`)
    saidDeaf = true
    schedule()
  }
  /** Listens to the tickets folder that is there now, where it is another one than before. */
  const follow = () => {
    const { ticketsDir } = store.repository
    const folder = identityOf(ticketsDir)
    if (folder === watchedFolder) return
    unfollow()
    watchedFolder = folder
    if (isSharedFileSystem(ticketsDir)) return goDeaf('other machines can write to this file system')
    unwatch = watchFolder(ticketsDir, {
      onReady() {
        hears = 'well'
        hint()
      },
      onHint: hint,
      onFailure: goDeaf,
    })
  }
  const unfollow = () => {
    unwatch?.()
    unwatch = undefined
    watchedFolder = ''
    hears = 'not yet'
  }

  const isOutOfDate = () =>
    store.index.version() !== version || claimChanges(claimTokens, tokensOf(store.claims())).length > 0
  /** What is new in the index and among the claims. Where it fails nothing counts as told. */
  const findEvents = (): TicketEvent[] => {
    const nowVersion = store.index.version() // before the rows are read: what changes after that is for the next look
    const nowMark = store.index.generation()
    const found = store.peek(view => {
      const { differences, remember } = tickets.compare(view.queries)
      const tokens = tokensOf(view.claims)
      const claims = claimChanges(claimTokens, tokens)
      // Else rows were only written again, and no verdict can be another one.
      const verdictsNow =
        differences.length > 0 || claims.length > 0 || nowMark !== mark ? verdicts.compare(view) : undefined
      const pathOf = (ticket: string) => view.queries.ticket(ticket)?.path ?? null
      const events: TicketEvent[] = [
        ...differences.map(difference => ({ ...difference, verdicts: [] })),
        ...claims.map(({ ticket, change }) => ({
          ticket,
          path: pathOf(ticket),
          change,
          decisions: [],
          removed: [],
          verdicts: [],
        })),
      ]
      const tell = () => {
        remember()
        verdictsNow?.remember()
        claimTokens = tokens
      }
      return { events: withVerdicts(events, verdictsNow?.changes ?? [], pathOf), tell }
    })
    found.tell()
    version = nowVersion
    mark = nowMark
    return found.events
  }

  /** Looks at all files, and tells what is new. */
  const look = () => {
    const startedAt = performance.now()
    followUp = hinted !== undefined
    hinted = undefined
    let events: TicketEvent[] = []
    try {
      store.reconcile()
      if (isOutOfDate()) events = findEvents()
      isTroubled = false
      follow()
    } catch (error) {
      if (isPlanError(error, 'not_initialized')) unfollow() // a folder that comes back is another one
      if (!isTroubled) store.notify(`the watch goes on, but cannot look now: ${(error as Error).message}`)
      isTroubled = true
    }
    lookedAt = performance.now()
    const nowMs = lookedAt - startedAt
    lookMs = Math.min(lastMs, nowMs)
    lastMs = nowMs
    watcher.trustedMs = periodMs() + nowMs + PULSE_MS
    for (const event of events) deliver(event)
  }
  const deliver = (event: TicketEvent) => {
    if (over) return
    try {
      listener(event)
    } catch (error) {
      setImmediate(() => {
        throw error
      })
    }
  }

  const periodMs = () => Math.max(hears === 'not' ? SCAN_EVERY_MS : checkEveryMs, REST.unasked * lookMs)
  /** When the next look is due. */
  const dueAt = () => {
    if (hinted) {
      const quietAt = Math.min(hinted.last + QUIET_MS, hinted.first + PATIENCE_MS)
      return Math.max(quietAt, lookedAt + REST.hinted * lookMs)
    }
    if (followUp) return lookedAt + Math.max(FOLLOW_UP_MS, REST.hinted * lookMs)
    return lookedAt + periodMs()
  }
  const isOutdatedByOthers = () => {
    try {
      return isOutOfDate()
    } catch {
      return true // the look says what is wrong
    }
  }
  const pulse = () => {
    if (performance.now() >= dueAt() || (!hinted && !isTroubled && isOutdatedByOthers())) look()
    schedule()
  }
  const schedule = () => {
    clearTimeout(timer)
    if (!over) timer = setTimeout(pulse, Math.min(Math.max(dueAt() - performance.now(), 1), PULSE_MS))
  }

  follow()
  schedule()
  const close = () => {
    over = true
    clearTimeout(timer)
    unfollow()
    distrust()
  }
  return { close, [Symbol.dispose]: close }
}

/** Puts each change of a verdict with the event that caused it: that of the Ticket itself, of one that its reasons name, or the last. */
function withVerdicts(
  events: TicketEvent[],
  changes: TracedChange[],
  pathOf: (ticket: string) => string | null,
): TicketEvent[] {
  const all = [...events]
  const eventOf = new Map(events.map(event => [event.ticket, event] as const).reverse()) // the first about each
  for (const { named, ...change } of changes) {
    const causes = [change.ticket, ...named].flatMap(ticket => eventOf.get(ticket) ?? [])
    const cause = causes[0] ?? events.at(-1)
    if (cause) cause.verdicts.push(change)
    else {
      // The configuration is another one: what the Ticket's state means has changed.
      const { ticket } = change
      all.push({ ticket, path: pathOf(ticket), change: 'changed', decisions: [], removed: [], verdicts: [change] })
    }
  }
  return all
}

type Tokens = Map<string, number>

function tokensOf(claims: LiveClaims): Tokens {
  const live = claims.all(false).filter(claim => claim.live)
  return new Map(live.map(({ ticket, token }) => [ticket, token]))
}

/** Claims that were taken, or taken over, and claims that ended, in the order of the Tickets' ids. */
function claimChanges(before: Tokens, now: Tokens): { ticket: string; change: 'claimed' | 'unclaimed' }[] {
  const changes: { ticket: string; change: 'claimed' | 'unclaimed' }[] = []
  for (const [ticket, token] of now) if (before.get(ticket) !== token) changes.push({ ticket, change: 'claimed' })
  for (const ticket of before.keys()) if (!now.has(ticket)) changes.push({ ticket, change: 'unclaimed' })
  return changes.sort((a, b) => compareText(a.ticket, b.ticket))
}

/** Another text for another folder, be it at the same path with the same inode number; empty where there is none. */
function identityOf(folder: string): string {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  return stat ? `${folder} ${stat.dev} ${stat.ino} ${stat.birthtimeMs}` : ''
}
