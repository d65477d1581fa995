import { expect, test } from 'vitest'
import { findBlock, replaceBlock } from './marked-block.ts'

const find = (text: string) => findBlock(text, '# begin', '# end')

test('finds a block at the beginning, in the middle and at the end of a text', () => {
  for (const [before, after] of [
    ['', '\nb\n'],
    ['a\n', '\nb\n'],
    ['a\n', ''],
  ] as const) {
    const place = find(`${before}# begin\nold\n# end${after}`)
    expect(place).toEqual({ start: before.length, end: before.length + '# begin\nold\n# end'.length })
  }
})

test('a text without markers has no block; markers within a line do not count', () => {
  expect(find('')).toBe('absent')
  expect(find('a # begin\nb # end\n')).toBe('absent')
})

test('one marker alone, or the end before the beginning, is an incomplete block', () => {
  for (const text of ['# begin\na\n', 'a\n# end\n', '# end\n# begin\n']) expect(find(text), text).toBe('incomplete')
})

test('replaces the block and nothing else', () => {
  const text = 'a\n# begin\nold\n# end\nb\n'
  expect(replaceBlock(text, find(text) as { start: number; end: number }, 'new')).toBe('a\nnew\nb\n')
})
