import fc from 'fast-check'
import { h } from 'preact'
import { describe, expect, test } from 'vitest'
import { xmlText } from './xml.ts'

/** What XML 1.0 allows in text, with the five entities resolved; null for text that is not well formed. */
function parsed(text: string): string | null {
  if (/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/.test(text)) return null
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text)) return null
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
  return text.replace(/&(\w+|#39);/g, (_, name) => entities[name]!)
}

describe('xmlText', () => {
  test('writes elements, components and attributes, without handlers and absent values', () => {
    const Part = ({ name }: { name: string }) => h('g', { class: name }, 'text')
    const tree = h('svg', { width: 3, onClick: () => {}, hidden: false, 'data-x': undefined }, [
      h(Part, { name: 'a"b' }),
      null,
    ])
    expect(xmlText(tree)).toBe('<svg width="3"><g class="a&quot;b">text</g></svg>')
  })

  test('any text is well-formed, in an element and in an attribute, and printable text comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const [, attribute, content] =
          /^<a b="(.*?)">?(?:\/>|(.*)<\/a>)$/s.exec(xmlText(h('a', { b: text }, text))) ?? []
        expect(parsed(attribute!)).not.toBeNull()
        expect(parsed(content ?? '')).not.toBeNull()
        if (/^[\x20-\x7e]+$/.test(text)) expect(parsed(content!)).toBe(text)
      }),
    )
  })

  test('a title cannot end a section or an element', () => {
    expect(xmlText(h('title', {}, ']]></title><script>'))).toBe('<title>]]&gt;&lt;/title&gt;&lt;script&gt;</title>')
  })
})
