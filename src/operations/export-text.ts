/**
 * Formats Tickets and relations as text for other programs, line by line: each has its line feed.
 *
 * Pure. Text from files is quoted by the rules of each format, so that it cannot become part of the drawing or a formula.
 */

import type { RelationKind, StoredRelationKind } from '../model/decision-kinds.ts'

interface Node {
  id: string
  title: string
  state: string
  phase: string
}
interface Edge {
  ticket: string
  /** As stored. */
  kind: RelationKind
  other: string
  advisory?: true
}

/** Yields a Mermaid flowchart. An arrow leads from what comes first to what waits for it. */
export function* mermaidLines(nodes: Node[], edges: Edge[]): Generator<string> {
  yield 'flowchart LR\n'
  const names = nodeNames(nodes, edges)
  const quote = (text: string) =>
    text.replace(/[#"<>&\\`\u2028\u2029]|[^\P{C}\u200c\u200d]/gu, character => `#${character.codePointAt(0)};`)
  const known = new Map(nodes.map(node => [node.id, node]))
  for (const [id, name] of names) {
    const node = known.get(id)
    const label = quote(node ? `${id} (${node.state}): ${node.title}` : id)
    yield `  ${name}["${label}"]${node ? `:::${node.phase}` : ''}\n`
  }
  const arrows: Record<StoredRelationKind, string> = {
    blocked_by: '==>|blocks|',
    after: '-->|before|',
    conflicts_with: '<-.->|conflict|',
    part_of: '-->|contains|',
    related: '-.-',
  }
  for (const { ticket, kind, other } of edges)
    yield `  ${names.get(other)} ${arrows[kind as StoredRelationKind]} ${names.get(ticket)}\n`
  yield '  classDef queued fill:#fff3bf,stroke:#e8a500,color:#222\n'
  yield '  classDef active fill:#d0ebff,stroke:#1971c2,color:#222\n'
  yield '  classDef terminal fill:#e9ecef,stroke:#868e96,color:#555\n'
  yield '  classDef open fill:#ffffff,stroke:#495057,color:#222\n'
}

/** Yields a Graphviz digraph. An arrow leads from what comes first to what waits for it. */
export function* dotLines(nodes: Node[], edges: Edge[]): Generator<string> {
  const quote = (text: string) =>
    `"${text.replace(/[\u2028\u2029]|[^\P{C}\u200c\u200d]/gu, ' ').replace(/["\\]/g, '\\$&')}"`
  const styles: Record<StoredRelationKind, string> = {
    blocked_by: 'label="blocks", style=bold',
    after: 'label="before"',
    conflicts_with: 'label="conflict", dir=both, style=dashed, color=red',
    part_of: 'label="contains", style=dashed, arrowhead=odiamond',
    related: 'label="related", dir=none, style=dotted',
  }
  const fills: Record<string, string> = { queued: '#fff3bf', active: '#d0ebff', terminal: '#e9ecef', open: '#ffffff' }
  yield 'digraph ticketplan {\n  rankdir=LR\n  node [shape=box, style=filled, fontname="sans-serif"]\n'
  for (const { id, title, state, phase } of nodes) {
    yield `  ${quote(id)} [label=${quote(`${id} (${state}): ${title}`)}, fillcolor="${fills[phase]}"]\n`
  }
  for (const { ticket, kind, other } of edges)
    yield `  ${quote(other)} -> ${quote(ticket)} [${styles[kind as StoredRelationKind]}]\n`
  yield '}\n'
}

/** Returns a table as CSV, as `csvRows` does: the names of the columns are its first row. */
export function csvText(columns: string[], rows: unknown[][]): string {
  return csvRows([columns, ...rows])
}

/**
 * Returns rows as CSV by RFC 4180, but with plain line feeds, for the shell. A cell that a spreadsheet would take for a formula gets a
 * leading apostrophe.
 */
export function csvRows(rows: unknown[][]): string {
  const cell = (value: unknown) => {
    if (value === null || value === undefined) return ''
    const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return rows.map(row => `${row.map(cell).join(',')}\n`).join('')
}

/** Returns a short name for each Ticket of the drawing, in the order of the Tickets. */
function nodeNames(nodes: Node[], edges: Edge[]): Map<string, string> {
  const names = new Map<string, string>()
  const name = (id: string) => names.has(id) || names.set(id, `t${names.size}`)
  for (const { id } of nodes) name(id)
  for (const { ticket, other } of edges) {
    name(ticket)
    name(other)
  }
  return names
}
