/** Plots the past: the queue over the last day, and Tickets made and settled over the life of the plan. */
import type { Past } from '../../operations/overview-shape.ts'
import { timeAxis } from './time-axis.ts'
import { countText, momentText, spanText } from './words.ts'

const HEIGHT = 148
const TOP = 14
const BASE = 118
const LABELS = 92

const DAY_BANDS = [
  { key: 'running', word: 'running' },
  { key: 'free', word: 'may run' },
  { key: 'held', word: 'held' },
] as const

/** Stacked areas: what ran, what might have run, what was held. */
export function DayPlot({ past, width }: { past: Past; width: number }) {
  const { day } = past
  const last = day.at(-1)!
  const times = day.map(({ at }) => Date.parse(at))
  const [left, right] = [2, width - LABELS]
  const { x, ticks } = timeAxis(times[0]!, times.at(-1)!, left, right)
  const most = Math.max(1, ...day.map(({ free, held, running }) => free + held + running))
  const y = (value: number) => BASE - (value / most) * (BASE - TOP)
  const tops = DAY_BANDS.map((_, band) =>
    day.map(point => DAY_BANDS.slice(0, band + 1).reduce((sum, { key }) => sum + point[key], 0)),
  )
  const edge = (values: readonly number[], from: number, to: number) =>
    values.slice(from, to).map((value, n) => `${x(times[from + n]!).toFixed(1)} ${y(value).toFixed(1)}`)
  const area = (band: number, from: number, to: number) => {
    const below = band === 0 ? day.map(() => 0) : tops[band - 1]!
    return `M${edge(tops[band]!, from, to).join('L')}L${edge(below, from, to).reverse().join('L')}Z`
  }
  const labels = spread(
    DAY_BANDS.map(({ key, word }, band) => ({
      key,
      text: `${last[key].toLocaleString('en')} ${word}`,
      y: (y(tops[band]!.at(-1)!) + y(band === 0 ? 0 : tops[band - 1]!.at(-1)!)) / 2,
    })).reverse(),
  )
  return (
    <svg
      class="plot day"
      width={width}
      height={HEIGHT}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      role="img"
      aria-label={`The last day. Now ${DAY_BANDS.map(({ key, word }) => `${last[key]} ${word}`).join(', ')}; a day ago ${DAY_BANDS.map(({ key, word }) => `${day[0]![key]} ${word}`).join(', ')}.`}
    >
      <Grid ticks={ticks} top={TOP} bottom={BASE} textY={BASE + 16} />
      {DAY_BANDS.map(({ key }, band) => (
        <path key={key} class={`band ${key}`} d={area(band, 0, day.length)} />
      ))}
      <line class="base" x1={left} x2={right} y1={BASE} y2={BASE} />
      {labels.map(({ key, text, y }) => (
        <text key={key} class={`end ${key}`} x={right + 8} y={y + 4}>
          {text}
        </text>
      ))}
    </svg>
  )
}

const GROUPS = ['relations', 'plans', 'notes', 'retractions'] as const

/** Two lines, made and settled, with what is to do between them; below them the decisions of each step. */
export function HistoryPlot({ past, width }: { past: Past; width: number }) {
  const { history } = past
  const [low, high] = [TOP, 104]
  const [from, last] = [history[0]!, history.at(-1)!]
  const [left, right] = [2, width - LABELS]
  const times = history.map(({ at }) => Date.parse(at))
  const { x, ticks } = timeAxis(times[0]!, times.at(-1)!, left, right)
  const y = (value: number) => high - (value / Math.max(1, last.made)) * (high - low)
  const points = (key: 'made' | 'settled') =>
    history.map((one, n) => `${x(times[n]!).toFixed(1)} ${y(one[key]).toFixed(1)}`)
  const stepMs = times[1]! - times[0]!
  const sums = history.map(one => GROUPS.reduce((sum, group) => sum + one[group], 0))
  const most = Math.max(1, ...sums.slice(1))
  const base = 156
  const toDo = last.made - last.settled
  const labels = spread([
    { key: 'made', text: `${last.made.toLocaleString('en')} made`, y: y(last.made) },
    { key: 'todo', text: `${toDo.toLocaleString('en')} to do`, y: (y(last.made) + y(last.settled)) / 2 },
    { key: 'settled', text: `${last.settled.toLocaleString('en')} settled`, y: y(last.settled) },
  ])
  return (
    <svg
      class="plot history"
      width={width}
      height={base + 22}
      viewBox={`0 0 ${width} ${base + 22}`}
      role="img"
      aria-label={`${countText(last.made, 'Ticket')} made and ${last.settled} settled between ${momentText(Date.parse(from.at))} and ${momentText(Date.parse(last.at))}.`}
    >
      <Grid ticks={ticks} top={low} bottom={base} textY={base + 16} />
      <path class="between" d={`M${points('made').join('L')}L${points('settled').reverse().join('L')}Z`} />
      <path class="line made" d={`M${points('made').join('L')}`} />
      <path class="line settled" d={`M${points('settled').join('L')}`} />
      <DecisionBars {...{ history, x, most }} top={high + 14} base={base} />
      <line class="base" x1={left} x2={right} y1={base} y2={base} />
      {labels.map(({ key, text, y }) => (
        <text key={key} class={`end ${key}`} x={right + 8} y={y + 4}>
          {text}
        </text>
      ))}
      <text class="end sub" x={right + 8} y={base - 2}>
        {`≤ ${most} in ${spanText(stepMs)}`}
      </text>
    </svg>
  )
}

interface BarsProps {
  history: Past['history']
  x(timeMs: number): number
  /** The decisions of the highest bar. */
  most: number
  top: number
  base: number
}

function DecisionBars({ history, x, most, top, base }: BarsProps) {
  const timeOf = (n: number) => Date.parse(history[n]!.at)
  return (
    <>
      {history.slice(1).map((one, n) => {
        let y = base
        const wide = Math.max(1.5, x(timeOf(n + 1)) - x(timeOf(n)) - 1)
        return GROUPS.filter(group => one[group] > 0).map(group => {
          const height = (one[group] / most) * (base - top)
          y -= height
          return (
            <rect
              key={`${group} ${one.at}`}
              class={`bar ${group}`}
              x={x(timeOf(n))}
              y={y}
              width={wide}
              height={Math.max(0.6, height - 0.4)}
            >
              <title>{`${momentText(timeOf(n))}, ${spanText(timeOf(1) - timeOf(0))}: ${one[group]} ${group}`}</title>
            </rect>
          )
        })
      })}
    </>
  )
}

function Grid({
  ticks,
  top,
  bottom,
  textY,
}: {
  ticks: { x: number; text: string }[]
  top: number
  bottom: number
  textY: number
}) {
  return (
    <>
      {ticks.map(({ x, text }) => (
        <g key={`${x}`}>
          <line class="grid" x1={x} x2={x} y1={top} y2={bottom} />
          <text class="tick" x={Math.max(x, 16)} y={textY} text-anchor="middle">
            {text}
          </text>
        </g>
      ))}
    </>
  )
}

/** Moves labels apart, from the top down, so that none covers another. */
function spread<T extends { y: number }>(labels: T[]): T[] {
  const placed = labels.map(label => ({ ...label }))
  for (let n = 1; n < placed.length; n++) placed[n]!.y = Math.max(placed[n]!.y, placed[n - 1]!.y + 14)
  const over = Math.max(0, placed.at(-1)!.y - (BASE - 4))
  for (let n = placed.length - 1, limit = BASE - 4; over > 0 && n >= 0; n--, limit -= 14)
    placed[n]!.y = Math.min(placed[n]!.y, limit)
  return placed
}
