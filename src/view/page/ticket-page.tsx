/** One Ticket: the verdict and why, relations from both sides, decisions, claims, and what is around it. */
import { useMemo } from 'preact/hooks'
import type { TicketDocument } from '../../operations/page-documents.ts'
import { mapOf } from '../drawing/map-model.ts'
import { agoText, cleanText, clockText, type Look, lookOf, momentText, spanText } from '../drawing/words.ts'
import { type Context, lookIn } from './context.ts'
import { DecisionRow } from './decision-row.tsx'
import { useAround } from './map-page.tsx'
import { MapView } from './map-view.tsx'
import { Card, Copy, Icon, Said, TicketLink, useLoaded, useWidth } from './pieces.tsx'
import { ReasonList } from './reasons.tsx'
import { hrefTo } from './route.ts'

const VERDICT_WORDS: Record<Look, string> = {
  accept: 'May run now',
  hold: 'Held',
  active: 'Running',
  open: 'Not queued',
  done: 'Settled',
  gone: 'Abandoned',
  missing: 'No file',
}

export function TicketPage({ context, id }: { context: Context; id: string }) {
  const loaded = useLoaded(() => context.source.ticket(id), [id, context.turn])
  const known = context.overview.tickets[id]
  const document = loaded.status === 'loaded' && loaded.value.ticket.id === id ? loaded.value : null
  const look = known ? lookIn(context, id) : document ? lookOf(namedBy(document), document.claim !== null) : 'missing'
  const title = known?.title ?? document?.ticket.title ?? ''
  return (
    <div class="page ticket">
      <div class={`verdict ${look}`}>
        <Icon look={look} />
        {VERDICT_WORDS[look]}
        {document?.claim?.live && (
          <span>
            {' · '}
            {cleanText(document.claim.holder)}, {spanText(Date.parse(document.claim.expires_at) - context.nowMs)} left
          </span>
        )}
      </div>
      <h1 tabIndex={-1}>
        <span class="ticket-id">{cleanText(id)}</span> <Said>{title}</Said>
      </h1>
      {loaded.status === 'failed' && <p class="none">{loaded.message}</p>}
      {document && <Facts context={context} document={document} />}
      {document && <Columns context={context} document={document} look={look} />}
      <Around context={context} id={id} />
    </div>
  )
}

function namedBy({ ticket, verdict }: TicketDocument) {
  return { title: ticket.title, state: ticket.state, phase: ticket.phase, state_at: null, verdict }
}

function Facts({ context, document: { ticket, source, areas } }: { context: Context; document: TicketDocument }) {
  const queued = ticket.queued_at && `queued ${agoText(ticket.queued_at, context.nowMs)}`
  const facts = [
    ticket.slug,
    ticket.state && `state ${ticket.state}`,
    queued && (ticket.queued_by ? `${queued} by ${ticket.queued_by}` : queued),
    ticket.path,
    areas.length > 0 &&
      `works in ${areas
        .slice(0, 4)
        .map(({ pattern }) => pattern)
        .join(', ')}`,
  ].filter((fact): fact is string => !!fact)
  return (
    <p class="quiet facts">
      {cleanText(facts.join(' · '))}
      {source?.url && (
        <>
          {' · '}
          <a href={source.url} rel="noreferrer noopener external" target="_blank">
            {cleanText(source.system ?? 'source')}
          </a>
        </>
      )}
    </p>
  )
}

function Columns({ context, document, look }: { context: Context; document: TicketDocument; look: Look }) {
  const { relations, decisions, leases } = document
  return (
    <div class="two">
      <div class="column">
        <Why document={document} context={context} look={look} />
        <Plan document={document} />
        {relations.length > 0 && (
          <Card id="relations" title="Relations, from both sides" count={relations.length}>
            <ul class="rows tight">
              {relations.map(relation => (
                <li
                  key={`${relation.decision} ${relation.kind} ${relation.other}`}
                  class={`row relation${relation.status === 'active' ? '' : ' off'}`}
                >
                  <div class="line">
                    <span class="kind">{relation.kind.replaceAll('_', ' ')}</span>
                    <TicketLink context={context} id={relation.other} />
                    {relation.status !== 'active' && <span class="tag">{relation.status}</span>}
                  </div>
                  {relation.reason !== null && (
                    <span class="quote">
                      <Said>{relation.reason}</Said>
                    </span>
                  )}
                </li>
              ))}
            </ul>
          </Card>
        )}
      </div>
      <div class="column">
        <Card id="decisions" title="Decisions in its file" count={decisions.length}>
          {decisions.length === 0 && <p class="none">None: what relates it to others is in their files.</p>}
          <ol class="log">
            {decisions.map((decision, position) => (
              <DecisionRow key={decision.id} context={context} decision={decision} above={decisions[position - 1]} />
            ))}
          </ol>
        </Card>
        <Leases leases={leases} />
      </div>
    </div>
  )
}

function Leases({ leases }: Pick<TicketDocument, 'leases'>) {
  if (leases.length === 0) return null
  return (
    <Card id="leases" title="Claims" count={leases.length}>
      <ul class="rows tight">
        {leases.map(lease => (
          <li key={`${lease.holder} ${lease.from} ${lease.to}`} class="row">
            <div class="line">
              <b>{cleanText(lease.holder)}</b>
              <span class="quiet">{leaseText(lease)}</span>
            </div>
            {lease.reason !== null && (
              <span class="quote">
                <Said>{lease.reason}</Said>
              </span>
            )}
          </li>
        ))}
      </ul>
    </Card>
  )
}

function leaseText({ from, to, end }: TicketDocument['leases'][number]): string {
  const start = from === null ? 'earlier' : momentText(Date.parse(from))
  if (to === null) return `since ${start}`
  const how = { released: '', forced: ', ended by force', taken_over: ', expired and taken over', moved: ', moved on' }
  return `${start} to ${clockText(Date.parse(to))}${how[end ?? 'released']}`
}

function Why({ context, document, look }: { context: Context; document: TicketDocument; look: Look }) {
  const { reasons, ticket, plan } = document
  const queue = look === 'hold' || look === 'accept'
  if (!queue && plan) return null
  if (!queue)
    return (
      <Card id="why" title="Not in the queue">
        <p class="none">
          {look === 'missing'
            ? 'No file here has this id; it may arrive with a pull.'
            : `Its state is ${cleanText(ticket.state ?? '')}.`}
        </p>
      </Card>
    )
  const title =
    look === 'hold' ? 'Why it is held' : reasons.length > 0 ? 'To know before it is accepted' : 'Nothing holds it'
  return (
    <Card id="why" title={title} aside={<Copy text={`ticketplan consult ${ticket.id}`} />}>
      {reasons.length > 0 && <ReasonList context={context} document={document} />}
    </Card>
  )
}

function Plan({ document: { plan } }: { document: TicketDocument }) {
  if (!plan) return null
  const facts = [plan.branch && `branch ${plan.branch}`, plan.worktree && `worktree ${plan.worktree}`].filter(Boolean)
  return (
    <Card id="plan" title="Accepted plan">
      <p>
        <Said>{plan.summary}</Said>
      </p>
      <p class="quiet">{cleanText([...facts, `${plan.by}, ${momentText(Date.parse(plan.at))}`].join(' · '))}</p>
    </Card>
  )
}

function Around({ context, id }: { context: Context; id: string }) {
  const overview = useAround(context, id)
  const [ref, width] = useWidth()
  const model = useMemo(
    () => (width === 0 ? null : mapOf(overview, { focus: id, width, cap: 120 })),
    [overview, width, id],
  )
  return (
    <Card
      id="around"
      kind="flush"
      title="Around it"
      aside={
        <a class="aside" href={hrefTo('map', { focus: id })}>
          on the map
        </a>
      }
    >
      <div ref={ref} class="measure" />
      {model && model.nodes.length > 1 ? (
        <MapView context={{ ...context, overview }} model={model} focus={id} />
      ) : (
        <p class="none">No open relation to another Ticket.</p>
      )}
    </Card>
  )
}
