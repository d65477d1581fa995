/** A time axis: from times to pixels, and round times to write below it. Pure. */
import { clockText, dayText } from './words.ts'

export interface TimeAxis {
  x(timeMs: number): number
  ticks: { x: number; text: string }[]
}

const HOUR_MS = 3_600_000
const STEPS_MS = [1 / 12, 1 / 6, 1 / 4, 1 / 2, 1, 2, 3, 6, 12, 24, 48, 168, 336, 720, 1440, 2160, 4320].map(
  hours => hours * HOUR_MS,
)

/** Returns the axis of a span of time. Ticks have `room` pixels at least, in the zone of the reader. */
export function timeAxis(fromMs: number, toMs: number, left: number, right: number, room = 56): TimeAxis {
  const spanMs = Math.max(1, toMs - fromMs)
  const x = (timeMs: number) => left + ((timeMs - fromMs) / spanMs) * (right - left)
  const stepMs = STEPS_MS.find(step => (step / spanMs) * (right - left) >= room) ?? spanMs
  const zoneMs = new Date(toMs).getTimezoneOffset() * 60_000
  const ticks: TimeAxis['ticks'] = []
  for (let time = Math.ceil((fromMs - zoneMs) / stepMs) * stepMs + zoneMs; time <= toMs; time += stepMs)
    ticks.push({ x: x(time), text: stepMs < 24 * HOUR_MS ? clockText(time) : dayText(time) })
  return { x, ticks }
}
