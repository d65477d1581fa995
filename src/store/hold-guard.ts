/**
 * Keeps a server's clients from lifting holds that others set.
 *
 * Invariant: through a guarded store no change ends a hold that the guard has not seen recorded through itself, nor the
 * relation to a parent through which a Ticket inherits one, and no accept is forced past one. It compares the file before and
 * after a change, so it does not depend on how a hold would end: by a retraction, by `supersedes`, or by the retraction of a
 * retraction.
 */

import { idFromPath } from '../files/ticket-files.ts'
import { decodeTicket } from '../model/canonical-json.ts'
import { isOver } from '../model/decision-status.ts'
import { PlanError } from '../model/errors.ts'
import type { Facts } from '../model/facts.ts'
import { endedParents, liftedHolds } from '../model/lifted-holds.ts'
import { parentsIn } from '../model/parents.ts'
import type { Ticket } from '../model/ticket.ts'
import type { Reads } from './reads.ts'
import type { TicketEditor } from './ticket-editor.ts'

export interface HoldGuard {
  /** Checks a change of a Ticket file; reads facts only where it ends something. @throws PlanError hold_protected. */
  checkChange(before: Ticket, after: Ticket, read: (check: (facts: Facts) => void) => void): void
  /** Remembers the decisions that a change has added. */
  remember(before: Ticket, after: Ticket): void
  /** Checks an accept that is forced past all that holds a Ticket. @throws PlanError hold_protected. */
  checkForce(ticket: string, facts: Facts): void
}

/** A hold in force, on a Ticket or on one that it is part of. */
interface ForeignHold {
  ticket: string
  decision: string
  reason: string | undefined
}

/** Returns a guard that has seen nothing yet; several stores of one server share one. */
export function holdGuard(): HoldGuard {
  const own = new Set<string>()

  const holdsOn = (ticket: string, facts: Facts): ForeignHold[] =>
    facts
      .holds(ticket)
      .filter(hold => !isOver(hold, facts.now()) && !own.has(hold.decision))
      .map(({ decision, reason }) => ({ ticket, decision, reason }))
  const inheritedHolds = (ticket: string, facts: Facts): ForeignHold[] =>
    parentsIn(facts)
      .held(ticket)
      .flatMap(({ parent }) => holdsOn(parent, facts))

  return {
    checkChange({ id, decisions: before }, { decisions: after }, read) {
      const holds = liftedHolds(before, after).filter(hold => !own.has(hold.id))
      const parents = endedParents(before, after).filter(relation => !own.has(relation.id))
      if (holds.length + parents.length === 0) return
      read(facts => {
        const inForce = holds.filter(hold => !isOver(hold, facts.now()))
        refuse(
          id,
          'lifts',
          inForce.map(({ id: decision, reason }) => ({ ticket: id, decision, reason })),
        )
        const inherited = parents.flatMap(({ target }) => [...holdsOn(target, facts), ...inheritedHolds(target, facts)])
        refuse(id, 'leaves', inherited)
      })
    },
    remember(before, after) {
      const known = new Set(before.decisions.map(({ id }) => id))
      for (const { id } of after.decisions) if (!known.has(id)) own.add(id)
    },
    checkForce(ticket, facts) {
      refuse(ticket, 'is forced past', [...holdsOn(ticket, facts), ...inheritedHolds(ticket, facts)])
    },
  }
}

function refuse(ticket: string, how: string, [hold, ...others]: readonly ForeignHold[]): void {
  if (!hold) return
  const decisions = [hold, ...others].map(({ decision }) => decision)
  const why = hold.reason ? ` ("${hold.reason}")` : ''
  const where = hold.ticket === ticket ? '' : ` of ${hold.ticket}`
  const message = `${ticket}: this ${how} the hold ${hold.decision}${where}${why}, which this server did not record; nothing was written. A person can lift it with "ticketplan retract ${hold.decision}", or start the server with --allow-lift`
  throw new PlanError('hold_protected', message, { ticket, decisions })
}

/** Returns the editor with every change of a file checked by the guard. */
export function guardedEditor(editor: TicketEditor, guard: HoldGuard, { read }: Pick<Reads, 'read'>): TicketEditor {
  const check = (before: Ticket, after: Ticket) =>
    guard.checkChange(before, after, check => read(({ facts }) => check(facts)))
  return {
    ...editor,
    edit(path, change, file) {
      let before: Ticket | undefined
      const checked: typeof change = ticket => {
        before = ticket
        const changed = change(ticket)
        if (changed.ticket !== ticket) check(ticket, changed.ticket)
        return changed
      }
      const changed = editor.edit(path, checked, file)
      if (before) guard.remember(before, changed.ticket)
      return changed
    },
    overwrite(file, path, ticket) {
      if (file) check(file.ticket, ticket)
      const isWritten = editor.overwrite(file, path, ticket)
      if (file && isWritten) guard.remember(file.ticket, ticket)
      return isWritten
    },
    batch() {
      const batch = editor.batch()
      const befores = new Map<string, Ticket>()
      return {
        ...batch,
        add(file, path, ticket) {
          if (file) check(file.ticket, ticket)
          batch.add(file, path, ticket)
          if (file) befores.set(path, file.ticket)
        },
        write() {
          const outcome = batch.write()
          for (const { path, ticket } of outcome.written) {
            const before = befores.get(path)
            if (before) guard.remember(before, ticket)
          }
          return outcome
        },
      }
    },
    restore(file, bytes) {
      check(file.ticket, bytes ? decodeTicket(bytes, idFromPath(file.path)).ticket : { ...file.ticket, decisions: [] })
      return editor.restore(file, bytes)
    },
  }
}
