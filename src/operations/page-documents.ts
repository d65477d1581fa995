/** The documents of the page beside the overview: one Ticket with all that belongs to it, and a search among Tickets. */
import { withoutToken } from '../claims/claims.ts'
import { leaseSpans } from '../model/lease-spans.ts'
import { compareText } from '../model/order.ts'
import type { Reason } from '../model/reasons.ts'
import { type Verdict, verdictOn } from '../model/verdict.ts'
import type { Store, View } from '../store/store.ts'
import { relationsOf, ticketSummary } from './answers.ts'
import { activePlan } from './consult.ts'
import { decisionEntry } from './overview-lists.ts'
import type { Overview } from './overview-shape.ts'
import { textMatcher } from './search-text.ts'
import type { Relation, TicketSummary } from './shapes.ts'

export interface TicketDocument {
  ticket: TicketSummary & {
    queued_at: string | null
    queued_by: string | null
    path: string
  }
  /** Newest first. */
  decisions: Overview['decisions']
  /** The active accepted plan. */
  plan: { summary: string; branch: string | null; worktree: string | null; by: string; at: string } | null
  /** From both sides, of every status. */
  relations: Relation[]
  verdict: Verdict
  reasons: Reason[]
  claim: Overview['claims'][number] | null
  /** Newest first. */
  leases: Overview['leases']
  areas: { pattern: string; shared: boolean }[]
  /** Where the Ticket comes from; the URL only where it is one of http or https. */
  source: { system: string | null; url: string | null } | null
}

/** A page of the Tickets that match a search. */
export interface Searched {
  total: number
  from: number
  tickets: (TicketSummary & { changed_at: string | null; verdict: Verdict | null })[]
}

/** A page in a file: an overview, and the documents of the Tickets in it. */
export interface PageDocument {
  overview: Overview
  tickets: Record<string, TicketDocument>
}

/** What makes files of an overview: dist/view.cjs, which the build bundles from view/view.ts. */
export interface FileMaker {
  exportSvg(overview: Overview, options: { focus?: string | undefined }): string
  exportHtml(document: PageDocument): string
}

const MOST_LEASES = 200

/** Returns the document of the Ticket with that id or slug. @throws PlanError unknown_ticket, ambiguous_slug. */
export function ticketDocument(store: Store, name: string): TicketDocument {
  const document = store.readFew(view => documentIn(view, view.resolve(name).id))
  return {
    ...document,
    leases: leaseSpans(store.claims.log({ tickets: [document.ticket.id] }, MOST_LEASES)).reverse(),
    source: sourceOf(store, document.ticket.id),
  }
}

/** Returns the documents of many Tickets, read at once, without leases and sources. Those without a file are left out. */
export function ticketDocuments(store: Store, ids: readonly string[]): Record<string, TicketDocument> {
  return store.read(view =>
    Object.fromEntries(ids.filter(id => view.queries.ticket(id)).map(id => [id, documentIn(view, id)] as const)),
  )
}

function documentIn(view: View, id: string): TicketDocument {
  const { queries, facts, claims } = view
  const row = queries.ticket(id) ?? null
  const claim = claims.find(id)
  const decision = row ? activePlan(view, id) : undefined
  const { summary = '', branch = null, worktree = null } = decision?.plan ?? {}
  return {
    ticket: {
      ...ticketSummary(id, row),
      queued_at: row?.queued_at ?? null,
      queued_by: row?.queued_by ?? null,
      path: row?.path ?? '',
    },
    decisions: queries.decisionsOf(id).map(decisionEntry).reverse(),
    plan: decision ? { summary, branch, worktree, by: decision.by, at: decision.at } : null,
    relations: relationsOf(queries.relations({ ticket: id }), false),
    ...verdictOn(id, facts),
    claim: claim ? withoutToken(claim) : null,
    leases: [],
    areas: facts.area(id).map(({ pattern, shared }) => ({ pattern, shared })),
    source: null,
  }
}

/** Returns the source that the Ticket's file names. A URL of another kind could run a program, so it is left out. */
function sourceOf(store: Store, id: string): TicketDocument['source'] {
  const { file } = store.findFile(id)
  const source = file?.ticket.source
  if (typeof source !== 'object' || source === null) return null
  const { system, url } = source as { system?: unknown; url?: unknown }
  return {
    system: typeof system === 'string' ? system : null,
    url: typeof url === 'string' && /^https?:\/\/[^/]/i.test(url) && URL.canParse(url) ? url : null,
  }
}

const PAGE_SIZE = 100

/** Returns Tickets whose id, slug or title contains the words, those that changed last first. */
export function searchTickets(store: Store, { q, phase, from }: { q: string; phase: string; from: number }): Searched {
  const matches = textMatcher(q)
  return store.read(({ queries, facts }) => {
    const found = queries
      .allTickets()
      .filter(row => (!phase || row.phase === phase) && matches(row))
      .sort((a, b) => compareText(b.changed_at ?? '', a.changed_at ?? '') || compareText(a.id, b.id))
    const tickets = found.slice(from, from + PAGE_SIZE).map(row => ({
      ...ticketSummary(row.id, row),
      changed_at: row.changed_at,
      verdict: row.phase === 'queued' ? verdictOn(row.id, facts).verdict : null,
    }))
    return { total: found.length, from, tickets }
  })
}
