/** Saves the map that is on the screen as an SVG file, the same as `export svg` makes. */
import { h } from 'preact'
import type { Overview } from '../../operations/overview-shape.ts'
import type { MapModel } from '../drawing/map-model.ts'
import { MapSvg } from '../drawing/map-svg.tsx'
import { fileStyle } from '../drawing/palette.ts'
import { xmlText } from '../drawing/xml.ts'

export function saveMap(overview: Overview, model: MapModel | null, focus: string | undefined): void {
  if (!model) return
  const text = xmlText(h(MapSvg, { overview, model, focus, style: fileStyle() }))
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }))
  link.download = `${overview.name}-map.svg`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}
