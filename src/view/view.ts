/** What the bundle of the page offers to the rest of the program. */
export { type ExportOptions, exportHtml, exportSvg } from './exports.ts'
export { type ServeOptions, serveView, type ViewServer } from './server/server.ts'
