import stringWidth from 'string-width'
import { expect, test } from 'vitest'
import { widthOf } from './terminal.ts'

test('each character has the width that string-width says, alone and with a combining mark behind it', () => {
  for (let code = 0x20; code < 0x3100; code++) {
    const character = String.fromCodePoint(code)
    expect(widthOf(character), code.toString(16)).toBe(stringWidth(character))
    expect(widthOf(`${character}\u0301x`), code.toString(16)).toBe(stringWidth(`${character}\u0301x`))
  }
})

test.each([
  '',
  'TP-1 a title',
  'Größe – “quoted”…',
  '日本語の題',
  '👩‍👩‍👧 family',
  '\u001b[31mred\u001b[0m',
])('the width of %j', text => {
  expect(widthOf(text)).toBe(stringWidth(text))
})
