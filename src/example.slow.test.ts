import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlan } from './sdk.ts'
import { checkAfterFault } from './test-support/check-after-fault.ts'
import { PACKAGE_ROOT, runProgram } from './test-support/run-cli.ts'
import { temporaryFolder } from './test-support/temporary-repository.ts'

const EXAMPLE = join(PACKAGE_ROOT, 'examples', 'orchestrator.ts')
/** Pairs that change the same part of the product. */
const CONFLICTS = [
  ['T-2', 'T-3'],
  ['T-2', 'T-4'],
  ['T-3', 'T-4'],
  ['T-5', 'T-6'],
]
const NEEDS = [
  ['T-2', 'T-1'],
  ['T-5', 'T-1'],
]

// The first steps record decisions; then each Ticket is accepted, set in progress and given to a worker.
test.each([
  '',
  '1',
  '4',
  '7',
  '8',
  '9',
  '10,1,2,3',
  '12,3,9',
  '8,8,8',
])('the example, killed at steps "%s"', async crashes => {
  using folder = temporaryFolder()
  const run = await runProgram(process.execPath, [EXAMPLE, '--folder', folder.path, '--crash-at', crashes])
  expect(run.status, run.stdout + run.stderr).toBe(0)
  const kills = run.stdout.split('--- killed').length - 1
  expect(kills).toBe(crashes === '' ? 0 : crashes.split(',').length)

  const root = join(folder.path, 'repository')
  using plan = openPlan({ root, actor: 'tester' })
  const ids = ['T-1', 'T-2', 'T-3', 'T-4', 'T-5', 'T-6']
  for (const id of ids) expect(plan.show(id).ticket.state, id).toBe('done')

  // A worker that reached its end held a live claim from its beginning; one that lost its claim did nothing that counts.
  const journal = readFileSync(join(folder.path, 'journal'), 'utf8').trim().split('\n')
  const done = journal.flatMap((line, end) => {
    const [event, ticket, token] = line.split(' ')
    return event === 'end' ? { ticket, begin: journal.indexOf(`begin ${ticket} ${token}`), end } : []
  })
  const spans = (id: string) => done.filter(({ ticket }) => ticket === id)
  for (const id of ids) expect(spans(id), id).not.toEqual([])
  for (const [a, b] of CONFLICTS as [string, string][]) {
    const together = spans(a).filter(one => spans(b).some(other => one.begin < other.end && other.begin < one.end))
    expect(together, `${a} and ${b} side by side:\n${journal.join('\n')}`).toEqual([])
  }
  for (const [later, earlier] of NEEDS as [string, string][])
    expect(spans(later)[0]!.begin).toBeGreaterThan(spans(earlier)[0]!.end)
  // Each decision was recorded once, however often the orchestrator lost its memory.
  expect(plan.relations({ status: 'all' }).relations.filter(({ decisions }) => decisions.length > 1)).toEqual([])
  expect(plan.relations({ status: 'all' }).relations).toHaveLength(CONFLICTS.length + NEEDS.length)
  checkAfterFault(root, [])
})
