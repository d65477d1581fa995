import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bounded, DEFAULT_BOUNDS, fitted, TOOL_REMEDIES } from './bounded.ts'

describe('a bounded answer', () => {
  test('is the answer itself if nothing is long', () => {
    const answer = { a: [1, 2], b: { c: ['x'] }, d: null }
    expect(bounded(answer, { ...DEFAULT_BOUNDS, entries: 2 }, TOOL_REMEDIES)).toEqual(answer)
  })

  test('reports how much is missing of each list and text', () => {
    const entries = Array.from({ length: 4 }, () => ({
      chain: Array.from({ length: 12 }, () => ({})),
      text: 'é'.repeat(2001),
    }))
    const { queue, left_out } = bounded(
      { queue: entries, problems: Array.from({ length: 11 }, () => ({})) },
      { ...DEFAULT_BOUNDS, entries: 3 },
      TOOL_REMEDIES,
    )
    expect(queue).toHaveLength(3)
    expect(left_out).toEqual([
      '1 queue: a larger limit returns more',
      '6 chain: the resource ticketplan://ticket/{id} has more',
      '3 characters of text: the resource ticketplan://ticket/{id} has more',
      '1 problems: the command "ticketplan verify" lists all',
    ])
  })

  test('never cuts a character in half', () => {
    const { text } = bounded({ text: `${'x'.repeat(1999)}🐢🐢` }, DEFAULT_BOUNDS, TOOL_REMEDIES)
    expect(text).toBe(`${'x'.repeat(1999)}…`)
  })

  test('keeps every cell of a row', () => {
    const rows = [Array.from({ length: 30 }, (_, n) => n)]
    const columns = rows[0]!.map(String)
    expect(bounded({ columns, rows, truncated: false }, DEFAULT_BOUNDS, TOOL_REMEDIES)).toEqual({
      columns,
      rows,
      truncated: false,
    })
  })
})

describe('an answer that is too large', () => {
  const bytesOf = (document: object) => Buffer.byteLength(JSON.stringify(document))
  const cutTo = (document: object, maxBytes?: number) =>
    fitted(document, DEFAULT_BOUNDS, TOOL_REMEDIES, bytesOf, maxBytes)
  const text = (length: number) => 'é"\n\u0001'.repeat(length / 4)
  const list = <T>(length: number, entry: (n: number) => T) => Array.from({ length }, (_, n) => entry(n))

  const chain = list(100, n => ({ ticket: `T-${n}`, state: text(200) }))
  const reasons = list(500, () => ({ code: 'blocked_by', message: text(300), chain }))
  const title = text(1024)
  const long = text(16_384)
  const row = list(100, () => long)
  const strange = Object.fromEntries(list(10_000, n => [`${n} ${'é'.repeat(100)}`, n]))

  test.each<[string, () => object]>([
    [
      '10,000 queued Tickets with titles of 1 KiB and 500 reasons each',
      () => ({
        queue: list(10_000, n => ({ ticket: { id: `T-${n}`, title }, verdict: 'hold', reasons })),
        problems: list(1000, () => ({ message: title })),
      }),
    ],
    ['a cycle of 100,000 Tickets', () => ({ reasons: [{ cycle: list(100_000, n => `T-${n}`) }], verdict: 'hold' })],
    [
      '100 columns of 16 KiB',
      () => ({ columns: list(100, n => `c${n}`), rows: list(1000, () => row), truncated: true }),
    ],
    ['2,000 columns with long names', () => ({ columns: list(2000, () => long), rows: [list(2000, n => n)] })],
    ['decisions with 10,000 unknown fields', () => ({ decisions: list(50, () => strange) })],
    [
      'a value in 2,000 others',
      () => ({ plan: list(2000, n => n).reduce<unknown>(inner => ({ x: [inner, title] }), 1) }),
    ],
  ])('is cut until it fits, and says so: %s', (_, made) => {
    const document = made()
    const answer = cutTo(document)
    expect(bytesOf(answer)).toBeLessThanOrEqual(98_000)
    expect(Object.keys(answer)).toEqual([...Object.keys(document), 'left_out'])
    expect((answer.left_out as string[]).length).toBeGreaterThan(0)
  })

  test('keeps as many entries as fit', () => {
    const answer = cutTo({ queue: list(10_000, n => ({ id: n, title })) }) as Record<string, unknown[]>
    expect(answer.queue).toHaveLength(50)
    expect(answer.left_out?.[0]).toMatch(/^9950 queue: /)
  })

  test('fits whatever it holds', () => {
    const documents = fc.dictionary(
      fc.constantFrom('a', 'rows', 'columns', 'problems'),
      fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }),
    )
    fc.assert(
      fc.property(documents, document => {
        const answer = cutTo(document, 700)
        expect(bytesOf(answer)).toBeLessThanOrEqual(700)
        expect(Object.keys(answer).filter(name => name !== 'left_out')).toEqual(Object.keys(document))
        if (bytesOf(document) > 700) expect(answer.left_out).toBeDefined()
      }),
    )
  })
})
