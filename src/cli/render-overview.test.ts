import stringWidth from 'string-width'
import { describe, expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { writeBusyPlan } from '../test-support/busy-plan.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { render } from './render.ts'
import { screenLines } from './render-overview.ts'

const NOW_MS = Date.parse('2026-11-26T12:00:00.000Z')
const plain = (_: unknown, text: string) => text

function overviewOf(fill: (root: string) => void) {
  using repository = temporaryRepository()
  fill(repository.root)
  using plan = openPlan({ root: repository.root, actor: 'ann', now: () => NOW_MS })
  return plan.overview()
}

const busy = () => overviewOf(root => writeBusyPlan(root, { tickets: 352, nowMs: NOW_MS }))

describe('screenLines', () => {
  test('no line is wider and no screen higher than the terminal, whatever its size', () => {
    const overview = busy()
    for (const width of [20, 40, 80, 132, 220])
      for (const rows of [2, 5, 10, 24, 50, 100]) {
        const lines = screenLines(overview, { paint: plain, width, nowMs: NOW_MS }, rows)
        expect(lines.length, `${width} x ${rows}`).toBeLessThan(Math.max(2, rows))
        if (width >= 80) for (const line of lines.slice(1)) expect(stringWidth(line), line).toBeLessThanOrEqual(width)
      }
  })

  test('a small screen has what is urgent first', () => {
    const lines = screenLines(busy(), { paint: plain, width: 100, nowMs: NOW_MS }, 24)
    expect(lines[0]).toMatch(/may run .* held .* running/)
    expect(lines[2]).toMatch(/^To look at/)
    for (const title of ['Running', 'May run now', 'Held', 'Areas', 'Decided last'])
      expect(
        lines.filter(line => line.startsWith(title)),
        title,
      ).toHaveLength(1)
    expect(screenLines(busy(), { paint: plain, width: 100, nowMs: NOW_MS }, 9).join(' ')).not.toContain('Decided last')
  })
})

test('overview prints every section, and text of Tickets is escaped', () => {
  const overview = overviewOf(root => {
    putTicket(root, 'A', { state: 'queued', title: 'evil \u001b[31m title' })
    putTicket(root, 'B', { state: 'in_progress' })
  })
  const text = render('overview', overview, {}, { isTerminal: false, width: undefined }, NOW_MS)
  expect(text).toContain('1 may run  0 held  1 running, 1 without a claim')
  expect(text).toContain('evil \\x1b[31m title')
  expect(text).toContain('no claim')
})
