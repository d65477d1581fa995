import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { globsOverlap } from '../test-support/globs-overlap.ts'
import { globProblem, matchesGlob, prefixOf } from './glob.ts'

describe('a glob matches', () => {
  test.each([
    ['src/menu/item.ts', 'src/menu/item.ts', true],
    ['src/menu/item.ts', 'src/menu/Item.ts', false],
    ['src/*.ts', 'src/a.ts', true],
    ['src/*.ts', 'src/.ts', true],
    ['src/*.ts', 'src/a/b.ts', false],
    ['src/?.ts', 'src/é.ts', true],
    ['src/?.ts', 'src/😀.ts', true],
    ['src/?.ts', 'src/ab.ts', false],
    ['src/**', 'src/a/b/c', true],
    ['src/**', 'src', false],
    ['src/', 'src/a/b', true],
    ['src/', 'src', false],
    ['**', 'a', true],
    ['**/test/*.ts', 'test/a.ts', true],
    ['**/test/*.ts', 'a/b/test/a.ts', true],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**/z', 'a/b/c', false],
    ['a[1].ts', 'a[1].ts', true],
    ['a[1].ts', 'a1.ts', false],
    ['a**', 'a**', true],
  ])('%s and %s: %s', (glob, path, isMatch) => {
    expect(matchesGlob(glob, path)).toBe(isMatch)
  })

  test('a path with the names "*" and "**" by these characters alone', () => {
    expect(matchesGlob('a/b', 'a/*')).toBe(false)
    expect(matchesGlob('a/b/c', 'a/**')).toBe(false)
    expect(matchesGlob('a/*', 'a/*')).toBe(true)
  })
})

describe('a text is no glob where', () => {
  test.each([
    ['', 'is empty'],
    ['/', 'is empty'],
    ['/src', 'is absolute: write it from the root of the repository'],
    ['src/{a,b}', 'has "{", which has no meaning here'],
    ['src\\a', 'has "\\\\", which has no meaning here'],
    ['a\nb', 'has "\\n", which has no meaning here'],
    ['src//a', 'has an empty segment ("//")'],
    ['src/../a', 'has the segment "..": write it from the root of the repository'],
    ['./a', 'has the segment ".": write it from the root of the repository'],
    ['src/a**', 'has "**" inside a segment: it must be a whole one'],
    ['src/***', 'has "**" inside a segment: it must be a whole one'],
    ['é'.repeat(129), 'is longer than 256 bytes'],
  ])('%j %s', (text, problem) => {
    expect(globProblem(text)).toBe(problem)
  })

  test.each(['src', 'src/', '**', 'a/**/b', 'a[1]', '!a', 'é'.repeat(128), 'a b'])('%j is one', text => {
    expect(globProblem(text)).toBeNull()
  })
})

// The oracle: a regular expression over whole paths, and every path over a small alphabet.
function expression(glob: string): RegExp {
  const segments = (glob.endsWith('/') ? `${glob}**` : glob).split('/')
  const source = segments
    .map((segment, at) => {
      const isLast = at === segments.length - 1
      if (segment === '**') return isLast ? '[^/]+(/[^/]+)*' : '([^/]+/)*'
      const name = segment.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')
      return `(?=[^/])${name}${isLast ? '' : '/'}`
    })
    .join('')
  return new RegExp(`^${source}$`)
}

/** Enough for globs of two segments of two characters: a common path needs no longer name, and no more than five of them. */
const NAMES = ['a', 'b', 'aa', 'ab', 'ba', 'bb']
const PATHS = [1, 2, 3, 4, 5].flatMap(depth => paths(depth))

function paths(depth: number): string[] {
  if (depth === 0) return ['']
  return paths(depth - 1).flatMap(path => NAMES.map(name => (path === '' ? name : `${path}/${name}`)))
}

const segment = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 2 }) },
  { weight: 1, arbitrary: fc.constant('**') },
)
const glob = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 2 }), fc.boolean())
  .map(([segments, isFolder]) => segments.join('/') + (isFolder ? '/' : ''))
  .filter(text => globProblem(text) === null)

test('matching equals a regular expression on every path of a small world', () => {
  fc.assert(
    fc.property(glob, one => {
      const oracle = expression(one)
      // One check a glob: one for each of the 9,330 paths took most of the time that a test may take.
      expect(PATHS.find(path => matchesGlob(one, path) !== oracle.test(path))).toBeUndefined()
    }),
    { numRuns: 100 },
  )
})

test('two globs overlap if and only if some path matches both', () => {
  const seen = { yes: 0, no: 0 }
  fc.assert(
    fc.property(glob, glob, (one, other) => {
      const [a, b] = [expression(one), expression(other)]
      const isCommon = (path: string) => a.test(path) && b.test(path)
      const expected = PATHS.some(isCommon)
      expect(globsOverlap(one, other)).toBe(expected)
      expect(globsOverlap(other, one)).toBe(expected)
      seen[expected ? 'yes' : 'no']++
    }),
    { numRuns: 500 },
  )
  expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(50)
})

test('of two globs that overlap, one has the prefix of the other as the beginning of its own', () => {
  fc.assert(
    fc.property(glob, glob, (one, other) => {
      fc.pre(globsOverlap(one, other))
      const [a, b] = [prefixOf(one), prefixOf(other)]
      expect(a.startsWith(b) || b.startsWith(a), `${a} and ${b}`).toBe(true)
    }),
  )
})

test('takes time in proportion to the two lengths, whatever the wildcards', () => {
  const stars = `${'*a'.repeat(60)}b/${'**/x/'.repeat(20)}y`
  const others = `${'*a'.repeat(60)}c/${'**/z/'.repeat(20)}y`
  expect(globProblem(stars)).toBeNull()
  expect(globsOverlap(stars, others)).toBe(false)
  expect(matchesGlob(`${'a*'.repeat(120)}b`, 'a'.repeat(250))).toBe(false)
})
