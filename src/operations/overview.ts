import { basename } from 'node:path'
import * as z from 'zod/mini'
import { MOST_LOG_ENTRIES } from '../claims/claims.ts'
import { isoTime } from '../model/text.ts'
import type { Store } from '../store/store.ts'
import { limitField } from './limit.ts'
import { flag, operation, ticketName } from './operation.ts'
import { attentionOf } from './overview-attention.ts'
import { gatherOverview, type Judge } from './overview-facts.ts'
import { areasOf, decisionEntries, holdsOf, parentsOf, poolsOf } from './overview-lists.ts'
import { namedTickets } from './overview-names.ts'
import { pastOf } from './overview-past.ts'
import { behindOf, relationsAround, relationsInPlay } from './overview-relations.ts'
import { type Overview, overviewShape } from './overview-shape.ts'

/** Relations are short, and a drawing needs more of them than a list has lines. */
const RELATIONS_PER_LINE = 20

/** Says what is going on: one document for the page, the terminal and the exports. */
export const overview = operation({
  name: 'overview',
  summary: 'Say what may run, what is held by what, who works, what was decided',
  details:
    'One bounded document, read in one snapshot: the queue with verdicts, the causes of holds (what has to move first), claims and their history, pools, areas, relations, the latest decisions, what needs attention, and the past of the queue. "ticketplan top" shows it and keeps it current, "ticketplan view" shows it as a page.',
  writes: false,
  fields: {
    focus: {
      schema: z.optional(ticketName),
      help: 'id or slug: relations around this Ticket (all that it waits for, two steps of what waits for it); printed instead of the lists',
      value: 'ticket',
    },
    limit: limitField(`at most this many entries of each list, and ${RELATIONS_PER_LINE} times as many relations`, 100),
    noPast: { schema: flag, help: 'leave out the past of the queue, the waits and the history' },
  },
  output: overviewShape,
  claims: () => OVERVIEW_CLAIMS,
  examples: ['ticketplan overview', 'ticketplan overview --json | jq .causes', 'ticketplan overview --focus T-2'],
  run(store, { focus, limit, noPast }) {
    return overviewOf(store, { focus, limit, noPast })
  },
})

/** The claims that the document needs from the server of a fleet. */
export const OVERVIEW_CLAIMS = { log: { filter: {}, limit: MOST_LOG_ENTRIES } }

/** Returns the document. `judge` gives the verdicts of a view where they are known already. */
export function overviewOf(
  store: Store,
  { focus, limit, noPast }: { focus?: string | undefined; limit: number; noPast: boolean },
  judge?: Judge,
): Overview {
  const nowMs = store.now()
  return store.read(view => {
    const facts = gatherOverview(store, view, nowMs, judge)
    const leftOut: Record<string, number> = {}
    const first = <T>(name: string, entries: readonly T[], most = limit): T[] => {
      if (entries.length > most) leftOut[name] = entries.length - most
      return entries.slice(0, most)
    }
    const { judged, causes, rows, running, claims, claimed } = facts
    const isUnknown = view.claims.unknown !== null
    const behind = behindOf(facts.relations)
    const around = focus === undefined ? undefined : view.resolve(focus).id
    const lists = {
      queue: [
        ...first(
          'accept',
          facts.queue.filter(({ verdict }) => verdict === 'accept'),
        ),
        ...first(
          'hold',
          facts.queue.filter(({ verdict }) => verdict === 'hold'),
        ),
      ].map(entry => ({ ...entry, causes: causes.of(entry.ticket) })),
      causes: first('causes', causes.causes),
      running: first('running', running),
      claims: first('claims', claims),
      leases: first('leases', facts.leases),
      pools: isUnknown ? [] : poolsOf(store, claims),
      areas: first('areas', isUnknown ? [] : areasOf(store, view, facts)),
      holds: first('holds', holdsOf(view, rows)),
      parents: first('parents', parentsOf(view, facts)),
      relations: first(
        'relations',
        around === undefined ? relationsInPlay(facts, behind) : relationsAround(around, facts.relations),
        limit * RELATIONS_PER_LINE,
      ),
      decisions: decisionEntries(view, limit),
      attention: first('attention', attentionOf(store, view, facts)),
    }
    const decisionsLeftOut = view.queries.counts().decisions - lists.decisions.length
    if (decisionsLeftOut > 0) leftOut.decisions = decisionsLeftOut
    const past = noPast ? undefined : pastOf(store, view, facts, limit)
    if (past && past.waitsLeftOut > 0) leftOut.waits = past.waitsLeftOut
    return {
      format: 1,
      at: isoTime(nowMs),
      name: basename(store.repository.root),
      ...(around && { focus: around }),
      counts: facts.counts,
      ...lists,
      tickets: namedTickets(store, lists, around === undefined ? [] : [around], { rows, judged, claimed, behind }),
      ...(past && { past: past.value }),
      left_out: leftOut,
    }
  })
}
