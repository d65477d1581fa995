/** Draws a map as SVG, in the page and in a file alike. */
import type { Overview } from '../../operations/overview-shape.ts'
import { BOX_WIDTH, type Curve, type Route } from './layout-items.ts'
import { FOLD_HEIGHT, type MapModel, type MapNode, NODE_HEIGHT } from './map-model.ts'
import { Mark } from './mark.tsx'
import { cleanText, countText, fitId, fitText, LOOK_WORDS } from './words.ts'

/** What only the page has: links, the pointer, and the one box that the tab key reaches. */
interface Interaction {
  href(node: MapNode): string
  lit: ReadonlySet<string> | null
  cursor: string | undefined
  events: Record<string, (event: never) => void>
}

interface MapProps {
  overview: Overview
  model: MapModel
  focus?: string | undefined
  interaction?: Interaction
  /** The style of a file of its own. */
  style?: string
  /** How many pixels a unit has. */
  scale?: number
}

export function MapSvg({ overview, model, focus, interaction, style, scale = 1 }: MapProps) {
  const width = Math.ceil(Math.max(model.layout.width, BOX_WIDTH)) + 2
  const height = Math.ceil(Math.max(model.layout.height, 1)) + 2
  const label = `Map of ${countText(model.nodes.length, 'Ticket')}: what can move now is on the left, what waits for it to the right.`
  return (
    <svg
      class="map"
      xmlns="http://www.w3.org/2000/svg"
      width={Math.round(width * scale)}
      height={Math.round(height * scale)}
      viewBox={`-1 -1 ${width} ${height}`}
      role={interaction ? 'group' : 'img'}
      aria-label={interaction ? `${label} Arrow keys move, Enter opens.` : label}
      {...interaction?.events}
    >
      {style !== undefined && <style>{style}</style>}
      <Heads />
      <g>
        {model.layout.routes
          .filter(({ line }) => line.kind !== 'alike')
          .map(route => (
            <Edge
              key={`${route.line.from} ${route.line.kind} ${route.line.to}`}
              route={route}
              lit={interaction?.lit ?? null}
            />
          ))}
      </g>
      {model.nodes.map(node => (
        <Node key={node.id} overview={overview} model={model} node={node} focus={focus} interaction={interaction} />
      ))}
    </svg>
  )
}

function Heads() {
  const closed = (id: string, kind: string) => (
    <marker
      id={id}
      viewBox="0 0 8 8"
      refX="7.4"
      refY="4"
      markerWidth="6"
      markerHeight="6"
      markerUnits="userSpaceOnUse"
      orient="auto"
    >
      <path class={`head ${kind}`} d="M0 .6 7.4 4 0 7.4Z" />
    </marker>
  )
  return (
    <defs>
      {closed('head', '')}
      {closed('head-cycle', 'cycle')}
      <marker
        id="head-open"
        viewBox="0 0 8 8"
        refX="7"
        refY="4"
        markerWidth="7"
        markerHeight="7"
        markerUnits="userSpaceOnUse"
        orient="auto"
      >
        <path class="head-open" d="M1 1 7 4 1 7" />
      </marker>
    </defs>
  )
}

function Edge({ route: { line, back, curves }, lit }: { route: Route; lit: ReadonlySet<string> | null }) {
  const how = lit === null ? '' : lit.has(line.from) && lit.has(line.to) ? ' lit' : ' dim'
  const head = line.loose
    ? undefined
    : back
      ? 'url(#head-cycle)'
      : line.kind === 'after'
        ? 'url(#head-open)'
        : 'url(#head)'
  return <path class={`edge ${line.kind}${back ? ' cycle' : ''}${how}`} d={pathOf(curves)} marker-end={head} />
}

function pathOf(curves: readonly Curve[]): string {
  const number = (value: number) => Math.round(value * 10) / 10
  const point = (at: readonly [number, number]) => `${number(at[0])} ${number(at[1])}`
  const steps = curves.map(([from, one, two, to]) =>
    Math.abs(from[1] - to[1]) < 0.5 && one[1] === from[1] && (to[0] - from[0]) * (one[0] - from[0]) > 0
      ? `L${point(to)}`
      : `C${point(one)} ${point(two)} ${point(to)}`,
  )
  return `M${point(curves[0]![0])}${steps.join('')}`
}

interface NodeProps {
  overview: Overview
  model: MapModel
  node: MapNode
  focus: string | undefined
  interaction: Interaction | undefined
}

function Node(props: NodeProps) {
  const { node, model, interaction, focus } = props
  const { x, y } = model.layout.places.get(node.id)!
  const isDim = interaction?.lit != null && !interaction.lit.has(node.fold?.beside ?? node.id)
  const classes = `node ${node.fold ? 'fold' : node.look}${focus === node.id ? ' focus' : ''}${isDim ? ' dim' : ''}`
  const transform = `translate(${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10})`
  const content = <g transform={transform}>{node.fold ? <FoldBox {...props} /> : <TicketBox {...props} />}</g>
  if (!interaction) return <g class={classes}>{content}</g>
  return (
    <a
      class={classes}
      href={interaction.href(node)}
      data-id={node.id}
      tabindex={interaction.cursor === node.id ? 0 : -1}
      aria-label={nodeLabel(props)}
    >
      {content}
    </a>
  )
}

function FoldBox({ node }: NodeProps) {
  return (
    <>
      <title>{node.fold!.tickets.slice(0, 30).map(cleanText).join(', ')}</title>
      <rect width={BOX_WIDTH} height={FOLD_HEIGHT} rx={13} />
      <text x={12} y={17}>
        {foldText(node)}
      </text>
    </>
  )
}

/** Returns what a fold says: `+ 12 wait for T-3 alone`, `+ 5 more chains of 3`. */
function foldText({ fold }: MapNode): string {
  const { groups, size, beside, isBehind } = fold!
  if (!isBehind) return size === 1 ? `+ ${groups} more alike` : `+ ${groups} more chains of ${size}`
  if (size > 1) return `+ ${groups} chains of ${size} wait for it`
  const [head, tail] = [`+ ${groups} wait for `, ' alone']
  return head + fitId(beside, BOX_WIDTH - 24 - (head.length + tail.length) * 5.6, 11) + tail
}

/** Returns the texts that a box shows; empty where it shows none. */
function boxTexts({ overview, node }: NodeProps) {
  const ticket = overview.tickets[node.id]
  const holder = overview.claims.find(claim => claim.live && claim.ticket === node.id)?.holder
  const behind = ticket?.behind ? `${ticket.behind}${ticket.behind >= 1000 ? '+' : ''}›` : ''
  const title = ticket?.title ?? (node.look === 'missing' ? 'no file here' : '')
  const isCut = holder !== undefined && fitText(holder, 56, 11) !== holder
  return {
    id: fitId(node.id, holder ? 76 : BOX_WIDTH - 36, 12),
    who: holder ? fitText(holder, 56, 11) : '',
    title: fitText(title, BOX_WIDTH - 20 - behind.length * 7, 11.5),
    behind,
    full: `${cleanText(node.id)}  ${cleanText(title)}${isCut ? `\n${cleanText(holder)}` : ''}`,
  }
}

// The spaces keep the texts apart for a screen reader.
function TicketBox(props: NodeProps) {
  const { overview, node } = props
  const { id, who, title, behind, full } = boxTexts(props)
  const state = overview.tickets[node.id]?.state
  return (
    <>
      <title>{`${full}\n${LOOK_WORDS[node.look]}${state ? ` (${cleanText(state)})` : ''}`}</title>
      <rect width={BOX_WIDTH} height={NODE_HEIGHT} rx={7} />
      <Mark look={node.look} x={15} y={13} />
      <text class="id" x={27} y={17}>
        {id}
      </text>{' '}
      {who && (
        <text class="who" x={BOX_WIDTH - 9} y={17} text-anchor="end">
          {who}
        </text>
      )}{' '}
      <text class="title" x={10} y={32}>
        {title}
      </text>{' '}
      {behind && (
        <text class="behind" x={BOX_WIDTH - 9} y={32} text-anchor="end">
          {behind}
        </text>
      )}
    </>
  )
}

/** What a screen reader says: first what is to be seen, then the relations in words. */
function nodeLabel(props: NodeProps): string {
  const { node, model, overview } = props
  if (node.fold) return `${foldText(node)}: ${node.fold.tickets.slice(0, 20).map(cleanText).join(', ')}`
  const { id, who, title, behind } = boxTexts(props)
  const seen = [id, who, title, behind].filter(Boolean).join(' ')
  const before = model.relations.filter(one => one.ticket === node.id && ['blocked_by', 'after'].includes(one.kind))
  const beside = model.relations
    .filter(one => one.kind === 'conflicts_with' && (one.ticket === node.id || one.other === node.id))
    .map(one => (one.ticket === node.id ? one.other : one.ticket))
  const waiting = overview.tickets[node.id]?.behind
  return [
    `${seen} ${LOOK_WORDS[node.look]}.`,
    before.length > 0 && `Waits for ${before.map(({ other }) => other).join(', ')}.`,
    beside.length > 0 && `Not beside ${beside.join(', ')}.`,
    waiting && `${countText(waiting, 'Ticket')} ${waiting === 1 ? 'waits' : 'wait'} for it.`,
  ]
    .filter(Boolean)
    .join(' ')
}
