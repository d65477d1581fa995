/** From a relation as somebody says it to the form in which it is stored. */
import {
  DECISION_KINDS,
  INVERSE,
  isStoredRelationKind,
  type RelationKind,
  type StoredRelationKind,
} from './decision-kinds.ts'
import type { TicketId } from './names.ts'

/** A relation in its stored form: `holder` is the Ticket whose file keeps it. */
export interface StoredRelation {
  holder: TicketId
  kind: StoredRelationKind
  target: TicketId
}

/** Returns the stored form of "`ticket` `kind` `other`". */
export function storedRelation(ticket: TicketId, kind: RelationKind, other: TicketId): StoredRelation {
  if (!isStoredRelationKind(kind)) return storedRelation(other, INVERSE[kind], ticket)
  const isTurned = DECISION_KINDS[kind].relation.storedBy === 'smaller' && other < ticket
  return isTurned ? { holder: other, kind, target: ticket } : { holder: ticket, kind, target: other }
}
