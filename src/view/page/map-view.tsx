/** A map to look around in: zoom, pan, arrow keys, and everything that a Ticket depends on lit up. */
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { MapModel, MapNode } from '../drawing/map-model.ts'
import { MapSvg } from '../drawing/map-svg.tsx'
import { LOOK_WORDS, type Look } from '../drawing/words.ts'
import type { Context } from './context.ts'
import { Icon } from './pieces.tsx'
import { hrefTo, ticketHref } from './route.ts'

const ZOOM_STEP = 1.25
const LEAST_ZOOM = 0.2
const MOST_ZOOM = 3

interface ViewProps {
  context: Context
  model: MapModel
  focus?: string | undefined
  isTall?: boolean
}

export function MapView({ context, model, focus, isTall }: ViewProps) {
  const [hovered, setHovered] = useState<string | null>(null)
  const [cursor, setCursor] = useState(focus)
  const box = useRef<HTMLDivElement>(null)
  const [zoom, zoomTo] = useZoom(box)
  const lit = useMemo(() => (hovered === null ? null : joinedTo(model, hovered)), [hovered, model])
  const reachable = cursor !== undefined && model.layout.places.has(cursor) ? cursor : (focus ?? model.nodes[0]?.id)
  useLayoutEffect(() => showFocus(box.current!, model, focus), [focus, model.nodes.length])
  const fit = () => zoomTo(Math.min(1, (box.current!.clientWidth - 30) / model.layout.width))
  const hover = (id: string | null) => setHovered(id !== null && model.relations.length > 0 ? id : null)
  const events = {
    onMouseOver: (event: MouseEvent) => hover(nodeOf(event)),
    onMouseLeave: () => hover(null),
    onFocusOut: () => hover(null),
    onFocusIn: (event: FocusEvent) => {
      const id = nodeOf(event)
      if (id !== null) setCursor(id)
      hover(id)
    },
    onKeyDown: (event: KeyboardEvent) => {
      const id = nodeOf(event)
      const next = id === null ? undefined : nextInDirection(model, id, event.key)
      if (next !== undefined) {
        event.preventDefault()
        setCursor(next)
        requestAnimationFrame(() => box.current?.querySelector<SVGAElement>(`[data-id="${CSS.escape(next)}"]`)?.focus())
      } else if (event.key === '+' || event.key === '=') zoomTo(zoom * ZOOM_STEP)
      else if (event.key === '-') zoomTo(zoom / ZOOM_STEP)
      else if (event.key === '0') zoomTo(1)
    },
  }
  const href = ({ fold, id }: MapNode) =>
    fold ? hrefTo('map', { ...Object.fromEntries(context.where.query), focus, unfold: id }) : ticketHref(id)
  return (
    <div class="map-frame">
      <Zoom zoom={zoom} zoomTo={zoomTo} fit={fit} />
      <div
        class={`map-box${isTall ? ' tall' : ''}`}
        ref={box}
        tabIndex={-1}
        {...panning(box)}
        onWheel={onWheel(zoomTo, zoom)}
      >
        <MapSvg
          overview={context.overview}
          model={model}
          focus={focus}
          scale={zoom}
          interaction={{
            href,
            lit,
            cursor: reachable,
            events: events as unknown as Record<string, (event: never) => void>,
          }}
        />
      </div>
    </div>
  )
}

/** Returns the zoom of a map and what sets it, within its bounds; the middle of the box stays where it is. */
function useZoom(box: { current: HTMLDivElement | null }): [zoom: number, zoomTo: (wanted: number) => void] {
  const [zoom, setZoom] = useState(1)
  const zoomTo = (wanted: number) => {
    const next = Math.max(LEAST_ZOOM, Math.min(MOST_ZOOM, wanted))
    const element = box.current!
    const [x, y] = [element.scrollLeft + element.clientWidth / 2, element.scrollTop + element.clientHeight / 2]
    setZoom(next)
    requestAnimationFrame(() =>
      element.scrollTo(x * (next / zoom) - element.clientWidth / 2, y * (next / zoom) - element.clientHeight / 2),
    )
  }
  return [zoom, zoomTo]
}

function Zoom({ zoom, zoomTo, fit }: { zoom: number; zoomTo(zoom: number): void; fit(): void }) {
  return (
    <div class="zoom">
      <button type="button" aria-label="Zoom out" title="Zoom out (-)" onClick={() => zoomTo(zoom / ZOOM_STEP)}>
        −
      </button>
      <button type="button" title="Original size (0)" onClick={() => zoomTo(1)}>
        {Math.round(zoom * 100)}%
      </button>
      <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => zoomTo(zoom * ZOOM_STEP)}>
        +
      </button>
      <button type="button" title="Fit the width" onClick={fit}>
        fit
      </button>
    </div>
  )
}

/** The wheel zooms with Control, as elsewhere in browsers; without, it scrolls. */
function onWheel(zoomTo: (zoom: number) => void, zoom: number) {
  return (event: WheelEvent) => {
    if (!event.ctrlKey) return
    event.preventDefault()
    zoomTo(zoom * (event.deltaY < 0 ? 1.1 : 1 / 1.1))
  }
}

/** Dragging the background scrolls. */
function panning(box: { current: HTMLDivElement | null }) {
  let from: { x: number; y: number } | undefined
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.pointerType === 'touch' || event.button !== 0 || nodeOf(event) !== null) return
      from = { x: event.clientX + box.current!.scrollLeft, y: event.clientY + box.current!.scrollTop }
      box.current!.setPointerCapture(event.pointerId)
    },
    onPointerMove: (event: PointerEvent) => {
      if (from) box.current!.scrollTo(from.x - event.clientX, from.y - event.clientY)
    },
    onPointerUp: () => {
      from = undefined
    },
  }
}

function nodeOf(event: Event): string | null {
  return (event.target as Element).closest('[data-id]')?.getAttribute('data-id') ?? null
}

function showFocus(box: HTMLDivElement, { layout }: MapModel, focus: string | undefined): void {
  const place = focus === undefined ? undefined : layout.places.get(focus)
  if (!place) return
  box.scrollLeft = place.x - box.clientWidth / 2 + 84
  box.scrollTop = place.y - box.clientHeight / 2 + 20
}

/** Returns what a Ticket waits for and what waits for it, all the way, and its conflicts. */
function joinedTo({ relations, nodes }: MapModel, id: string): Set<string> {
  const start = nodes.find(node => node.id === id)?.fold?.beside ?? id
  const joined = new Set([start])
  const follow = (from: 'ticket' | 'other', to: 'ticket' | 'other') => {
    const side = new Set([start])
    for (const at of side)
      for (const relation of relations)
        if (relation[from] === at && (relation.kind === 'blocked_by' || relation.kind === 'after'))
          side.add(relation[to])
    for (const one of side) joined.add(one)
  }
  follow('ticket', 'other')
  follow('other', 'ticket')
  for (const { kind, ticket, other } of relations)
    if (kind === 'conflicts_with' && (ticket === start || other === start)) joined.add(ticket).add(other)
  return joined
}

const DIRECTIONS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

/** Returns the nearest box in the direction of an arrow key; a box that a line leads to comes first. */
function nextInDirection({ layout, relations }: MapModel, id: string, key: string): string | undefined {
  const direction = DIRECTIONS[key]
  const from = layout.places.get(id)
  if (!direction || !from) return undefined
  const [dx, dy] = direction
  const joined = new Set(
    relations.flatMap(({ ticket, other }) => (ticket === id ? [other] : other === id ? [ticket] : [])),
  )
  const distances = [...layout.places].flatMap(([other, place]) => {
    const along = (place.x - from.x) * dx + (place.y - from.y) * dy
    const across = Math.abs((place.x - from.x) * dy) + Math.abs((place.y - from.y) * dx)
    if (other === id || along < 4) return []
    return [{ other, distance: along + across * 2.2 - (joined.has(other) && dx !== 0 ? 400 : 0) }]
  })
  return distances.sort((a, b) => a.distance - b.distance)[0]?.other
}

const LOOKS: Look[] = ['active', 'accept', 'hold', 'open', 'done', 'gone', 'missing']

export function Legend({ looks = LOOKS, hasRelated = false }: { looks?: Look[]; hasRelated?: boolean }) {
  const lines = [
    ['blocked_by', 'blocks'],
    ['after', 'before'],
    ['conflicts_with', 'never side by side'],
    ['blocked_by cycle', 'closes a cycle'],
    ...(hasRelated ? [['related', 'related or a part']] : []),
  ]
  return (
    <div class="legend" aria-hidden="true">
      {looks.map(look => (
        <span key={look}>
          <Icon look={look} />
          {LOOK_WORDS[look]}
        </span>
      ))}
      {lines.map(([kind, word]) => (
        <span key={kind}>
          <svg width="26" height="8" aria-hidden="true">
            <path class={`edge ${kind}`} d="M0 4H24" />
          </svg>
          {word}
        </span>
      ))}
    </div>
  )
}
