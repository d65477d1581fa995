/** Tickets: a search on the server, a hundred at a time. */
import type { Searched } from '../../operations/page-documents.ts'
import { agoText, lookOf } from '../drawing/words.ts'
import type { Context } from './context.ts'
import { Chip, Said, TicketLink, useLoaded } from './pieces.tsx'
import { hrefTo } from './route.ts'

const PHASES = ['queued', 'active', 'open', 'terminal'] as const
const PAGE_SIZE = 100

export function TicketsPage({ context }: { context: Context }) {
  const { query } = context.where
  const [q, phase] = [query.get('q') ?? '', query.get('phase') ?? '']
  const from = Math.max(0, Number(query.get('from')) || 0)
  const loaded = useLoaded(() => context.source.tickets({ q, phase, from }), [q, phase, from, context.turn])
  const href = (more: Record<string, string>) => hrefTo('tickets', { q, phase, ...more })
  const { counts } = context.overview
  return (
    <div class="page">
      <h1 tabIndex={-1}>Tickets</h1>
      <div class="filters">
        <form
          onSubmit={event => {
            event.preventDefault()
            location.hash = href({ q: String(new FormData(event.currentTarget).get('q')) })
          }}
        >
          <label>
            Contains <input name="q" defaultValue={q} key={q} />
          </label>
        </form>
        <div role="group" aria-label="Phase">
          {(['', ...PHASES] as const).map(one => (
            <Chip key={one} isChosen={phase === one} href={href({ phase: one })}>
              {one || 'every phase'}{' '}
              <span class="n">{(one ? counts.phases[one] : counts.tickets).toLocaleString('en')}</span>
            </Chip>
          ))}
        </div>
      </div>
      {loaded.status === 'failed' && <p class="none">{loaded.message}</p>}
      {loaded.status === 'loaded' && (
        <section class="card" aria-label="Results">
          <Rows context={context} found={loaded.value} />
          <div class="pager">
            <span class="quiet">{rangeText(loaded.value)}</span>
            {from > 0 && (
              <Chip isChosen={false} href={href({ from: String(Math.max(0, from - PAGE_SIZE)) })}>
                newer
              </Chip>
            )}
            {from + PAGE_SIZE < loaded.value.total && (
              <Chip isChosen={false} href={href({ from: String(from + PAGE_SIZE) })}>
                older
              </Chip>
            )}
          </div>
        </section>
      )}
    </div>
  )
}

function rangeText({ total, from, tickets }: Searched): string {
  return total === 0 ? 'none' : `${from + 1} to ${from + tickets.length} of ${total.toLocaleString('en')}`
}

function Rows({ context, found }: { context: Context; found: Searched }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th>Ticket</th>
          <th>title</th>
          <th>state</th>
          <th>changed</th>
        </tr>
      </thead>
      <tbody>
        {found.tickets.map(({ id, title, state, phase, changed_at, verdict }) => {
          const known = { title, state, phase, state_at: null, ...(verdict && { verdict }) }
          return (
            <tr key={id} data-nav>
              <td class="line">
                <TicketLink context={context} id={id} look={lookOf(context.overview.tickets[id] ?? known)} />
              </td>
              <td class="grow">
                <Said>{title}</Said>
              </td>
              <td>
                <Said>{state}</Said>
              </td>
              <td>{agoText(changed_at, context.nowMs)}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
