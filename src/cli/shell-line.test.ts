import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { insertedInBash, splitShellLine } from './shell-line.ts'

const BREAKS = ' \t\n"\'@><=;|&(:'

describe('splitShellLine', () => {
  test.each([
    ['ticketplan show ', ['ticketplan', 'show'], ''],
    ['ticketplan  show T-', ['ticketplan', 'show'], 'T-'],
    ['tp set A --title "a b" --st', ['tp', 'set', 'A', '--title', 'a b'], '--st'],
    ["tp set A --title 'it\\' x", ['tp', 'set', 'A', '--title', 'it\\'], 'x'],
    ['tp a\\ b "c\\"d" e', ['tp', 'a b', 'c"d'], 'e'],
    ['tp "" x', ['tp', ''], 'x'],
    ['tp $(touch x) `y`', ['tp', '$(touch', 'x)'], '`y`'],
    ['tp "open wo', ['tp'], 'open wo'],
    ['tp trailing\\', ['tp'], 'trailing'],
  ])('%s', (line, words, current) => {
    expect(splitShellLine(line, BREAKS)).toMatchObject({ words, current })
  })

  test('knows from where bash replaces the word', () => {
    expect(splitShellLine('tp --kind=bl', BREAKS).replacedFrom).toBe('--kind='.length)
    expect(splitShellLine('tp --kind=bl', ' \t\n').replacedFrom).toBe(0)
    expect(splitShellLine('tp --kind="bl', BREAKS)).toMatchObject({ quote: '"', replacedFrom: '--kind='.length })
    expect(splitShellLine('tp a\\:b', BREAKS).replacedFrom).toBe(0)
    expect(splitShellLine('tp "a"b', BREAKS).isPlain).toBe(false)
  })

  test('returns for every line, and words of a line that bash quotes are the words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), line => {
        splitShellLine(line, BREAKS)
      }),
    )
    const word = fc.string({ unit: 'grapheme-ascii' })
    fc.assert(
      fc.property(fc.array(word), words => {
        const line = words.map(text => `'${text.replaceAll("'", "'\\''")}' `).join('')
        expect(splitShellLine(`tp ${line}`).words).toEqual(['tp', ...words])
      }),
    )
  })
})

describe('what is inserted in bash', () => {
  const printable = fc
    .string({
      unit: fc.oneof(
        fc.constantFrom(...'$`"\'\\!(){}[]*?~#&;|<> =:@%'),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      ),
      minLength: 1,
      maxLength: 12,
    })
    .filter(text => !/[\p{Cc}\p{Cs}]/u.test(text))

  /** What bash makes of words in a line. */
  function readByBash(words: string[]): string[] {
    const script = `set +H\nprintf '%s\\0' ${words.join(' ')}`
    const { stdout } = spawnSync('bash', ['--norc', '--noprofile', '-c', script], { encoding: 'utf8', cwd: '/' })
    return stdout.split('\0').slice(0, -1)
  }

  test('is one word with the text, whatever is in it, also within quotes', () => {
    const texts = fc.sample(printable, { numRuns: 500, seed: 11 })
    expect(readByBash(texts.map(text => insertedInBash(text, splitShellLine('tp ', BREAKS))!))).toEqual(texts)
    for (const quote of ["'", '"']) {
      const fitting = texts.flatMap(text => {
        const inserted = insertedInBash(text, splitShellLine(`tp ${quote}`, BREAKS))
        return inserted === undefined ? [] : [{ text, word: quote + inserted + quote }]
      })
      expect(fitting.length).toBeGreaterThan(20)
      expect(readByBash(fitting.map(({ word }) => word))).toEqual(fitting.map(({ text }) => text))
    }
  })

  test('replaces only what bash replaces', () => {
    expect(insertedInBash('--kind=blocks', splitShellLine('tp --kind=bl', BREAKS))).toBe('blocks')
    expect(insertedInBash('--state=In Review', splitShellLine('tp --state=In', BREAKS))).toBe('In\\ Review')
  })
})
