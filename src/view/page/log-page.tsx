/** The log: decisions of every Ticket, newest first, filtered on the server. */
import { countText, kindText } from '../drawing/words.ts'
import type { Context } from './context.ts'
import { DecisionRow } from './decision-row.tsx'
import { Chip, useLoaded } from './pieces.tsx'
import { hrefTo } from './route.ts'
import type { Source } from './source.ts'

const KINDS = [
  'accepted_plan',
  'blocked_by',
  'after',
  'conflicts_with',
  'part_of',
  'related',
  'touches',
  'hold',
  'waiting_for_capacity',
  'note',
  'retraction',
]
const SPANS: [value: string, words: string][] = [
  ['', 'all time'],
  ['7d', 'last week'],
  ['24h', 'last day'],
  ['1h', 'last hour'],
]
const STEP = 100
const MOST = 10_000

export function LogPage({ context }: { context: Context }) {
  const { query } = context.where
  const [kind, by, since] = [query.get('kind') ?? '', query.get('by') ?? '', query.get('since') ?? '']
  const limit = Math.min(MOST, Number(query.get('limit')) || STEP)
  const loaded = useLoaded(() => context.source.log({ kind, by, since, limit }), [kind, by, since, limit, context.turn])
  const href = (more: Record<string, string>) => hrefTo('log', { kind, by, since, ...more })
  const authors = [...new Set(context.overview.decisions.map(decision => decision.by))].sort().slice(0, 12)
  return (
    <div class="page">
      <h1 tabIndex={-1}>Log</h1>
      <div class="filters">
        <div role="group" aria-label="Since">
          {SPANS.map(([value, words]) => (
            <Chip key={value} isChosen={since === value} href={href({ since: value })}>
              {words}
            </Chip>
          ))}
        </div>
        <div role="group" aria-label="Kind">
          {['', ...KINDS].map(one => (
            <Chip key={one} isChosen={kind === one} href={href({ kind: one })}>
              {one ? kindText(one).replace(/^(?:is|must) /, '') : 'every kind'}
            </Chip>
          ))}
        </div>
        <div role="group" aria-label="Author">
          {['', ...authors].map(one => (
            <Chip key={one} isChosen={by === one} href={href({ by: one })}>
              {one || 'everyone'}
            </Chip>
          ))}
        </div>
      </div>
      {loaded.status === 'failed' && <p class="none">{loaded.message}</p>}
      {loaded.status === 'loaded' && (
        <Entries
          context={context}
          found={loaded.value}
          moreHref={limit < MOST ? href({ limit: String(limit + STEP * 2) }) : null}
        />
      )}
    </div>
  )
}

interface EntriesProps {
  context: Context
  found: Awaited<ReturnType<Source['log']>>
  /** Null where no more are listed. */
  moreHref: string | null
}

function Entries({ context, found, moreHref }: EntriesProps) {
  return (
    <>
      <p class="quiet">
        {countText(found.decisions.length, 'decision')}
        {found.more && ', and older ones'}
      </p>
      <section class="card" aria-label="Decisions">
        <ol class="log wide">
          {found.decisions.map((decision, position, all) => (
            <DecisionRow
              key={`${decision.ticket} ${decision.id}`}
              context={context}
              decision={decision}
              above={all[position - 1]}
              isLong
            />
          ))}
        </ol>
        {found.more && moreHref !== null && (
          <a class="more" href={moreHref}>
            {STEP * 2} more
          </a>
        )}
      </section>
    </>
  )
}
