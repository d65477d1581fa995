/**
 * Generators for the laws of merging: a Ticket, and what its copies in several clones did to it.
 *
 * Cheap on purpose, for many thousand runs: all clones of a history choose from the same few edits, which are made from small
 * pools and from a sample of `arbitraries.ts`. So they often make the same edit, lose a value twice, or remove what another changes.
 */

import fc from 'fast-check'
import { canonicalText } from '../model/canonical-json.ts'
import type { Decision } from '../model/decision.ts'
import { mergeTickets } from '../model/merge.ts'
import type { TicketId } from '../model/names.ts'
import type { Ticket } from '../model/ticket.ts'
import { decisions } from './arbitraries.ts'
import { asDecision, type LooseDecision, loose } from './loose-decision.ts'
import { phaseOf } from './memory-facts.ts'

const ID = 'T-1' as TicketId
const IDS = ['01JX8Z3V7Q4T9K2M5N6P7R8S00', '01JX8Z3V7Q4T9K2M5N6P7R8S01', '01JX8Z3V7Q4T9K2M5N6P7R8S02']
const TIMES = ['2026-06-08T11:30:00.000Z', '2026-06-08T12:02:11.000Z']

/** What somebody does to a Ticket, by hand, by a command or by `git revert`. `at` counts its decisions around. */
type Edit =
  | { do: 'put'; decision: Decision }
  | { do: 'remove'; at: number }
  | { do: 'remove contested' }
  | { do: 'alter contested'; with: LooseDecision }
  | { do: 'alter'; at: number; with: LooseDecision }
  | { do: 'retract'; at: number; by: string }
  | { do: 'set'; fields: Partial<Ticket> }

function edited(ticket: Ticket, edit: Edit): Ticket {
  const { decisions } = ticket
  const at = 'at' in edit ? decisions[edit.at % decisions.length] : undefined
  switch (edit.do) {
    case 'set': {
      const fields = Object.entries({ ...ticket, ...edit.fields }).filter(([, value]) => value !== undefined)
      return Object.fromEntries(fields) as Ticket
    }
    case 'put':
      return withDecisions(ticket, [...decisions.filter(({ id }) => id !== edit.decision.id), edit.decision])
    case 'remove contested':
      return withDecisions(
        ticket,
        decisions.filter(({ kind }) => kind !== 'contested'),
      )
    case 'remove':
      return withDecisions(
        ticket,
        decisions.filter(decision => decision !== at),
      )
    case 'alter contested':
      return withDecisions(
        ticket,
        decisions.map(decision =>
          decision.kind === 'contested' ? asDecision({ ...decision, ...edit.with }) : decision,
        ),
      )
    case 'alter':
      return withDecisions(
        ticket,
        decisions.map(decision => (decision === at ? asDecision({ ...decision, ...edit.with }) : decision)),
      )
    case 'retract': {
      const id = `7${at?.id.slice(1, -1)}${edit.by}`
      if (!at || decisions.some(decision => decision.id === id)) return ticket
      const retraction = asDecision({ at: TIMES[1]!, by: edit.by, id, kind: 'retraction', retracts: at.id })
      return withDecisions(ticket, [...decisions, retraction])
    }
  }
}

function withDecisions(ticket: Ticket, decisions: Decision[]): Ticket {
  return { ...ticket, decisions: decisions.sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

function note(id: string, fields: LooseDecision = {}): Decision {
  return asDecision({ at: TIMES[0]!, by: 'a', id, kind: 'note', ...fields })
}

const set = (fields: Partial<Ticket>): Edit => ({ do: 'set', fields })

/** Edits that get in each other's way. */
type Theme = Edit[]

function fieldThemes(): Theme[] {
  const values: Record<string, unknown[]> = {
    title: ['a', 'b', 'ż', ''],
    slug: ['a', 'b', undefined],
    created_at: [undefined, ...TIMES],
    urgency: [1, 10, '1', null, undefined],
    source: [{ system: 'x' }, { at: TIMES[0], system: 'x' }, [[]], undefined],
    constructor: ['a', {}, undefined],
    10: [9, 10, undefined],
    [`decisions.${IDS[0]}`]: ['a', { at: TIMES[0] }, undefined],
  }
  return Object.entries(values).map(([field, list]) => list.map(value => set({ [field]: value })))
}

function stateThemes(): Theme[] {
  const [early, late] = TIMES
  return [
    ['open', 'planning', 'queued', 'in_progress', 'done', 'wontfix'].map(state => set({ state })),
    ['open', 'queued', 'done'].map(state => set({ state, state_at: late })),
    [early, late, '0000-01-01T00:00:00.000Z', undefined].map(state_at => set({ state: 'queued', state_at })),
    [{ queued_at: early, queued_by: 'a' }, { queued_by: 'b' }, { queued_by: undefined }, { queued_at: late }].map(set),
  ]
}

/** Of one id: added in three versions, altered, removed, retracted. */
function decisionThemes(): Theme[] {
  return IDS.map((id, at) => [
    ...[{}, { reason: 'x' }, { reason: 'y', urgency: 1 }].map(
      (fields): Edit => ({ do: 'put', decision: note(id, fields) }),
    ),
    { do: 'alter', at, with: { by: 'b' } },
    { do: 'remove', at },
    { do: 'retract', at, by: 'X' },
  ])
}

/** Decisions of every kind, known or not, with keys that no version knows; and forged ones of our own. */
function kindThemes(): Theme[] {
  const forged = [
    note(IDS[0]!, { field: 'title', kind: 'contested', lost: 'a' }),
    note(IDS[2]!, { field: `decisions.${IDS[1]}`, kind: 'contested', lost: note(IDS[1]!) }),
    // About the decision that a merge makes of the title "b".
    note(IDS[1]!, { field: 'decisions.0000000000QH51XMWEASMA3A4K', kind: 'contested', lost: note(IDS[1]!) }),
  ]
  const titles = ['a', 'b', 'c'].map(title => set({ title }))
  const sample = fc
    .sample(decisions, { seed: 4, numRuns: 400 })
    .filter(decision => JSON.stringify(decision).length < 400 && loose(decision).target !== ID)
  const themes: Theme[] = [[...titles, ...forged.map((decision): Edit => ({ do: 'put', decision }))]]
  for (let i = 0; i < 64; i += 8) themes.push(sample.slice(i, i + 8).map(decision => ({ do: 'put', decision })))
  return themes
}

/** What befalls the decisions that a merge has made. */
const AFTERMATH: Theme = [
  { do: 'remove contested' },
  { do: 'alter contested', with: { reason: 'x' } },
  { do: 'alter contested', with: { reason: 'y' } },
  { do: 'retract', at: 0, by: 'X' },
  { do: 'remove', at: 0 },
  { do: 'remove', at: 1 },
]

const THEMES = [...fieldThemes(), ...stateThemes(), ...decisionThemes(), ...kindThemes()]

/** What a clone does: edits from those that all the clones of a history choose from. */
type Work = number[]
export const works: fc.Arbitrary<Work> = fc.array(fc.nat(99), { minLength: 1, maxLength: 4 })

/** A Ticket to begin with, and how work on it is done. In some, contested decisions stand from earlier merges. */
export interface Origin {
  ticket: Ticket
  worked(base: Ticket, work: Work): Ticket
}

const EMPTY: Ticket = { format: 1, id: ID, title: 'a', state: 'open', decisions: [] }

export const origins: fc.Arbitrary<Origin> = fc
  .record({
    themes: fc.array(fc.constantFrom(...THEMES), { minLength: 1, maxLength: 2 }),
    first: works,
    merges: fc.array(fc.tuple(works, works), { maxLength: 3 }),
  })
  .map(({ themes, first, merges }) => {
    const edits = [...themes, AFTERMATH].flat()
    const worked = (base: Ticket, work: Work) => work.map(n => edits[n % edits.length]!).reduce(edited, base)
    const merged = (base: Ticket, [left, right]: [Work, Work]) =>
      mergeTickets(base, worked(base, left), worked(base, right), phaseOf).ticket
    return { ticket: merges.reduce(merged, worked(EMPTY, first)), worked }
  })

/** A base (null where every side added the file) and two to five sides that come from it. */
export const branchings: fc.Arbitrary<{ base: Ticket | null; sides: Ticket[] }> = fc
  .record({ origin: origins, added: fc.nat(4), work: fc.array(works, { minLength: 2, maxLength: 5 }) })
  .map(({ origin, added, work }) => ({
    base: added === 4 ? null : origin.ticket,
    sides: work.map(one => origin.worked(origin.ticket, one)),
  }))

/** The canonical text of a value, by which a test knows it again; '' of none. */
export const textOf = (value: unknown) => (value === undefined ? '' : canonicalText(value))
