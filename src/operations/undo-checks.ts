/** Checks that nothing rests on a change that is to be taken back. */
import type { ChangeNote } from '../files/change-notes.ts'
import { anyFields } from '../model/decision.ts'
import { isInForce } from '../model/decision-status.ts'
import { PlanError } from '../model/errors.ts'
import type { Store, View } from '../store/store.ts'
import { checkSlug } from './add.ts'
import type { FileAnswer, FileUndo } from './undo-plan.ts'

/**
 * Fails where a live claim depends on the change, others name a Ticket that would be removed, or a slug would be taken twice.
 * @throws PlanError undo_refused, slug_taken.
 */
export function checkUnused(store: Store, note: ChangeNote, plans: readonly FileUndo[]): void {
  store.read(view => {
    for (const { answer } of plans) {
      if (answer.how === 'nothing') continue
      checkClaims(view, note, answer)
      if (answer.how === 'removed') checkUnnamed(view, note, answer)
      const slug = answer.fields.find(({ field }) => field === 'slug')
      if (slug?.to) checkSlug(view, slug.to, answer.ticket)
    }
  })
}

/** A state, and a file, are not taken from under a claim; other decisions not if the claim was taken after them. */
function checkClaims({ claims }: View, { at }: ChangeNote, { ticket, how, decisions, fields }: FileAnswer): void {
  const others = decisions.flatMap(decision => {
    const { kind, target } = anyFields(decision)
    return kind === 'conflicts_with' && target !== undefined ? [target] : []
  })
  const isWhole = how === 'removed' || fields.some(({ field }) => field === 'state')
  for (const id of [ticket, ...others]) {
    const claim = claims.find(id)
    if (!claim || !(claim.acquired_at > at || (isWhole && id === ticket))) continue
    const byHand = decisions[0]
      ? `, or retract it all the same with "ticketplan retract ${decisions[0].id}"`
      : how === 'removed'
        ? ''
        : ', or change the fields all the same with "ticketplan set"'
    const why =
      claim.acquired_at > at
        ? `taken at ${claim.acquired_at}, after this change, so it may rest on it`
        : `and ${how === 'removed' ? 'the file of a claimed Ticket is not removed' : 'the state of a claimed Ticket is not set back'}`
    const message = `${id} has a live claim by ${claim.holder}, ${why}; nothing was changed. Undo it after the claim is released ("ticketplan claims" lists it)${byHand}`
    throw new PlanError('undo_refused', message, { ticket: id })
  }
}

/** A relation that is older than the Ticket's file waits for it to come, as it did before. */
function checkUnnamed({ queries }: View, { at }: ChangeNote, { ticket }: FileAnswer): void {
  const named = queries.relations({ ticket }).find(row => isInForce(row.status) && row.at > at)
  if (!named) return
  const message = `${named.other_id} names ${ticket} in decision ${named.decision_id}, so ${ticket} is not removed; retract that first with "ticketplan retract ${named.decision_id}", or run "ticketplan undo --skip"`
  throw new PlanError('undo_refused', message, { ticket })
}
