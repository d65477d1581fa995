import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { runGit, temporaryRepository } from '../test-support/temporary-repository.ts'
import { attributesLine, withAttributesLine, withoutAttributesLine } from './attributes.ts'

const LINE = attributesLine('tickets')

test('the line is short where the folder has a plain name', () => {
  expect(LINE).toBe('/tickets/**/*.json merge=ticketplan -text')
})

describe('git assigns Ticket files at any depth to the driver, and no other files', () => {
  it.each([
    'tickets',
    'plan/work',
    'my tickets',
    '#plan',
    '!plan',
    '-plan',
    '[a]*?b',
    'a"b c',
    "it's",
    'tïckets 計画',
    'tab\there',
    '[attr]x',
  ])('with the folder %j', folder => {
    using repo = temporaryRepository()
    const text = withAttributesLine('*.json text merge=union\n', attributesLine(folder))
    writeFileSync(join(repo.root, '.gitattributes'), text, 'latin1')
    const inside = [`${folder}/A.json`, `${folder}/deep/deeper/B.json`]
    const outside = [`${folder}/A.md`, `${folder}x/A.json`, `other/${folder}/A.json`, 'A.json', 'a/b/A.json']
    const output = runGit(repo.root, 'check-attr', '-z', 'merge', 'text', '--', ...inside, ...outside).split('\0')
    const values = Array.from({ length: inside.length + outside.length }, (_, n) => [
      output[n * 6 + 2],
      output[n * 6 + 5],
    ])
    expect(values.slice(0, inside.length)).toEqual(inside.map(() => ['ticketplan', 'unset']))
    expect(values.slice(inside.length).every(([merge]) => merge !== 'ticketplan')).toBe(true)
  })
})

describe('withAttributesLine', () => {
  it.each([
    '',
    'a',
    'a\n',
    '# a\n\n*.png binary\n',
    '*.png binary\r\n',
    '\n',
    'x\n\n',
    '\u00ff\u00fe\n',
  ])('adds to %j a line that can be removed again', text => {
    const added = withAttributesLine(text, LINE)
    expect(added.split('\n')).toContain(LINE)
    expect(withAttributesLine(added, LINE)).toBe(added)
    expect(withoutAttributesLine(added)).toBe(text)
  })

  it('keeps an existing line where it is, with any line end', () => {
    for (const text of [`${LINE}\n*.png binary\n`, `a\r\n${LINE}\r\nb\r\n`])
      expect(withAttributesLine(text, LINE)).toBe(text)
  })

  it('replaces the line of another folder, and removes a duplicate', () => {
    const other = attributesLine('old folder')
    expect(withAttributesLine(`a\n${other}\nb\n${other}\n`, LINE)).toBe(`a\n${LINE}\nb\n`)
  })
})

test('withoutAttributesLine keeps a line that somebody wrote for other files', () => {
  const text = `*.json merge=ticketplan -text\n/tickets/**/*.json merge=ticketplan\n${LINE}\n`
  expect(withoutAttributesLine(text)).toBe('*.json merge=ticketplan -text\n/tickets/**/*.json merge=ticketplan\n')
})
