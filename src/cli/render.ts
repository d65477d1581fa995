/**
 * Renders the output of each operation for people: from a document to lines.
 *
 * Text from files is escaped here and in the modules that this one dispatches to. Nothing is printed here.
 */
import { escapeText } from '../model/escape-text.ts'
import type { OperationName } from '../operations/registry.ts'
import type { OutputOf } from '../sdk.ts'
import type { Page } from './phrases.ts'
import { graphLines } from './render-graph.ts'
import { listLines } from './render-list.ts'
import { logLines } from './render-log.ts'
import { doctorLines, importLines, initLines, resolveLines, syncLines, verifyLines } from './render-maintenance.ts'
import { overviewLines } from './render-overview.ts'
import {
  acceptLines,
  claimLines,
  claimsLines,
  consultLines,
  queueLines,
  releaseLines,
  renewLines,
} from './render-routing.ts'
import {
  addLines,
  recordAllLines,
  recordLines,
  relationsLines,
  retractLines,
  scopeLines,
  setLines,
  showLines,
  sqlText,
} from './render-tickets.ts'
import { undoLines } from './render-undo.ts'
import { escapeLines, painter } from './terminal.ts'
import type { Terminal } from './terminal-of.ts'

type Renderers = { [N in OperationName]: (output: OutputOf<N>, page: Page) => string[] | string }

const renderers: Renderers = {
  init: initLines,
  add: addLines,
  set: setLines,
  record: recordLines,
  recordAll: recordAllLines,
  retract: retractLines,
  undo: undoLines,
  list: listLines,
  queue: queueLines,
  consult: consultLines,
  accept: acceptLines,
  claim: claimLines,
  renew: renewLines,
  release: releaseLines,
  claims: claimsLines,
  show: showLines,
  relations: relationsLines,
  graph: graphLines,
  log: logLines,
  scope: scopeLines,
  overview: overviewLines,
  brief: ({ text }) => text,
  sql: sqlText,
  db: ({ path }) => `${path}\n`,
  sync: (counts, { input }) => (input.quiet ? [] : syncLines(counts)),
  rebuild: syncLines,
  verify: verifyLines,
  doctor: doctorLines,
  import: importLines,
  export: ({ text }) => text,
  resolve: resolveLines,
  'merge-driver': ({ message }) => (message === null ? [] : [`ticketplan: ${escapeText(message)}`]),
}

/** Returns the readable form of an operation's output, with its final line break. */
export function render<N extends OperationName>(
  name: N,
  output: OutputOf<N>,
  input: Record<string, unknown>,
  terminal: Terminal,
  nowMs = Date.now(),
): string {
  const page: Page = { paint: painter(terminal), width: terminal.width || undefined, input, nowMs }
  const shown = renderers[name](output, page)
  if (typeof shown === 'string') return terminal.isTerminal ? escapeLines(shown) : shown
  return shown.length ? `${shown.join('\n')}\n` : ''
}
