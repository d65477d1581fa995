import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withAgentsBlock, withoutAgentsBlock } from './agents-block.ts'

const BEGIN = '<!-- >>> ticketplan init --agents >>> -->'
const add = (text: string | null) => withAgentsBlock(text, 'tickets')!

test('a new file is the block alone, and is removed with it', () => {
  expect(add(null).startsWith(`${BEGIN}\n`)).toBe(true)
  expect(add(null).endsWith('-->\n')).toBe(true)
  expect(withoutAgentsBlock(add(null))).toBe(null)
})

test('it goes at the end, or before a text whose last line has no line break', () => {
  expect(add('# Mine\n').startsWith(`# Mine\n\n${BEGIN}\n`)).toBe(true)
  expect(add('# Mine').endsWith('-->\n\n# Mine')).toBe(true)
  expect(add('# Mine\r\n').replaceAll('\r\n', '')).not.toContain('\n')
})

test('for any text, removing it restores the bytes, and adding it twice changes nothing', () => {
  const text = fc.array(fc.constantFrom('\n', '\r\n', '# Mine', ' ', '\r', '\n\n', '\u00e4'), { maxLength: 8 })
  fc.assert(
    fc.property(text, words => {
      const before = words.join('')
      const after = add(before)
      expect(add(after)).toBe(after)
      expect(withoutAgentsBlock(after)).toBe(before)
      expect(after.startsWith(before) || after.endsWith(before)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test.each(['# Mine', '# Mine\n', ''])('a byte order mark before %j stays the first character', text => {
  const bom = Buffer.from('\ufeff').toString('latin1')
  const after = add(bom + text)
  expect(after).toBe(bom + add(text))
  expect(add(after)).toBe(after)
  expect(withoutAgentsBlock(after)).toBe(bom + text)
  expect(withoutAgentsBlock(bom + add(null))).toBe(bom)
})

test('lines of another version or folder are replaced, and nothing else', () => {
  const old = `# A\n\n${BEGIN}\nold lines\n<!-- <<< ticketplan init --agents <<< -->\n# B`
  const current = add(null)
  expect(add(old)).toBe(`# A\n\n${current}# B`)
  expect(withAgentsBlock(add('# A\n'), 'plan/t\u00e4g')).toContain(Buffer.from('plan/t\u00e4g').toString('latin1'))
  expect(withoutAgentsBlock(old)).toBe('# A\n# B')
})

test('half of a block is not changed', () => {
  const half = `# A\n${BEGIN}\nold lines\n`
  expect(withAgentsBlock(half, 'tickets')).toBe(null)
  expect(withoutAgentsBlock(half)).toBe(half)
})

test('it is short, and contains no absolute path', () => {
  expect(add(null).length).toBeLessThan(1600)
  expect(add(null)).not.toMatch(/(^|[\s`"'])\//)
})
