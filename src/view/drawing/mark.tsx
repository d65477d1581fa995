/** Draws the mark of a Ticket: a shape for each look, so that no difference is one of colour alone. */
import type { Look } from './words.ts'

const PATHS: Record<Look, string | null> = {
  accept: 'M-2.8 .2-.8 2.3 2.9-2',
  hold: 'M-1.7-2.6V2.6M1.7-2.6V2.6',
  active: 'M-1.7-2.9 3.1 0-1.7 2.9Z',
  open: null,
  done: 'M-2.8 .2-.8 2.3 2.9-2',
  gone: 'M-4.2 4.2 4.2-4.2',
  missing: 'M-2.2-2.2 2.2 2.2M2.2-2.2-2.2 2.2',
}

/** The mark around a point, within an SVG. */
export function Mark({ look, x = 0, y = 0 }: { look: Look; x?: number; y?: number }) {
  const path = PATHS[look]
  return (
    <g class={`mark ${look}`} transform={`translate(${x} ${y})`}>
      <circle r={look === 'open' ? 5.3 : 6} />
      {path && <path d={path} />}
    </g>
  )
}
