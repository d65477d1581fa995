/** Gathers what a person should look at, each with a command where there is one. Text from files is not escaped here. */
import { shellArgument } from '../git/shell-word.ts'
import { count } from '../model/count.ts'
import { didYouMean } from '../model/nearest-names.ts'
import type { Store, View } from '../store/store.ts'
import { problemsOf } from './answers.ts'
import type { OverviewFacts } from './overview-facts.ts'
import type { Attention } from './overview-shape.ts'

/** Returns errors first, then warnings, each in the order in which they are found. */
export function attentionOf(store: Store, view: View, facts: OverviewFacts): Attention[] {
  const all = [
    ...unknownClaims(view),
    ...problemsOf(view.queries)
      .filter(({ code }) => code !== 'dangling')
      .map(problemEntry),
    ...claimEntries(facts),
    ...causeEntries(facts),
    ...unknownStates(store, facts),
  ]
  return [...all.filter(({ severity }) => severity === 'error'), ...all.filter(({ severity }) => severity !== 'error')]
}

function unknownClaims({ claims }: View): Attention[] {
  if (claims.unknown === null) return []
  const message = `the claims are unknown: ${claims.unknown}`
  return [
    {
      code: 'claims_unknown',
      severity: 'error',
      tickets: [],
      message,
      since: null,
      command: 'ticketplan fleet status',
    },
  ]
}

function problemEntry({ path, message, severity }: ReturnType<typeof problemsOf>[number]): Attention {
  const command = message.includes('ticketplan resolve') ? 'ticketplan resolve' : 'ticketplan verify'
  return { code: 'problem', severity, tickets: [], message: `${path}: ${message}`, since: null, command }
}

function claimEntries({ claims, rows }: OverviewFacts): Attention[] {
  return claims.flatMap(({ ticket, holder, expires_at, live }): Attention[] => {
    const isTerminal = rows.get(ticket)?.phase === 'terminal'
    if (live && !isTerminal) return []
    const command = `ticketplan release ${shellArgument(ticket)} --force --reason ${isTerminal ? "'it is settled'" : "'the worker is gone'"}`
    const base = { tickets: [ticket], since: expires_at, command }
    if (isTerminal)
      return [
        { ...base, code: 'claim_on_terminal', severity: 'warning', message: `settled, and still claimed by ${holder}` },
      ]
    return [{ ...base, code: 'expired_claim', severity: 'error', message: `the claim of ${holder} has expired` }]
  })
}

function causeEntries({ causes, relations }: OverviewFacts): Attention[] {
  return causes.causes.flatMap(({ kind, tickets, name, holds }): Attention[] => {
    const held = `${count(holds, 'Ticket')} ${holds === 1 ? 'is' : 'are'} held by it`
    const show = tickets[0] === undefined ? null : `ticketplan show ${shellArgument(tickets[0])}`
    const entry = { tickets, since: null, command: show }
    if (kind === 'cycle')
      return [{ ...entry, code: 'cycle', severity: 'error', message: `they wait for each other; ${held}` }]
    if (kind === 'abandoned')
      return [
        { ...entry, code: 'blocker_abandoned', severity: 'error', message: `abandoned, and still blocks; ${held}` },
      ]
    if (kind === 'missing') {
      // There is nothing to show of a Ticket without a file. What waits for it says why.
      const waiting = relations.find(({ other }) => other === tickets[0])?.ticket
      const command = waiting === undefined ? null : `ticketplan show ${shellArgument(waiting)}`
      return [{ ...entry, command, code: 'blocker_missing', severity: 'error', message: `has no file here; ${held}` }]
    }
    if (kind === 'elsewhere')
      return [
        {
          ...entry,
          code: 'elsewhere',
          severity: 'warning',
          message: `the worktree ${name} has a later state; ${held}`,
        },
      ]
    return []
  })
}

/** Returns an entry for each unknown state of Tickets, which all count as open. */
function unknownStates({ states }: Store, { rows }: OverviewFacts): Attention[] {
  const unknown = Map.groupBy(
    [...rows.values()].filter(({ state }) => !states.isKnown(state)),
    ({ state }) => state,
  )
  return [...unknown].map(([state, found]): Attention => {
    return {
      code: 'unknown_state',
      severity: 'warning',
      tickets: found.slice(0, 5).map(({ id }) => id),
      message: `${count(found.length, 'Ticket')} with the unknown state "${state}", which counts as open${didYouMean(states.nearest(state))}`,
      since: null,
      command: 'ticketplan verify',
    }
  })
}
