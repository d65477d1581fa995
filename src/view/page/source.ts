/** What the page asks, of a server or of a document in the page itself. Types alone. */
import type { Overview } from '../../operations/overview-shape.ts'
import type { Searched, TicketDocument } from '../../operations/page-documents.ts'

/** The questions that the page asks. Each can fail, with an Error whose message is for people. */
export interface Source {
  ticket(id: string): Promise<TicketDocument>
  tickets(query: { q: string; phase: string; from: number }): Promise<Searched>
  log(query: {
    kind: string
    by: string
    since: string
    limit: number
  }): Promise<Pick<Overview, 'decisions'> & { more: boolean }>
  /** The overview with the relations around a Ticket. */
  around(id: string): Promise<Overview>
}
