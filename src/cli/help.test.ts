import { expect, test } from 'vitest'
import { commandNames, loadCommand, loadCommandGroups } from './commands.ts'
import { commandHelp, programHelp } from './help.ts'
import { helpWidth, twoColumns, wrap } from './wrap.ts'

test.each([
  40, 60, 80, 100,
])('no line of help is wider than %i columns, except examples and single words', async width => {
  const texts = [programHelp('1.2.3', await loadCommandGroups(), width)]
  for (const name of commandNames) texts.push(commandHelp(await loadCommand(name), width))
  for (const line of texts.join('\n').split('\n')) {
    const isExample = /^ {2}(ticketplan|git|sqlite3) /.test(line)
    const isSample = /^ +["{]/.test(line)
    const isOneWord = !line
      .trim()
      .replace(/^\S+ {2,}/, '')
      .includes(' ')
    const limit = isExample || isSample || isOneWord ? Math.max(width, 80) : width
    expect(line.length, line).toBeLessThanOrEqual(limit)
  }
})

test('every command is in one group, and groups come as a whole', async () => {
  const groups = await loadCommandGroups()
  expect([...groups.values()].flat().map(({ name }) => name)).toEqual(commandNames)
  expect([...groups.keys()]).toEqual(['Set up', 'Decide', 'Route', 'Claim', 'Look', 'Git', 'Maintain'])
})

test('the width of help is that of the terminal, from 40 to 100 columns, and 80 without one', () => {
  expect([undefined, 0, 20, 72, 100, 240].map(helpWidth)).toEqual([80, 80, 40, 72, 100, 100])
})

test('wraps paragraphs with a hanging indent; indented lines stay, and no word is split', () => {
  expect(wrap('one two three four', 9, '  ')).toEqual(['one two', '  three', '  four'])
  expect(wrap('one two\n\n  {"a line": "that stays as it is"}', 20)).toEqual([
    'one two',
    '',
    '  {"a line": "that stays as it is"}',
  ])
  expect(wrap('incomprehensibilities', 5)).toEqual(['incomprehensibilities'])
})

test('wraps explanations in the second column; where that is too narrow, on the next line', () => {
  const rows = [
    ['--a', 'one two three four five six'],
    ['--a-name-that-is-longer-than-its-column', 'seven'],
  ] as const
  expect(twoColumns(rows, 32)).toEqual([
    '  --a  one two three four five',
    '       six',
    '  --a-name-that-is-longer-than-its-column',
    '       seven',
  ])
  expect(twoColumns(rows, 30)).toEqual([
    '  --a',
    '      one two three four five',
    '      six',
    '  --a-name-that-is-longer-than-its-column',
    '      seven',
  ])
})
