/** Now: five numbers, one sentence, and the cards. A plan without a queue has its own form. */
import { useMemo } from 'preact/hooks'
import { hasMap, mapOf } from '../drawing/map-model.ts'
import { countText, type Look } from '../drawing/words.ts'
import type { Context } from './context.ts'
import { DecisionRow } from './decision-row.tsx'
import { Legend, MapView } from './map-view.tsx'
import { Day, History, Waits } from './past-cards.tsx'
import { Card, Icon, TicketLink, useWidth } from './pieces.tsx'
import { causeText, Held, MayRun } from './queue-cards.tsx'
import { hrefTo } from './route.ts'
import { Attention, Conflicts, Holds, Parents } from './side-cards.tsx'
import { Areas, Work } from './work-cards.tsx'

export function NowPage({ context }: { context: Context }) {
  const { overview } = context
  const { past } = overview
  return (
    <div class="now">
      <h1 tabIndex={-1} class="spoken">
        What is going on in {overview.name}
      </h1>
      <Numbers context={context} />
      <div class="columns">
        <div class="column queue">
          {isIdle(context) ? (
            <EmptyQueue context={context} />
          ) : (
            <>
              <MayRun context={context} />
              <Held context={context} />
            </>
          )}
        </div>
        <div class="column middle">
          <MapCard context={context} />
          <Recent context={context} />
          {past && <History past={past} />}
          {past && <Waits context={context} past={past} />}
        </div>
        <div class="column side">
          <Attention context={context} />
          <Work context={context} />
          {past && <Day past={past} />}
          <Areas context={context} />
          <Conflicts context={context} />
          <Holds context={context} />
          <Parents context={context} />
        </div>
      </div>
    </div>
  )
}

function isIdle({ overview: { counts } }: Context): boolean {
  return counts.accept + counts.hold === 0
}

function Numbers({ context }: { context: Context }) {
  const { counts, attention, left_out: left } = context.overview
  const wrong = attention.length + (left.attention ?? 0)
  const unclaimed = counts.unclaimed > 0 ? `, ${counts.unclaimed} without a claim` : ''
  return (
    <section class="numbers" aria-label="In short">
      <Figure to="may-run" look="accept" value={counts.accept} words="may run now" />
      <Figure to="held" look="hold" value={counts.hold} words="held" />
      <Figure to="running" look="active" value={counts.running} words={`running${unclaimed}`} />
      <Figure
        to="conflicts"
        value={counts.conflicts}
        words={`${counts.conflicts === 1 ? 'conflict' : 'conflicts'} in play`}
      />
      <Figure
        to="attention"
        kind={wrong > 0 ? 'wrong' : 'fine'}
        value={wrong}
        words={wrong > 0 ? 'to look at' : 'nothing wrong'}
      />
      <p class="sentence">
        <Sentence context={context} />
      </p>
    </section>
  )
}

function Figure({
  to,
  look,
  kind,
  value,
  words,
}: {
  to: string
  look?: Look
  kind?: string
  value: number
  words: string
}) {
  return (
    <a class={`figure ${look ?? kind ?? 'conflict'}`} href={`#${to}`} onClick={event => jumpTo(event, to)}>
      <b>{value.toLocaleString('en')}</b>
      <span>
        {look && <Icon look={look} />}
        {!look && !kind && <ConflictIcon />}
        {words}
      </span>
    </a>
  )
}

function ConflictIcon() {
  return (
    <svg class="icon" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">
      <path class="edge conflicts_with" d="M-6 0H6" />
    </svg>
  )
}

/** The address belongs to the view, so a jump within it does not change it. */
function jumpTo(event: MouseEvent, id: string): void {
  event.preventDefault()
  const card = document.getElementById(id)
  card?.scrollIntoView({ block: 'start' })
  card?.querySelector('h2')?.focus({ preventScroll: true })
}

function Sentence({ context }: { context: Context }) {
  const { counts, causes, left_out: left } = context.overview
  const [first] = causes
  if (isIdle(context)) {
    const rest = `${countText(counts.phases.terminal, 'Ticket')} settled, ${counts.phases.open.toLocaleString('en')} not queued.`
    return <>{`${counts.running > 0 ? 'Nothing waits in the queue' : 'Nothing is queued and nothing runs'}. ${rest}`}</>
  }
  if (!first) return <>Nothing is held.</>
  const all = causes.length + (left.causes ?? 0)
  const who =
    first.holds === counts.hold
      ? counts.hold === 1
        ? 'The one that is held waits for '
        : `All ${counts.hold.toLocaleString('en')} that are held wait for `
      : `${first.holds.toLocaleString('en')} of the ${counts.hold.toLocaleString('en')} held ${first.holds === 1 ? 'waits' : 'wait'} for `
  const ticket = first.kind === 'cycle' ? undefined : first.tickets[0]
  return (
    <>
      {who}
      {ticket === undefined ? (
        <b>{causeText(context, first)}</b>
      ) : (
        <>
          <TicketLink context={context} id={ticket} /> ({causeText(context, first)})
        </>
      )}
      .{all > 1 && ` ${all.toLocaleString('en')} causes in all.`}
    </>
  )
}

function EmptyQueue({ context }: { context: Context }) {
  const { phases } = context.overview.counts
  return (
    <Card id="may-run" title="The queue is empty">
      <p class="none">A Ticket enters it with a queued state:</p>
      <p>
        <code>ticketplan set &lt;ticket&gt; --state queued</code>
      </p>
      <p class="none">
        <a href={hrefTo('tickets', { phase: 'open' })}>{countText(phases.open, 'Ticket')} not queued</a>,{' '}
        <a href={hrefTo('tickets', { phase: 'terminal' })}>{phases.terminal.toLocaleString('en')} settled</a>
      </p>
    </Card>
  )
}

function MapCard({ context }: { context: Context }) {
  return hasMap(context.overview) ? <FilledMapCard context={context} /> : null
}

function FilledMapCard({ context }: { context: Context }) {
  const [ref, width] = useWidth()
  const { overview } = context
  const model = useMemo(() => {
    if (width === 0) return null
    const maxSteps = Math.max(2, Math.floor((width + 44) / 212))
    return mapOf(overview, { width: Math.max(width, 380), cap: 60, maxHeight: 480, maxSteps })
  }, [overview, width])
  return (
    <Card
      id="map"
      title="What waits for what"
      aside={
        <a class="aside" href={hrefTo('map')}>
          whole map
        </a>
      }
    >
      <div ref={ref} class="measure" />
      {model && model.nodes.length > 0 && <MapView context={context} model={model} />}
      <div class="foot">
        <Legend />
        {model && model.leftOut > 0 && (
          <a href={hrefTo('map')}>{model.leftOut.toLocaleString('en')} more are not drawn here</a>
        )}
      </div>
    </Card>
  )
}

const MOST_RECENT = 14
const HOUR_MS = 3_600_000

function Recent({ context }: { context: Context }) {
  const { overview, nowMs } = context
  const lastHour = overview.decisions.filter(({ at }) => nowMs - Date.parse(at) < HOUR_MS)
  const isBusy = lastHour.length >= 4
  const list = (isBusy ? lastHour : overview.decisions).slice(0, MOST_RECENT)
  return (
    <Card
      id="decided"
      title={isBusy ? 'Decided in the last hour' : 'Decided last'}
      count={isBusy ? overview.counts.decisions_last_hour : undefined}
      aside={
        <a class="aside" href={hrefTo('log')}>
          whole log
        </a>
      }
    >
      {list.length === 0 && <p class="none">No decision yet.</p>}
      <ol class="log">
        {list.map((decision, position) => (
          <DecisionRow
            key={`${decision.ticket} ${decision.id}`}
            context={context}
            decision={decision}
            above={list[position - 1]}
          />
        ))}
      </ol>
    </Card>
  )
}
