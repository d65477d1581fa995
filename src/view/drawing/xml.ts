/**
 * Writes a drawing as XML. Every text and value is escaped here, `>` and control characters included, so that no title can end a
 * section or make the file invalid; the library for HTML leaves both as they are. Pure.
 */
import type { ComponentChild, VNode } from 'preact'
import { cleanText } from './words.ts'

/** Returns the XML of a tree of elements and components. Event handlers are left out. */
export function xmlText(node: ComponentChild): string {
  if (Array.isArray(node)) return node.map(xmlText).join('')
  if (node === null || node === undefined || typeof node === 'boolean') return ''
  if (typeof node !== 'object') return escapeXml(String(node))
  const { type, props } = node as VNode<Record<string, unknown>>
  if (typeof type === 'function') return xmlText((type as (props: unknown) => ComponentChild)(props))
  const attributes = Object.entries(props).flatMap(([name, value]) =>
    name === 'children' || value === null || value === undefined || value === false || typeof value === 'function'
      ? []
      : ` ${name}="${escapeXml(value === true ? '' : String(value))}"`,
  )
  const children = xmlText(props.children as ComponentChild)
  return children === '' ? `<${type}${attributes.join('')}/>` : `<${type}${attributes.join('')}>${children}</${type}>`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Returns text for an element or an attribute of XML 1.0. */
export function escapeXml(text: string): string {
  // Line breaks are kept: a style sheet and a tooltip have them.
  return text
    .split('\n')
    .map(cleanText)
    .join('\n')
    .replace(/[&<>"']/g, character => ENTITIES[character]!)
}
