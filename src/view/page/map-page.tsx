/** The map: everything in play, or what is around one Ticket. */
import { useMemo } from 'preact/hooks'
import { DRAWN_KINDS, mapOf } from '../drawing/map-model.ts'
import type { RelationKind } from '../drawing/map-relations.ts'
import type { Context } from './context.ts'
import { Legend, MapView } from './map-view.tsx'
import { Chip, useLoaded, useWidth } from './pieces.tsx'
import { hrefTo } from './route.ts'
import { saveMap } from './save-map.ts'

const KIND_NAMES: [RelationKind, string][] = [
  ['blocked_by', 'blocks'],
  ['after', 'before'],
  ['conflicts_with', 'conflicts'],
  ['part_of', 'parts'],
  ['related', 'related'],
]
const CAP = 160
const MOST_BOXES = 1000

export function MapPage({ context }: { context: Context }) {
  const { query } = context.where
  const focus = query.get('focus') ?? undefined
  const kinds = (query.get('kinds')?.split(',') as RelationKind[] | undefined) ?? DRAWN_KINDS
  const cap = Math.min(MOST_BOXES, Number(query.get('cap')) || CAP)
  const unfold = query.get('unfold') ?? ''
  const overview = useAround(context, focus)
  const [ref, width] = useWidth()
  const model = useMemo(
    () =>
      width === 0
        ? null
        : mapOf(overview, { width: Math.max(width, 380), cap, focus, kinds, unfold: new Set(unfold ? [unfold] : []) }),
    [overview, width, cap, focus, kinds.join(), unfold],
  )
  return (
    <div class="page wide">
      <h1 tabIndex={-1}>What waits for what{focus !== undefined && <span class="quiet"> around {focus}</span>}</h1>
      <Filters
        {...{ focus, kinds, cap, query }}
        leftOut={model?.leftOut ?? 0}
        save={() => saveMap(overview, model, focus)}
      />
      <section class="card flush" aria-label="Map">
        <div ref={ref} class="measure" />
        {model && model.nodes.length === 0 && <p class="none">Nothing to draw.</p>}
        {model && model.nodes.length > 0 && (
          <MapView context={{ ...context, overview }} model={model} focus={focus} isTall />
        )}
        <div class="foot">
          <Legend hasRelated={kinds.includes('related') || kinds.includes('part_of')} />
        </div>
      </section>
    </div>
  )
}

interface FilterProps {
  focus: string | undefined
  kinds: readonly RelationKind[]
  cap: number
  query: URLSearchParams
  leftOut: number
  save(): void
}

function Filters({ focus, kinds, cap, query, leftOut, save }: FilterProps) {
  const href = (more: Record<string, string | undefined>) => hrefTo('map', { ...Object.fromEntries(query), ...more })
  const toggled = (kind: RelationKind) =>
    (kinds.includes(kind) ? kinds.filter(one => one !== kind) : [...kinds, kind]).join(',') || 'none'
  return (
    <div class="filters">
      <form
        onSubmit={event => {
          event.preventDefault()
          location.hash = href({ focus: String(new FormData(event.currentTarget).get('focus')) })
        }}
      >
        <label>
          Around <input name="focus" defaultValue={focus ?? ''} key={focus} placeholder="Ticket id" />
        </label>
      </form>
      <div role="group" aria-label="Lines">
        {KIND_NAMES.map(([kind, word]) => (
          <Chip key={kind} isChosen={kinds.includes(kind)} href={href({ kinds: toggled(kind) })}>
            {word}
          </Chip>
        ))}
      </div>
      {focus !== undefined && (
        <Chip isChosen={false} href={href({ focus: undefined })}>
          whole map
        </Chip>
      )}
      {leftOut > 0 && cap < MOST_BOXES && (
        <Chip isChosen={false} href={href({ cap: String(cap * 2) })}>
          {`${leftOut.toLocaleString('en')} more are not drawn: draw more`}
        </Chip>
      )}
      <button type="button" class="chip" onClick={save}>
        save as SVG
      </button>
    </div>
  )
}

/** Returns the overview with the relations around a Ticket; the known one until they are there, or where it has them all. */
export function useAround(context: Context, focus: string | undefined) {
  const { overview, source, turn } = context
  const isComplete = focus === undefined || !('relations' in overview.left_out)
  const loaded = useLoaded(
    () => (isComplete ? Promise.resolve(overview) : source.around(focus)),
    [focus, turn, isComplete],
  )
  return isComplete || loaded.status !== 'loaded' ? overview : loaded.value
}
