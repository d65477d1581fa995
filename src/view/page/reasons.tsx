/** Shows why a Ticket is held: each reason as a path to what has to move first, or in words. */
import type { ChainLink, Reason } from '../../model/reasons.ts'
import type { TicketDocument } from '../../operations/page-documents.ts'
import { agoText } from '../drawing/words.ts'
import { type Context, titleIn } from './context.ts'
import { Said, TicketLink } from './pieces.tsx'

/** One reason in one line. `root` is the cause under which it is listed. */
export function ReasonPath({ context, reason, root }: { context: Context; reason: Reason; root?: string | undefined }) {
  if (reason.code === 'blocked_by') {
    const path = pathTo(reason.chain, root)
    const rest = new Set(reason.chain.map(({ ticket }) => ticket)).size - path.length
    return <Path context={context} verb="waits for" ids={path} more={rest > 0 ? `+${rest}` : ''} />
  }
  if (reason.code === 'cycle')
    return <Path context={context} kind="cycle" verb="waits for itself:" ids={[...reason.cycle, reason.cycle[0]!]} />
  if (reason.code === 'parent_blocked')
    return <Path context={context} verb="with its parent" ids={[reason.ticket, ...reason.blockers.slice(0, 2)]} />
  if (reason.code === 'after') return <Path context={context} verb="after" ids={[reason.ticket]} />
  if (reason.code === 'conflicts_with')
    return <Path context={context} kind="conflict" verb="not beside" ids={[reason.ticket]} />
  if (reason.code === 'area')
    return <Path context={context} kind="conflict" verb={`same area ${reason.other_pattern}:`} ids={[reason.ticket]} />
  if (reason.code === 'blocker_missing')
    return <Path context={context} verb="waits for" ids={[reason.ticket]} more="no file here" />
  if (reason.code === 'blocker_abandoned')
    return <Path context={context} kind="cycle" verb="waits for" ids={[reason.ticket]} more="abandoned" />
  return (
    <span class="path words">
      <Said>{plainText(reason.message)}</Said>
    </span>
  )
}

interface PathProps {
  context: Context
  verb: string
  ids: readonly string[]
  kind?: string
  more?: string
}

function Path({ context, verb, ids, kind = '', more = '' }: PathProps) {
  return (
    <span class={`path ${kind}`}>
      <span class="verb">{verb}</span>
      {ids.map((id, position) => (
        <span key={`${position}`} class="hop">
          {position > 0 && (
            <span class="arrow">
              ‹<span class="spoken"> which waits for </span>
            </span>
          )}
          <TicketLink context={context} id={id} />
        </span>
      ))}
      {more && <span class="extra">{more}</span>}
    </span>
  )
}

const MOST_HOPS = 5

/** Returns the way along a chain to the root, or to its deepest end; a long one without its middle. */
function pathTo(chain: readonly ChainLink[], root: string | undefined): string[] {
  if (chain.length === 0) return []
  const blocks = new Map<string, string>()
  for (const link of chain) if (!blocks.has(link.ticket)) blocks.set(link.ticket, link.blocks)
  const end = root !== undefined && blocks.has(root) ? root : chain.reduce((a, b) => (b.depth > a.depth ? b : a)).ticket
  const path = [end]
  for (let at = blocks.get(end); at !== undefined && blocks.has(at) && !path.includes(at); at = blocks.get(at))
    path.unshift(at)
  return path.length > MOST_HOPS ? [...path.slice(0, 2), ...path.slice(-2)] : path
}

/** All reasons of a Ticket, each with what was said when it was decided. */
export function ReasonList({ context, document }: { context: Context; document: TicketDocument }) {
  return (
    <ul class="reasons">
      {document.reasons.map((reason, position) => (
        <li key={`${position}`} class={reason.severity}>
          <Said>{plainText(reason.message)}</Said>
          <Quote context={context} document={document} reason={reason} />
          {reason.code === 'blocked_by' && reason.chain.length > 1 && <Chain context={context} chain={reason.chain} />}
        </li>
      ))}
    </ul>
  )
}

function Quote({ context, document, reason }: { context: Context; document: TicketDocument; reason: Reason }) {
  const ids = 'decisions' in reason ? (reason.decisions ?? []) : []
  const decision = document.decisions.find(({ id }) => ids.includes(id))
  const relation = document.relations.find(({ decisions }) => decisions.some(id => ids.includes(id)))
  const text = decision?.text ?? relation?.reason
  const said = decision ?? relation
  if (!text || !said) return null
  return (
    <div>
      <span class="quote inline">
        <Said>{text}</Said>
      </span>{' '}
      <span class="quiet small">
        {said.by}, {agoText(said.at, context.nowMs)}
      </span>
    </div>
  )
}

/** Everything that holds it through one blocker, each with what blocks it below. */
function Chain({ context, chain }: { context: Context; chain: readonly ChainLink[] }) {
  return (
    <ul class="chain">
      {chain.slice(0, 60).map(({ ticket, depth, repeated }, position) => (
        <li key={`${position}`} class={`depth-${Math.min(depth, 12)}`}>
          <span class="elbow" aria-hidden="true" />
          <TicketLink context={context} id={ticket} />
          <span class="title">
            <Said>{titleIn(context, ticket)}</Said>
          </span>
          {repeated && <span class="tag">see above</span>}
        </li>
      ))}
    </ul>
  )
}

function plainText(message: string): string {
  return message.replaceAll('`', '')
}
