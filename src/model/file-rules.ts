/** The rules of a verdict about what a merge or a later version left in the Ticket's own file. Pure. */
import type { Facts, ReadableTicket } from './facts.ts'
import type { Reason } from './reasons.ts'

/** Yields a reason for a file, and for each decision, that a later version wrote: it may have recorded a hold. */
export function* laterVersionReasons({ id, newerFormat }: ReadableTicket, facts: Facts): Generator<Reason> {
  if (newerFormat !== undefined) {
    const message = `its file has format ${newerFormat}, which this version cannot read in full: update ticketplan`
    yield { code: 'newer_format', severity: 'hold', message, format: newerFormat }
  }
  for (const { decision, kind } of facts.unknownKinds(id)) {
    const message = `decision ${decision} is of the unknown kind "${kind}": update ticketplan, or retract it`
    yield { code: 'unknown_kind', severity: 'hold', message, kind, decisions: [decision] }
  }
}

/** Yields a reason for each value that lost in a merge. */
export function* contestedReasons(id: string, facts: Facts): Generator<Reason> {
  const contested = facts.contested(id)
  const fields = contested.map(({ field }) => field)
  // Both differ only where one id was given to two pieces of work.
  const isTwo = fields.includes('title') && fields.includes('created_at')
  for (const { decision, field, lost } of contested) {
    const value = lost === undefined ? 'its removal' : shortened(JSON.stringify(lost))
    const message = isTwo
      ? `two Tickets were created with this id; decision ${decision} keeps the losing ${field}, ${value}: give one of them another id, then retract the decision`
      : `a merge found two values of "${field}"; decision ${decision} keeps the losing one, ${value}: set the right value, then retract the decision`
    yield { code: 'contested', severity: isTwo ? 'hold' : 'warn', message, field, decisions: [decision] }
  }
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100).toWellFormed()}…` : text
}
