import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { asDecision } from '../test-support/loose-decision.ts'
import { runCli } from '../test-support/run-cli.ts'
import { makeNote, putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

/** More Tickets than a page has, each in conflict with one far away from both sides, and a file that cannot be read. */
function largeRepository() {
  const repo = temporaryRepository({ git: false })
  const conflict = (target: number) =>
    asDecision({ ...makeNote('x \u2028 漢😀'), kind: 'conflicts_with', target: `T-${target}` })
  for (let n = 0; n < 1200; n++) {
    const decisions = [conflict((n + 600) % 1200), makeNote('note')].sort((a, b) => (a.id < b.id ? -1 : 1))
    putTicket(repo.root, `T-${n}`, { state: n % 5 ? 'queued' : 'done', title: 'x'.repeat(100), decisions })
  }
  writeFileSync(join(repo.root, 'tickets', 'X.json'), '{')
  return repo
}

test('export prints what the SDK returns, in every format, as text and as a document', {
  timeout: 300_000,
}, async () => {
  using repo = largeRepository()
  using plan = openPlan({ root: repo.root })
  for (const format of ['mermaid', 'dot', 'json', 'csv', 'beads'] as const) {
    const output = plan.export({ format, all: true })
    const text = await runCli(repo.root, ['export', format, '--all'])
    expect(text).toMatchObject({ status: 0, stdout: output.text })
    expect(text.stderr).toContain('note: 1 file cannot be read in full, so the export is incomplete')
    const document = await runCli(repo.root, ['export', format, '--all', '--json'])
    expect(document.stdout).not.toContain('\u2028')
    expect(JSON.parse(document.stdout)).toEqual(output)
  }
  const json = plan.export({ format: 'json', all: true }).text
  expect(json).toBe(`${JSON.stringify(JSON.parse(json), null, 2)}\n`)
})
