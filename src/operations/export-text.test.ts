import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { STORED_RELATION_KINDS } from '../model/decision-kinds.ts'
import { dotLines, mermaidLines } from './export-text.ts'

const HOSTILE = [
  '"',
  '\\',
  '\n',
  '\r',
  '\u2028',
  '-->',
  ']',
  '["',
  '#quot;',
  '`',
  '%%',
  '漢',
  '\u001b[2J',
  '\u202e',
  'end',
  ';',
  '|',
  '}',
]
const title = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom(...HOSTILE)).map(parts => parts.join('')),
)
const node = title.map(title => ({ id: 'A.1-x', title, state: 'queued', phase: 'queued' }))
const edges = STORED_RELATION_KINDS.map(kind => ({ ticket: 'A.1-x', kind, other: 'B' }))

describe('mermaidLines', () => {
  test('keeps any text within its quotes, and nothing of it is lost', () =>
    fc.assert(
      fc.property(node, node => {
        const [head, first, ...rest] = [...mermaidLines([node], edges)].join('').split('\n')
        expect(head).toBe('flowchart LR')
        const label = /^ {2}t0\["([^"<>&\\`\u0000-\u001f\u2028\u2029]*)"\]:::queued$/.exec(first!)?.[1]
        expect(label).toBeDefined()
        expect(label!.replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))).toBe(
          `A.1-x (queued): ${node.title}`,
        )
        expect(rest[0]).toBe('  t1["B"]')
      }),
    ))

  test('has an arrow for every kind of relation', () => {
    const arrows = [...mermaidLines([], edges)]
      .join('')
      .split('\n')
      .filter(line => /^ {2}t1 /.test(line))
    expect(arrows).toHaveLength(edges.length)
    for (const arrow of arrows) expect(arrow).toMatch(/^ {2}t1 (==>|-->|<-\.->|-\.-)(\|\w+\|)? t0$/)
  })
})

describe('dotLines', () => {
  test('keeps any text within its quotes', () =>
    fc.assert(
      fc.property(node, node => {
        const line = [...dotLines([node], edges)].join('').split('\n')[3]!
        const label = /^ {2}"A\.1-x" \[label="((?:[^"\\]|\\["\\])*)", fillcolor="#fff3bf"\]$/.exec(line)?.[1]
        expect(label).toBeDefined()
        expect(label).not.toMatch(/[\u0000-\u001f\u2028\u2029]/)
      }),
    ))

  test('has an arrow for every kind of relation', () => {
    const arrows = [...dotLines([], edges)]
      .join('')
      .split('\n')
      .filter(line => line.includes('->'))
    expect(arrows).toHaveLength(edges.length)
    for (const arrow of arrows) expect(arrow).toMatch(/^ {2}"B" -> "A\.1-x" \[(\w+=[\w"]+(, )?)+\]$/)
  })
})
