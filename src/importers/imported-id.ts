/**
 * The ids of imported decisions: a ULID of the record's time and a hash of what the record says.
 *
 * Invariant: the id derives from the decision as it is stored, so a stored decision shows by itself whether a source stated
 * it, and which one.
 */
import type { AnyFields, Decision } from '../model/decision.ts'
import { derivedId } from '../model/derived-id.ts'
import { isoTime } from '../model/text.ts'

/** Where records come from. Of several sources of one system each has a name. */
export interface Origin {
  system: string
  name: string | undefined
}

/** Returns the id of a decision that a source states about a Ticket. */
export function importedId({ system, name }: Origin, holder: string, decision: object): string {
  const { at, kind, target, label, reason, not_before, until, plan, paths } = decision as Partial<AnyFields> & {
    at: string
  }
  // A conflict says the same from both sides, whichever file holds it.
  const ends = kind === 'conflicts_with' ? [holder, target].sort() : [holder, target]
  const { summary, branch, role_plan, pool } = plan ?? {}
  const content: unknown[] = [
    system,
    name,
    kind,
    ends,
    label,
    reason,
    not_before,
    until,
    summary,
    branch,
    role_plan,
    pool,
  ]
  if (paths) content.push(paths)
  return derivedId(at, JSON.stringify(content))
}

/** True where this source stated the decision. */
export function isStatedBy(origin: Origin, holder: string, decision: Decision): boolean {
  return importedId(origin, holder, decision) === decision.id
}

/** Returns the retraction with which an importer withdraws a decision: one millisecond later, its id derived from that one's. */
export function importedRetraction({ system }: Origin, { id, at }: Decision): Decision {
  const later = isoTime(Date.parse(at) + 1)
  return {
    id: derivedId(later, `retraction ${id}`),
    kind: 'retraction',
    by: system,
    at: later,
    retracts: id,
  } as Decision
}
