/** Makes files from an overview: the map as SVG, and the whole page with its data as HTML. Neither loads anything. */
import { h } from 'preact'
import type { Overview } from '../operations/overview-shape.ts'
import type { FileMaker, PageDocument } from '../operations/page-documents.ts'
import { mapOf } from './drawing/map-model.ts'
import { MapSvg } from './drawing/map-svg.tsx'
import { fileStyle } from './drawing/palette.ts'
import { escapeXml, xmlText } from './drawing/xml.ts'
import { readPageFiles } from './server/page-files.ts'

export interface ExportOptions {
  /** Only what is around this Ticket. */
  focus?: string | undefined
}

const WIDTH = 1400
const CAP = 300

/** Returns the map as an SVG file, light or dark as its viewer asks. */
export function exportSvg(overview: Overview, { focus }: ExportOptions = {}): string {
  const model = mapOf(overview, { width: WIDTH, cap: CAP, focus })
  const drawing = xmlText(h(MapSvg, { overview, model, focus, style: fileStyle() }))
  return `<?xml version="1.0" encoding="UTF-8"?>\n${drawing}\n`
}

/** Returns the page with its data as one HTML file. Its policy allows its own script and style, by their hashes. */
export function exportHtml(document: PageDocument): string {
  const files = readPageFiles()
  const text = (path: string) => files.get(path)!.body.toString()
  // Neither text may end its element.
  const script = text('/page.js').trimEnd().replaceAll('</script', '<\\/script')
  const style = text('/page.css').trimEnd()
  const data = JSON.stringify(document).replaceAll('<', '\\u003c')
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(document.overview.name)}</title>
<style>${style}</style>
</head>
<body>
<div id="app"></div>
<script type="application/json" id="document">${data}</script>
<script type="module">${script}</script>
</body>
</html>
`
}

function hashOf(text: string): string {
  const { createHash } = process.getBuiltinModule('node:crypto')
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

// The room below names these functions without importing them.
true satisfies { exportHtml: typeof exportHtml; exportSvg: typeof exportSvg } extends FileMaker ? true : false
