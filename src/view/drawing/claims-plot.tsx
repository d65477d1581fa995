/** Plots who held what, who holds what now, and until when each claim lasts: a row for each holder. */
import type { Overview } from '../../operations/overview-shape.ts'
import { timeAxis } from './time-axis.ts'
import { agoText, cleanText, clockText, fitId, fitText, lookOf, spanText } from './words.ts'

type Claim = Overview['claims'][number]

const ROW = 24
const TOP = 18
const LEFT = 72
const RIGHT = 58
const MOST_ROWS = 14
const HOUR_MS = 3_600_000

interface PlotProps {
  overview: Overview
  nowMs: number
  width: number
  href(ticket: string): string
}

export function ClaimsPlot({ overview, nowMs, width, href }: PlotProps) {
  const claims = openClaims(overview)
  const holders = [...new Set(claims.map(({ holder }) => holder))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  )
  const rows = holders.flatMap(holder => rowsOf(holder, claims)).slice(0, MOST_ROWS)
  if (rows.length === 0) return null
  const ahead = Math.max(
    10 * 60_000,
    ...claims.filter(({ live }) => live).map(one => Date.parse(one.expires_at) - nowMs),
  )
  const back = Math.min(Math.max(ahead * 2.2, HOUR_MS), 6 * HOUR_MS)
  const right = width - RIGHT
  const { x, ticks } = timeAxis(nowMs - back, nowMs + ahead, LEFT, right, 52)
  const at = (timeMs: number) => Math.max(LEFT, Math.min(right, x(timeMs)))
  const height = TOP + rows.length * ROW + 6
  const now = x(nowMs)
  return (
    <svg
      class="plot claims"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="group"
      aria-label={`Claims of ${holders.length} holders over time`}
    >
      {ticks
        .filter(tick => Math.abs(tick.x - now) > 30 && tick.x < right - 14)
        .map(tick => (
          <g key={tick.text}>
            <line class="grid" x1={tick.x} x2={tick.x} y1={TOP - 3} y2={height} />
            <text class="tick" x={tick.x} y={10} text-anchor="middle">
              {tick.text}
            </text>
          </g>
        ))}
      {rows.map((row, position) => (
        <HolderRow
          key={`${row.holder} ${row.claims.at(-1)!.ticket}`}
          {...{ overview, nowMs, width, row, at, href }}
          y={TOP + position * ROW}
        />
      ))}
      <line class="now" x1={now} x2={now} y1={TOP - 4} y2={height} />
      <text class="now" x={now} y={10} text-anchor="middle">
        now
      </text>
      <text class="tick" x={width} y={10} text-anchor="end">
        left
      </text>
    </svg>
  )
}

/** Returns live claims, and expired ones on Tickets that are not settled. */
function openClaims({ claims, tickets }: Overview): Claim[] {
  return claims.filter(({ live, ticket }) => live || tickets[ticket]?.phase !== 'terminal')
}

/** A line of the plot: of one holder, at most one live claim. The first also has the past and the expired claims. */
interface Row {
  holder: string
  claims: Claim[]
  isFirst: boolean
}

function rowsOf(holder: string, all: readonly Claim[]): Row[] {
  const mine = all.filter(claim => claim.holder === holder).sort((a, b) => (a.expires_at < b.expires_at ? -1 : 1))
  const [first, ...others] = mine.filter(({ live }) => live)
  return [
    { holder, claims: [...mine.filter(({ live }) => !live), ...(first ? [first] : [])], isFirst: true },
    ...others.map(claim => ({ holder, claims: [claim], isFirst: false })),
  ]
}

interface RowProps extends PlotProps {
  row: Row
  y: number
  at(timeMs: number): number
}

function HolderRow({ overview, nowMs, width, row, y, at, href }: RowProps) {
  const { holder, claims: mine, isFirst } = row
  const past = isFirst ? overview.leases.filter(lease => lease.holder === holder && lease.to !== null) : []
  return (
    <g>
      <text class="row" x={0} y={y + 15}>
        {isFirst && fitText(holder, LEFT - 6, 12)}
      </text>
      {past.map(({ ticket, from, to, end, reason }) => {
        const [left, right] = [at(from === null ? 0 : Date.parse(from)), at(Date.parse(to!))]
        if (right - left < 1) return null
        return (
          <rect
            key={`${ticket} ${to}`}
            class={`bar was ${end}`}
            x={left}
            y={y + 6}
            width={right - left - 0.5}
            height={ROW - 12}
            rx={2}
          >
            <title>{`${ticket}, ${from === null ? 'earlier' : clockText(Date.parse(from))} to ${clockText(Date.parse(to!))}${end === 'forced' ? `, ended by force: ${cleanText(reason ?? '')}` : ''}`}</title>
          </rect>
        )
      })}
      {mine.map(claim =>
        claim.live ? (
          <LiveBar key={claim.ticket} {...{ overview, claim, nowMs, width, y, at, href }} />
        ) : (
          <LostBar
            key={claim.ticket}
            {...{ overview, claim, nowMs, width, y, at, href }}
            isLast={claim === mine.at(-1)}
          />
        ),
      )}
    </g>
  )
}

type BarProps = Omit<RowProps, 'row'> & { claim: Claim }

function LiveBar({ overview, claim, nowMs, width, y, at, href }: BarProps) {
  const [from, now, until] = [at(Date.parse(claim.acquired_at)), at(nowMs), at(Date.parse(claim.expires_at))]
  const cut = fitId(claim.ticket, now - from - 10, 11)
  // A few characters of an id mean nothing to a reader.
  const label = cut === claim.ticket || now - from > 70 ? cut : ''
  const left = spanText(Date.parse(claim.expires_at) - nowMs)
  const title = cleanText(overview.tickets[claim.ticket]?.title ?? '')
  const session = claim.session ? `, session ${cleanText(claim.session)}` : ''
  return (
    <a
      href={href(claim.ticket)}
      aria-label={`${label} ${left} left: ${cleanText(claim.holder)} holds ${claim.ticket}, ${title}${session}`}
    >
      <title>{`${claim.ticket}${session}\n${title}`}</title>
      <rect class="bar ahead" x={now} y={y + 3} width={Math.max(1, until - now)} height={ROW - 6} rx={3} />
      <rect class="bar live" x={from} y={y + 3} width={Math.max(2, now - from)} height={ROW - 6} rx={3} />
      {label && (
        <text class="on" x={from + 5} y={y + 16}>
          {label}
        </text>
      )}{' '}
      <text class="left" x={width} y={y + 16} text-anchor="end">
        {left}
      </text>
    </a>
  )
}

function LostBar({ overview, claim, nowMs, width, y, at, href, isLast }: BarProps & { isLast: boolean }) {
  const [from, now, until] = [at(Date.parse(claim.acquired_at)), at(nowMs), at(Date.parse(claim.expires_at))]
  const label = isLast ? fitId(claim.ticket, 70, 11) : ''
  const shown = isLast ? `${label} expired` : ''
  const look = lookOf(overview.tickets[claim.ticket], false)
  const says = `${cleanText(claim.holder)} held ${claim.ticket}, ${agoText(claim.expires_at, nowMs)}`
  return (
    <a class={look} href={href(claim.ticket)} aria-label={`${shown} ${says}`}>
      <title>{says}</title>
      <rect class="bar lost" x={from} y={y + 3} width={Math.max(2, until - from)} height={ROW - 6} rx={3} />
      <path class="gap" d={`M${until} ${y + ROW / 2}H${now}`} />
      {label && (
        <text class="lost tag" x={until - from > 46 ? from + 5 : Math.min(until + 5, now - 44)} y={y + 16}>
          {label}
        </text>
      )}{' '}
      {isLast && (
        <text class="lost" x={width} y={y + 16} text-anchor="end">
          expired
        </text>
      )}
    </a>
  )
}
