import * as z from 'zod/mini'
import { withoutToken } from '../claims/claims.ts'
import { areaMap, expandPath } from '../model/area.ts'
import { PlanError } from '../model/errors.ts'
import { globProblem } from '../model/glob.ts'
import { didYouMean, nearestNames } from '../model/nearest-names.ts'
import { STATE_LISTS, stateKey } from '../model/states.ts'
import { verdictOn } from '../model/verdict.ts'
import { MANY_TICKETS } from '../model/wait-graph.ts'
import type { Store, View } from '../store/store.ts'
import { LIST_ORDERS } from '../ticket-index/list-queries.ts'
import type { IndexQueries, TicketRow } from '../ticket-index/query.ts'
import { problemsOf, ticketSummary } from './answers.ts'
import { limitField } from './limit.ts'
import { filledLine, operation } from './operation.ts'
import { textMatcher } from './search-text.ts'
import { claimWithoutTokenShape, phaseShape, problemShape, reasonShape, ticketShape, verdictShape } from './shapes.ts'
import { touchedPaths } from './touched-paths.ts'

/** Lists Tickets of every phase, filtered. */
export const list = operation({
  name: 'list',
  summary: 'List Tickets of any phase, with claim and verdict, filtered and sorted',
  details:
    'A Ticket is listed if it meets every filter; of several phases or states it needs one. Like "show", it says hold (not_queued) of a Ticket that is not queued. An area is a name of "areas" in ticketplan.json, a path or a glob; listed is every Ticket whose area can have a path in common with it, but no terminal one.',
  writes: false,
  fields: {
    phase: {
      schema: z.optional(z.array(z.enum(phaseShape().options, { error: phaseError }))),
      help: `only these phases, separated by commas: ${phaseShape().options.join(', ')}`,
      value: 'phases',
      list: true,
    },
    state: {
      schema: z.optional(z.array(filledLine).check(z.maxLength(100))),
      help: 'only these states, separated by commas; case, "-", "_" and spaces do not matter',
      value: 'states',
      list: true,
      completes: 'state',
    },
    verdict: { schema: z.optional(verdictShape()), help: 'only this verdict: accept or hold', value: 'verdict' },
    search: {
      schema: z.optional(filledLine),
      help: 'only those with this text in id, slug or title, in any case',
      value: 'text',
    },
    area: {
      schema: z.optional(filledLine),
      help: 'only those that touch this area, path or glob',
      value: 'path',
      completes: 'area',
    },
    sort: {
      schema: z._default(z.enum(LIST_ORDERS), 'id'),
      help: 'id (default), changed (last changed first) or queued (the order of the queue)',
      value: 'order',
    },
    limit: limitField('at most this many Tickets', 100),
  },
  output: () =>
    z.object({
      tickets: z.array(
        z.object({
          ticket: z.extend(ticketShape(), {
            queued_at: z.nullable(z.string()),
            queued_by: z.nullable(z.string()),
            changed_at: z.nullable(z.string()),
          }),
          claim: z.nullable(claimWithoutTokenShape()),
          verdict: verdictShape(),
          reasons: z.array(reasonShape()),
        }),
      ),
      /** True where more Tickets meet the filters. */
      more: z.boolean(),
      problems: z.array(problemShape()),
    }),
  claims: () => ({}),
  examples: [
    'ticketplan list --phase queued,active --sort queued',
    "ticketplan list --area 'lib/menu/**' --verdict accept",
    "ticketplan list --search menu --json | jq -r '.tickets[].ticket.id'",
  ],
  run(store, { phase, state, verdict, search, area, sort, limit }) {
    return store.read(view => {
      const { queries } = view
      const filter = {
        // Only a queued Ticket can have the verdict accept.
        phases: verdict === 'accept' ? (phase ?? ['queued' as const]).filter(one => one === 'queued') : phase,
        states: state && statesInFiles(store, queries, state),
        ids: area === undefined ? undefined : ticketsIn(store, queries, area),
      }
      const isFiltered = verdict !== undefined || search !== undefined
      const rows = queries.ticketList(filter, sort, isFiltered ? undefined : limit + 1)
      const found = firstEntries(
        view,
        search === undefined ? rows : rows.filter(textMatcher(search)),
        verdict,
        limit + 1,
      )
      return { tickets: found.slice(0, limit), more: found.length > limit, problems: problemsOf(queries) }
    })
  },
})

function phaseError({ input }: { input?: unknown }): string {
  const known = phaseShape().options
  const nearest = typeof input === 'string' ? didYouMean(nearestNames(input, known)) : ''
  return `not a phase${nearest} (they are ${known.join(', ')})`
}

/** Returns the entries of the first rows with the verdict. A verdict is only computed until there are enough. */
function firstEntries(view: View, rows: readonly TicketRow[], verdict: string | undefined, most: number) {
  const entries: ReturnType<typeof entryOf>[] = []
  for (const row of rows) {
    if (entries.length === most) break
    const entry = entryOf(view, row)
    if (verdict === undefined || entry.verdict === verdict) entries.push(entry)
  }
  return entries
}

function entryOf({ claims, facts }: View, row: TicketRow) {
  const live = claims.find(row.id)
  const { queued_at, queued_by, changed_at } = row
  return {
    ticket: { ...ticketSummary(row.id, row), queued_at, queued_by, changed_at },
    claim: live ? withoutToken(live) : null,
    ...verdictOn(row.id, facts, {}, MANY_TICKETS),
  }
}

/** Returns the states of the files that are one of those given. @throws PlanError invalid_input with the nearest states. */
function statesInFiles({ states }: Store, queries: IndexQueries, given: readonly string[]): string[] {
  const inUse = queries.statesInUse()
  const used = new Set(inUse.map(stateKey))
  const unknown = given.find(state => !states.isKnown(state) && !used.has(stateKey(state)))
  if (unknown !== undefined) {
    const known = [...STATE_LISTS.flatMap(list => states.lists[list]), ...inUse]
    const hint = didYouMean(nearestNames(unknown, known)) || '; "ticketplan help states" lists the default ones'
    const message = `list: no Ticket has the state "${unknown}", and it is in no list of states${hint}`
    throw new PlanError('invalid_input', message, { field: 'state' })
  }
  const wanted = new Set(given.map(stateKey))
  return inUse.filter(state => wanted.has(stateKey(state)))
}

/** Returns the ids of the Tickets whose area overlaps with a named area, path or glob. @throws PlanError invalid_input. */
function ticketsIn(store: Store, queries: IndexQueries, given: string): string[] {
  const { areas } = store.repository.config
  const refused = (message: string) => new PlanError('invalid_input', `list: ${message}`, { field: 'area' })
  const problem = globProblem(given)
  if (problem !== null) throw refused(`the area "${given}" ${problem}`)
  const rows = queries.allAreas()
  const unknown: string[] = []
  const [path] = touchedPaths(store, [given], unknown)
  if (unknown.length > 0 && !rows.some(({ pattern }) => pattern === given)) {
    const hint = didYouMean(nearestNames(given, Object.keys(areas)))
    throw refused(
      `"${given}" is neither an area of ticketplan.json nor a file at the root, and no Ticket touches it${hint}`,
    )
  }
  const all = [...Map.groupBy(rows, ({ ticket_id }) => ticket_id)].map(([ticket, own]) => ({
    ticket,
    area: own.map(({ pattern }) => ({ pattern, shared: false })),
  }))
  const wanted = expandPath(path!, areas).map(pattern => ({ pattern, shared: false }))
  return [...new Set([...areaMap(all).overlaps(wanted)].map(({ ticket }) => ticket))]
}
