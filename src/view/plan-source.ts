/** What the page's server asks for. Its bundle has neither the store nor the operations: the caller passes them in. */
import type { Overview } from '../operations/overview-shape.ts'
import type { Searched, TicketDocument } from '../operations/page-documents.ts'

/** A change, as the watch emits it. */
export interface PlanChange {
  ticket: string
  verdicts: { ticket: string; from: 'accept' | 'hold' | null; to: 'accept' | 'hold' | null }[]
}

/** Every function throws PlanErrors. */
export interface PlanSource {
  /** The checkout's root. */
  root: string
  overview(options: { focus?: string; noPast?: boolean }): Overview
  ticket(name: string): TicketDocument
  tickets(query: { q: string; phase: string; from: number }): Searched
  log(query: { kind: string; by: string; since: string; limit: number }): {
    decisions: Overview['decisions']
    more: boolean
  }
  watch(listener: (change: PlanChange) => void): { close(): void }
}
