import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { texts } from '../test-support/arbitraries.ts'
import { parseStrict, Refusal } from './strict-json.ts'

const parse = (text: string, maxDepth = 32) => parseStrict(text, maxDepth).value

function refusal(text: string, maxDepth = 32): Record<string, unknown> {
  try {
    parse(text, maxDepth)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { code: error.code, ...error.place, message: error.message }
  }
  return { code: 'none' }
}

describe('what is accepted', () => {
  const documents = fc.jsonValue({ stringUnit: 'binary' }).filter(value => !JSON.stringify(value).includes('__proto__'))

  test('every document that JSON.stringify writes is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(documents, fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(parse(text, 1000)).toStrictEqual(JSON.parse(text))
      }),
      { numRuns: 1000 },
    )
  })

  test('a text is refused if JSON.parse refuses it, and read alike if it is not refused', () => {
    const edits = fc.record({
      value: documents,
      at: fc.nat(),
      remove: fc.nat(3),
      insert: fc.oneof(texts, fc.constantFrom(...'"\\{}[],:0-.eE+ \n\r\t', '\\u', '\f', 'true', 'nul', '//', '\u00a0')),
    })
    let refused = 0
    let read = 0
    fc.assert(
      fc.property(edits, ({ value, at, remove, insert }) => {
        const text = JSON.stringify(value)
        const start = at % (text.length + 1)
        const edited = text.slice(0, start) + insert + text.slice(start + remove)
        const { code } = refusal(edited, 1000)
        if (code === 'none') expect(parse(edited, 1000)).toStrictEqual(JSON.parse(edited))
        else if (code === 'syntax' || code === 'conflict_markers' || code === 'bom')
          expect(() => JSON.parse(edited)).toThrow(SyntaxError)
        if (code === 'none') read++
        else refused++
      }),
      { numRuns: 3000 },
    )
    expect(Math.min(refused, read)).toBeGreaterThan(100)
  })

  test('every escape is understood', () => {
    expect(parse('"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud83d\\ude00\\uD83D\\uDE00"')).toBe('"\\/\b\f\n\r\tA😀😀')
  })

  test('white space of all four kinds may stand between all tokens', () => {
    expect(parse(' \t\r\n{ \t\r\n"a" \t\r\n: \t\r\n[ \t\r\n1 \t\r\n, \t\r\n{ } , [ ] ] \t\r\n} \t\r\n')).toEqual({
      a: [1, {}, []],
    })
  })

  test('keys that every object inherits are keys like any other', () => {
    const text = '{"constructor":1,"hasOwnProperty":2,"toString":{"valueOf":3}}'
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  test.each([
    ['0', 0],
    ['1.0', 1],
    ['1e2', 100],
    ['100E-2', 1],
    ['0.10', 0.1],
    ['1.50e1', 15],
    ['-12.500', -12.5],
    ['0e5', 0],
    ['0.000', 0],
    ['9007199254740992', 2 ** 53],
    ['1E+21', 1e21],
    ['100000000000000000000000', 1e23],
    ['0.0000001', 1e-7],
    ['5e-324', 5e-324],
    ['1.7976931348623157e308', Number.MAX_VALUE],
  ])('the number %s survives, however it is written', (source, value) => {
    expect(parse(source)).toBe(value)
  })
})

describe('what is refused, and where', () => {
  test.each([
    '1e400',
    '-1e400',
    '1E999',
    '1e-400',
    '9007199254740993',
    '0.1000000000000000055511151231257827',
    '-0',
    '-0.0',
    '-0e5',
    '123456789012345678901234567890',
  ])('the number %s does not survive', source => {
    expect(refusal(`{\n  "a": [${source}]\n}`)).toMatchObject({ code: 'number', line: 2, column: 9 })
  })

  test('a number of a million digits is refused as any other', () => {
    const { code, message } = refusal(`[1.${'0'.repeat(1_000_000)}1]`)
    expect(code).toBe('number')
    expect((message as string).length).toBeLessThan(200)
  })

  test.each([
    ['at the top', '{"a":1,\n "b":2,\n  "a":3}', 3, 3],
    ['in a nested object', '{"x":{"a":1,"a":1}}', 1, 13],
    ['in an object of an array', '[\n{"a":1},\n{"b":1,"b":1}]', 3, 8],
    ['once written with an escape', '{"id":1,"\\u0069d":2}', 1, 9],
    ['both written with escapes', '{"\\u0069d":1,"i\\u0064":2}', 1, 14],
    ['of an empty name', '{"":1,"":2}', 1, 7],
    ['of a name that every object inherits', '{"constructor":1,"constructor":1}', 1, 18],
    ['after characters beyond the basic plane', '{"😀":1,"😀":2}', 1, 9],
  ])('a duplicate key %s', (_, text, line, column) => {
    expect(refusal(text)).toMatchObject({ code: 'duplicate_key', line, column })
  })

  test.each([
    ['"\\ud800"', 1, 1],
    ['"\\uDFFF"', 1, 1],
    ['"a\\udc00\\ud800"', 1, 1],
    ['["",\n "x\\ud83d"]', 2, 2],
    ['{"a":1,\n"\\ud83d":2}', 2, 1],
    ['{"\\ude00":1}', 1, 2],
    ['"\\ud83d\\u0041"', 1, 1],
  ])('half of a surrogate pair in %j', (text, line, column) => {
    expect(refusal(text)).toMatchObject({ code: 'lone_surrogate', line, column })
  })

  test.each([
    ['{"__proto__":1}', 1, 2],
    ['{"a":{\n"\\u005f_proto__":{}}}', 2, 1],
    ['{"__prot\\u006f__":null}', 1, 2],
  ])('the key "__proto__" in %j', (text, line, column) => {
    expect(refusal(text)).toMatchObject({ code: 'proto_key', line, column })
  })

  test('a byte order mark', () => {
    expect(refusal('\ufeff{}')).toMatchObject({ code: 'bom', line: 1, column: 1 })
  })

  test.each([
    ['an empty file', '', 1, 1, 'the end of the file'],
    ['only white space', ' \n ', 2, 2, 'the end of the file'],
    ['a file that ends in a value', '{"a":', 1, 6, 'the end of the file'],
    ['a file that ends after a value', '{"a":1', 1, 7, 'the end of the file'],
    ['a file that ends in a string', '{\n "a": "b', 2, 7, 'does not end'],
    ['a file that ends in an escape', '"\\', 1, 2, 'escape'],
    ['a file that ends in an escaped code unit', '"\\u12', 1, 2, 'hexadecimal'],
    ['a file that ends in a key', '{"a', 1, 2, 'does not end'],
    ['a file that ends in a word', '[tru', 1, 2, 'expected a value'],
    ['a trailing comma in an object', '{"a":1,\n}', 2, 1, 'expected a key'],
    ['a trailing comma in an array', '[1,]', 1, 4, 'expected a value'],
    ['a missing comma in an array', '[1 2]', 1, 4, 'expected ","'],
    ['a missing comma in an object', '{"a":1\n"b":2}', 2, 1, 'expected ","'],
    ['a missing colon', '{"a" 1}', 1, 6, 'expected ":"'],
    ['a line comment', '{\n// why\n"a":1}', 2, 1, 'expected a key'],
    ['a block comment', '[/* why */1]', 1, 2, 'expected a value'],
    ['single quotes around a value', "['a']", 1, 2, 'expected a value'],
    ['single quotes around a key', "{'a':1}", 1, 2, 'expected a key'],
    ['a key without quotes', '{a:1}', 1, 2, 'expected a key'],
    ['two documents', '{}\n{}', 2, 1, 'expected the end of the file'],
    ['a closing bracket too many', '[]]', 1, 3, 'expected the end of the file'],
    ['the wrong closing bracket', '[1}', 1, 3, 'expected ","'],
    ['a line break in a string', '["a\nb"]', 1, 4, 'control character'],
    ['a tab in a string', '["a\tb"]', 1, 4, 'control character'],
    ['an unknown escape', '"\\x41"', 1, 2, 'unknown escape'],
    ['an escape named like what every object inherits', '"\\constructor"', 1, 2, 'unknown escape'],
    ['a leading zero', '[01]', 1, 3, 'expected ","'],
    ['a leading plus', '[+1]', 1, 2, 'expected a value'],
    ['a number without digits before the point', '[.5]', 1, 2, 'expected a value'],
    ['a number without digits after the point', '[1.]', 1, 3, 'expected ","'],
    ['a number without an exponent', '[1e]', 1, 3, 'expected ","'],
    ['a hexadecimal number', '[0x10]', 1, 3, 'expected ","'],
    ['NaN', '[NaN]', 1, 2, 'expected a value'],
    ['Infinity', '[-Infinity]', 1, 2, 'expected a value'],
    ['undefined', '[undefined]', 1, 2, 'expected a value'],
    ['a no-break space', '[\u00a01]', 1, 2, 'expected a value'],
    ['a form feed', '[\f1]', 1, 2, 'expected a value'],
    ['an error after a carriage return and a line feed', '{\r\n"a":\r\nx}', 3, 1, 'expected a value'],
  ])('%s', (_, text, line, column, message) => {
    expect(refusal(text)).toMatchObject({ code: 'syntax', line, column, message: expect.stringContaining(message) })
  })

  test.each([
    ['merge style', '{\n<<<<<<< HEAD\n"a":1\n=======\n"a":2\n>>>>>>> theirs\n}', 2],
    ['diff3 style', '{\n"b":1,\n<<<<<<< HEAD\n"a":1\n||||||| 1a2b3c4\n"a":0\n=======\n"a":2\n>>>>>>> x\n}', 3],
    ['without labels and with CRLF', '{\r\n<<<<<<<\r\n"a":1\r\n=======\r\n"a":2\r\n>>>>>>>\r\n}', 2],
    ['of which only the middle is left', '{"a":1\n=======\n"a":2}', 2],
    ['of which only the end is left', '{"a":1\n>>>>>>> theirs\n}', 2],
    ['of which only the base is left', '{"a":1\n||||||| 1a2b3c4\n}', 2],
    ['at the end of the file', '{"a":1}\n>>>>>>> theirs', 2],
  ])('conflict markers %s', (_, text, line) => {
    expect(refusal(text)).toMatchObject({ code: 'conflict_markers', line, column: 1 })
  })

  test('a string that looks like a conflict marker is a string', () => {
    expect(parse('["<<<<<<< ours",\n"=======" ]')).toEqual(['<<<<<<< ours', '======='])
  })

  test('a line of eight signs is no conflict marker', () => {
    expect(refusal('{\n<<<<<<<< a\n}')).toMatchObject({ code: 'syntax', line: 2 })
  })

  test('nesting is read down to the limit and refused one level below it, in arrays and objects', () => {
    const arrays = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    expect(parse(arrays(32))).toEqual(JSON.parse(arrays(32)))
    expect(parse(objects(32))).toEqual(JSON.parse(objects(32)))
    expect(refusal(arrays(33))).toMatchObject({ code: 'too_deep', line: 1, column: 33 })
    expect(refusal(objects(33))).toMatchObject({ code: 'too_deep', line: 1, column: 32 * 5 + 1 })
  })

  test('nesting a hundred thousand levels deep is refused, not followed', () => {
    expect(refusal('['.repeat(100_000) + ']'.repeat(100_000))).toMatchObject({ code: 'too_deep' })
    expect(refusal('{"a":'.repeat(100_000))).toMatchObject({ code: 'too_deep' })
  })
})

describe('places', () => {
  const text = '{\n  "a": {"b": [1,\n    "c"]},\n  "": 2, "a/b": 3\n}'
  const located = parseStrict(text, 32)

  test.each([
    [[], 1, 1],
    [['a'], 2, 8],
    [['a', 'b'], 2, 14],
    [['a', 'b', 0], 2, 15],
    [['a', 'b', 1], 3, 5],
    [[''], 4, 7],
    [['a/b'], 4, 17],
  ])('a value is found by its path %j', (path, line, column) => {
    expect(located.locate(path)).toEqual({ line, column })
  })

  test.each([
    [['a', 'missing'], 2, 8],
    [['a', 'b', 7, 'x'], 2, 14],
    [['missing', 'too'], 1, 1],
  ])('for the absent path %j the nearest part around it is found', (path, line, column) => {
    expect(located.locate(path)).toEqual({ line, column })
  })

  test('a key that looks like a path does not hide the value at that path', () => {
    const { locate } = parseStrict('{"a":{"b":1},\n"a/b":2}', 32)
    expect(locate(['a', 'b'])).toEqual({ line: 1, column: 11 })
    expect(locate(['a/b'])).toEqual({ line: 2, column: 7 })
  })
})
