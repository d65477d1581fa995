import { describe, expect, test } from 'vitest'
import { hasMarkers, splitMarkers } from './conflict-markers.ts'

const text = (...lines: string[]) => `${lines.join('\n')}\n`

describe('the sides', () => {
  test.each<[string, string, ReturnType<typeof splitMarkers>]>([
    [
      'two conflicts, and the text between them',
      text('a', '<<<<<<< HEAD', 'b', '=======', 'c', '>>>>>>> x', 'd', '<<<<<<<', '=======', 'e', '>>>>>>>'),
      { base: null, ours: text('a', 'b', 'd'), theirs: text('a', 'c', 'd', 'e') },
    ],
    [
      'with the base, in the style "diff3"',
      text('a', '<<<<<<< HEAD', 'b', '||||||| 1234', 'o', '=======', 'c', '>>>>>>> x'),
      { base: text('a', 'o'), ours: text('a', 'b'), theirs: text('a', 'c') },
    ],
    [
      'a base in one conflict only',
      text('<<<<<<< a', 'b', '||||||| o', 'o', '=======', 'c', '>>>>>>> x', '<<<<<<< a', '=======', '>>>>>>> x'),
      { base: null, ours: text('b'), theirs: text('c') },
    ],
    [
      'a base that is itself a merge, with longer markers',
      text(
        '<<<<<<< a',
        'b',
        '||||||| o',
        '<<<<<<<<< 1',
        'o',
        '=========',
        'p',
        '>>>>>>>>> 2',
        '=======',
        'c',
        '>>>>>>> x',
      ),
      { base: text('<<<<<<<<< 1', 'o', '=========', 'p', '>>>>>>>>> 2'), ours: text('b'), theirs: text('c') },
    ],
    [
      'CRLF line ends, and none at the end of the file',
      '<<<<<<< a\r\nb\r\n=======\r\nc\r\n>>>>>>> x',
      { base: null, ours: 'b\r\n', theirs: 'c\r\n' },
    ],
    ['no markers', text('{', '  "a": "<<<<<<< a"', '}'), null],
    ['no end', text('<<<<<<< a', 'b', '=======', 'c'), null],
    ['no middle', text('<<<<<<< a', 'b', '>>>>>>> x'), null],
    ['one within the other', text('<<<<<<< a', '<<<<<<< b', '=======', '>>>>>>> b', '=======', '>>>>>>> a'), null],
    ['an end of another size', text('<<<<<<< a', '=======', '>>>>>>>> x'), null],
  ])('%s', (_, marked, sides) => {
    expect(splitMarkers(marked)).toEqual(sides)
  })
})

test.each([
  ['<<<<<<< HEAD', true],
  ['a\n=======\r\nb', true],
  ['>>>>>>>', true],
  ['<<<<<< HEAD', false],
  ['=======x', false],
  [' <<<<<<< HEAD', false],
])('markers in %j: %s', (text, found) => {
  expect(hasMarkers(text)).toBe(found)
})
