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
        const lines = screenLines(overview, { paint: plain, width }, rows)
        expect(lines.length, `${width} x ${rows}`).toBeLessThan(Math.max(2, rows))
        if (width >= 80) for (const line of lines.slice(1)) expect(stringWidth(line), line).toBeLessThanOrEqual(width)
      }
  })

  test('a small screen has what is urgent first', () => {
    const lines = screenLines(busy(), { paint: plain, width: 100 }, 24)
    expect(lines[0]).toMatch(/may run .* held .* running/)
    expect(lines[2]).toMatch(/^To look at/)
    for (const title of ['Running', 'May run now', 'Held', 'Areas', 'Decided last'])
      expect(
        lines.filter(line => line.startsWith(title)),
        title,
      ).toHaveLength(1)
    expect(screenLines(busy(), { paint: plain, width: 100 }, 9).join(' ')).not.toContain('Decided last')
  })
})

test('overview prints every section, and text of Tickets is escaped', () => {
  const overview = overviewOf(root => {
    putTicket(root, 'A', { state: 'queued', title: 'evil \u001b[31m title' })
    putTicket(root, 'B', { state: 'in_progress' })
  })
  const text = render('overview', overview, {}, { isTerminal: false, hasColours: false, width: undefined }, NOW_MS)
  expect(text).toContain('1 may run  0 held  1 running, 1 without a claim')
  expect(text).toContain('evil \\x1b[31m title')
  expect(text).toContain('no claim')
})

describe('overviewLines', () => {
  const lines = (overview: ReturnType<typeof overviewOf>, width?: number) =>
    render('overview', overview, {}, { isTerminal: width !== undefined, hasColours: false, width }, NOW_MS)
      .replace(/\u001b\[\d+m/g, '')
      .split('\n')
  const plan = (root: string) => {
    putTicket(root, 'LONG-ID-OF-19-CHARS', { state: 'queued', title: 'one' })
    putTicket(root, 'B', { state: 'queued', title: 'two' })
    using plan = openPlan({ root, actor: 'ann', now: () => NOW_MS - 154 * 86_400_000 })
    plan.record({ ticket: 'B', kind: 'blocked_by', other: 'LONG-ID-OF-19-CHARS', reason: 'schema first' })
  }

  test('columns are as wide as their content: ids and ages are whole where the terminal has room', () => {
    const shown = lines(overviewOf(plan), 80)
    expect(shown).toContain('LONG-ID-OF-19-CHARS  1 waits for it  one')
    expect(shown).toContain('154 days ago  ann  B blocked by LONG-ID-OF-19-CHARS  schema first')
    expect(shown).toContain('1 waits for  LONG-ID-OF-19-CHARS (may run now)  one')
    for (const line of lines(overviewOf(plan), 40).slice(1)) expect(stringWidth(line)).toBeLessThanOrEqual(40)
  })

  test('every list that is cut says how many more there are', () => {
    using repository = temporaryRepository()
    writeBusyPlan(repository.root, { tickets: 352, nowMs: NOW_MS })
    using plan = openPlan({ root: repository.root, actor: 'ann', now: () => NOW_MS })
    const all = plan.overview({ limit: 10_000 })
    const few = lines(plan.overview({ limit: 1 }))
    const totals = {
      'To look at': all.attention.length,
      Running: all.running.length,
      'May run now': all.counts.accept,
      'Held, by what has to move first': all.causes.length,
      Areas: all.areas.length,
      'Decided last': all.decisions.length,
    }
    for (const [title, total] of Object.entries(totals)) {
      expect(total, title).toBeGreaterThan(1)
      expect(few, title).toContain(`${title}  1, and ${total - 1} more`)
      expect(lines(all), title).toContain(total > 15 ? `${title}  15, and ${total - 15} more` : title)
    }
    expect(few[0]).toContain(`${all.attention.length} to look at`)
  })

  test('a claim beyond the limit is no missing claim', () => {
    const overview = overviewOf(root => {
      for (const id of ['A', 'B']) putTicket(root, id, { state: 'in_progress' })
      using plan = openPlan({ root, actor: 'ann', now: () => NOW_MS })
      for (const ticket of ['A', 'B']) plan.claim({ ticket, holder: 'pod', ttl: 600 })
    })
    const text = lines({ ...overview, claims: overview.claims.slice(0, 1) }).join('\n')
    expect(text).toContain('claimed')
    expect(text).not.toContain('no claim')
  })

  test('a focus has the relations around the Ticket, and nothing of the rest', () => {
    using repository = temporaryRepository()
    const { root } = repository
    plan(root)
    for (const id of ['C', 'D']) putTicket(root, id, { state: 'queued' })
    using open = openPlan({ root, actor: 'ann', now: () => NOW_MS })
    open.record({ ticket: 'C', kind: 'after', other: 'D' })
    const shown = lines(open.overview({ focus: 'B' }))
    expect(shown.slice(2)).toEqual([
      'Around B (queued, held)',
      'B  blocked by  LONG-ID-OF-19-CHARS  queued, may run  schema first',
      '',
    ])
    expect(lines(open.overview({ focus: 'D' })).join('\n')).toContain('C  after  D  queued, may run')
  })
})
