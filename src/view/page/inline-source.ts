/** Answers the page's questions from a document in the page itself. */
import type { PageDocument, Searched } from '../../operations/page-documents.ts'
import type { Source } from './source.ts'

const PAGE_SIZE = 100

export function inlineSource({ overview, tickets }: PageDocument): Source {
  const named = Object.entries(overview.tickets)
  return {
    async ticket(id) {
      const found = tickets[id]
      if (!found) throw new Error('This file has the Tickets in play alone.')
      return found
    },
    async tickets({ q, phase, from }): Promise<Searched> {
      const words = q.toLowerCase()
      const all = named.filter(
        ([id, one]) =>
          one.phase !== null && (!phase || one.phase === phase) && `${id} ${one.title}`.toLowerCase().includes(words),
      )
      const rows = all.slice(from, from + PAGE_SIZE).map(([id, { title, state, phase, state_at, verdict }]) => ({
        ...{ id, slug: null, title, state, phase, changed_at: state_at },
        verdict: verdict ?? null,
      }))
      return { total: all.length, from, tickets: rows }
    },
    async log({ kind, by, since, limit }) {
      const found = overview.decisions.filter(
        one =>
          (!kind || one.kind === kind) && (!by || one.by === by) && (!since || one.at >= sinceTime(since, overview.at)),
      )
      return { decisions: found.slice(0, limit), more: found.length > limit }
    },
    around: async () => overview,
  }
}

function sinceTime(since: string, now: string): string {
  const [, n = '0', unit = 'h'] = /^(\d+)([hd])$/.exec(since) ?? []
  return new Date(Date.parse(now) - Number(n) * (unit === 'd' ? 86_400_000 : 3_600_000)).toISOString()
}
