/** Answers the page's questions about the plan as JSON. */
import type { Overview } from '../../operations/overview-shape.ts'
import type { PlanSource } from '../plan-source.ts'

/** The past of the queue hardly changes in this time, and reading it takes as long as a quarter of the rest. */
const PAST_MS = 60_000
const MOST_DECISIONS = 10_000
const LONGEST_WORDS = 200

export interface Documents {
  /** Returns the document at a path below /api/, as JSON; undefined for no such document. @throws PlanError. */
  find(name: string, query: URLSearchParams): string | undefined
  /** Makes the next overview a new one. */
  expire(): void
}

export function documentsOf(source: PlanSource, now: () => number = Date.now): Documents {
  let overview: string | undefined
  let past: { readAt: number; value: NonNullable<Overview['past']>; waits: number | undefined } | undefined
  const read = (): Overview => {
    if (past && now() - past.readAt < PAST_MS) {
      const current = source.overview({ noPast: true })
      const { counts, at } = current
      const leftOut = { ...current.left_out, ...(past.waits !== undefined && { waits: past.waits }) }
      const latest = { at, free: counts.accept, held: counts.hold, running: counts.running }
      const day = [...past.value.day.slice(0, -1), latest]
      return { ...current, past: { ...past.value, day }, left_out: leftOut }
    }
    const current = source.overview({})
    past = { readAt: now(), value: current.past!, waits: current.left_out.waits }
    return current
  }
  const text = (query: URLSearchParams, name: string) => (query.get(name) ?? '').slice(0, LONGEST_WORDS)
  const number = (query: URLSearchParams, name: string, most: number) =>
    Math.max(0, Math.min(most, Math.trunc(Number(query.get(name))) || 0))
  const find = (name: string, query: URLSearchParams): unknown => {
    if (name === 'ticket') return source.ticket(text(query, 'id'))
    if (name === 'tickets')
      return source.tickets({
        q: text(query, 'q'),
        phase: text(query, 'phase'),
        from: number(query, 'from', Number.MAX_SAFE_INTEGER),
      })
    if (name === 'log')
      return source.log({
        kind: text(query, 'kind'),
        by: text(query, 'by'),
        since: text(query, 'since'),
        limit: number(query, 'limit', MOST_DECISIONS) || 100,
      })
    return undefined
  }
  return {
    find(name, query) {
      if (name === 'overview') {
        const focus = text(query, 'focus')
        if (focus) return JSON.stringify(source.overview({ focus, noPast: true }))
        overview ??= JSON.stringify(read())
        return overview
      }
      const document = find(name, query)
      return document === undefined ? undefined : JSON.stringify(document)
    },
    expire() {
      overview = undefined
    },
  }
}
