import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { newJson, parseLatin1Json, withFirstElement, withFirstMember, withoutItems } from './json-insertion.ts'

const member = (...of: Parameters<typeof withFirstMember>) => withFirstMember(...of).after
const element = (...of: Parameters<typeof withFirstElement>) => withFirstElement(...of).after

const VALUE = { command: 'x', args: ['{', '"'] }

describe('the first member', () => {
  const cases: [name: string, before: string, after: string][] = [
    ['lines of two blanks', '{\n  "a": 1\n}\n', '{\n  "k": true,\n  "a": 1\n}\n'],
    ['tabs and no final line break', '{\n\t"a": 1\n}', '{\n\t"k": true,\n\t"a": 1\n}'],
    ['CRLF', '{\r\n    "a": 1\r\n}\r\n', '{\r\n    "k": true,\r\n    "a": 1\r\n}\r\n'],
    ['one line', '{"a":1}', '{"k": true, "a":1}'],
    ['empty', '{}\n', '{\n  "k": true\n}\n'],
    ['empty with a blank', '{ }', '{\n  "k": true\n }'],
    ['empty over lines', '{\n}\n', '{\n  "k": true\n}\n'],
    ['blank lines before the first', '{  \n\n  "a": 1}', '{  \n\n  "k": true,\n  "a": 1}'],
    ['a byte order mark', '\u00ef\u00bb\u00bf{\n "a": 1\n}', '\u00ef\u00bb\u00bf{\n "k": true,\n "a": 1\n}'],
    ['not indented', '{\n"a": 1\n}', '{\n"k": true,\n"a": 1\n}'],
  ]
  for (const [name, before, after] of cases) {
    test(name, () => expect(member(before, [], 'k', true)).toBe(after))
  }

  it('goes into the object at a path, also after keys with escapes and strings with brackets', () => {
    const text = '{\n  "x": "}{][\\"\\\\",\n  "ou\\u0074er": {"y": [{}, []]},\n  "z": {}\n}'
    expect(member(text, ['outer'], 'k', 1)).toBe(text.replace('{"y"', '{"k": 1, "y"'))
    expect(member(text, ['z'], 'k', 1)).toBe(text.replace('"z": {}', '"z": {\n    "k": 1\n  }'))
  })

  it('goes into the last of two objects with the same key, which is the one that JSON.parse returns', () => {
    expect(member('{"a": {}, "a": {"b": 1}}', ['a'], 'k', 1)).toBe('{"a": {}, "a": {"k": 1, "b": 1}}')
  })

  it('takes the indentation of the file for a value of several lines', () => {
    expect(member('{\n\t"a": 1\n}', [], 'k', [{ b: 1 }])).toBe(
      '{\n\t"k": [\n\t\t{\n\t\t\t"b": 1\n\t\t}\n\t],\n\t"a": 1\n}',
    )
  })
})

test('long strings and deep values before it are supported', () => {
  const deep = '['.repeat(2000) + ']'.repeat(2000)
  const text = `{"a": "${'x\\"'.repeat(1_000_000)}", "b": ${deep}, "c": {}}`
  expect(member(text, ['c'], 'k', 1).endsWith('"c": {\n  "k": 1\n}}')).toBe(true)
})

test('the first element of an array', () => {
  expect(element('{"a": [1]}', ['a'], 2)).toBe('{"a": [2, 1]}')
  expect(element('{\n  "a": [\n    1\n  ]\n}', ['a'], 2)).toBe('{\n  "a": [\n    2,\n    1\n  ]\n}')
  expect(element('{\n  "a": []\n}', ['a'], 2)).toBe('{\n  "a": [\n    2\n  ]\n}')
})

test('items are removed at any position', () => {
  const without = (text: string) => withoutItems(text, ['a'], value => value !== 2)
  expect(without('{"a": [2, 1]}')).toBe('{"a": [1]}')
  expect(without('{"a": [1, 2, 3]}')).toBe('{"a": [1, 3]}')
  expect(without('{"a": [1, 2 ]}')).toBe('{"a": [1 ]}')
  expect(without('{"a": [ 2, 2 ]}')).toBe('{"a": []}')
  expect(without('{"b": [2]}')).toBe('{"b": [2]}')
  expect(withoutItems('{"a": 1, "b": 2}', [], (_, key) => key !== 'a')).toBe('{"b": 2}')
})

/** A JSON document in one of the usual formats. */
const anyObject = fc
  .tuple(
    fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }),
    fc.constantFrom('', '  ', '\t', '    ', ' '),
    fc.constantFrom('\n', '\r\n'),
    fc.constantFrom('', '\n', ' \n\n'),
    fc.constantFrom('', ' ', '\n'),
  )
  .map(([value, unit, eol, end, start]) => {
    const text = start + JSON.stringify(value, null, unit).replaceAll('\n', eol) + end
    return { value: JSON.parse(text) as Record<string, unknown>, text: Buffer.from(text).toString('latin1') }
  })

test('for any document, one text is inserted, and the other values stay', () => {
  fc.assert(
    fc.property(anyObject, ({ value, text }) => {
      const key = 'a new key'
      const { after, added } = withFirstMember(text, [], key, VALUE)
      expect(parseLatin1Json(after)).toEqual({ [key]: VALUE, ...value })
      expect(after.split(added).join('')).toBe(text)
      expect(parseLatin1Json(withoutItems(after, [], (_, other) => other !== key))).toEqual(value)
    }),
    { numRuns: 500 },
  )
})

test('a document of several lines keeps each of them', () => {
  fc.assert(
    fc.property(anyObject, ({ text }) => {
      fc.pre(/^\s*\{[ ]*\r?\n/.test(text))
      const lines = member(text, [], 'k', VALUE).split('\n')
      // In order, so that a duplicate line is found twice.
      for (const line of text.split('\n')) {
        const at = lines.indexOf(line)
        expect(at, JSON.stringify(line)).not.toBe(-1)
        lines.splice(0, at + 1)
      }
    }),
    { numRuns: 500 },
  )
})

test('a new file', () => {
  expect(newJson({ a: [] })).toBe('{\n  "a": []\n}\n')
})
