import { expect, test } from 'vitest'
import { isInside } from './is-inside.ts'

test.each([
  ['/a/b', '/a', true],
  ['/a/b/c', '/a', true],
  ['/a', '/a', false],
  ['/ab', '/a', false],
  ['/a', '/a/b', false],
  ['/a', '/', true],
  ['/a/b', '/', true],
  ['/', '/', false],
])('whether %s is inside %s: %s', (path, folder, expected) => {
  expect(isInside(path, folder)).toBe(expected)
})
