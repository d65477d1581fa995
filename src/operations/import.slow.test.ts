import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { CLI } from '../test-support/run-cli.ts'
import { findSharedData } from '../test-support/shared-data.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

describe('real data', () => {
  const yoi = findSharedData('yoi-2026-06-26/tickets')
  const beads = findSharedData('beads-2026-01.jsonl')

  test.skipIf(!yoi)('yoi: every record of two weeks is imported or reported (skipped without the shared data)', () => {
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    const first = plan.import({ system: 'yoi', path: yoi!, mapRoot: '/home/hare/Projects/yoi' })
    expect(first).toMatchObject({ tickets: 281, decisions: 268, written: 281, dropped: [] })
    expect(plan.import({ system: 'yoi', path: yoi!, mapRoot: '/home/hare/Projects/yoi' }).written).toBe(0)
    expect(plan.queue().queue).toHaveLength(6)
    expect(plan.verify().ok).toBe(true)
  })

  test.skipIf(!beads)('beads: every edge is imported or reported (skipped without the shared data)', () => {
    using repository = temporaryRepository()
    using plan = checkedPlan(repository.root)
    expect(plan.import({ system: 'beads', path: beads!, all: true })).toMatchObject({
      tickets: 3077,
      decisions: 1758,
      dropped: [],
      unphasedStates: ['hooked'],
    })
    expect(plan.import({ system: 'beads', path: beads!, all: true }).written).toBe(0)
    // The open records that are never ready at the source, such as those with -wisp- in the id, have a hold each.
    const counted = plan.sql("SELECT kind = 'hold', count(*) FROM decisions GROUP BY 1")
    expect(counted.rows).toEqual([
      [0, 1452],
      [1, 306],
    ])
    expect(plan.verify().ok).toBe(true)
  })
})

test.each(['-', '/dev/stdin', '/dev/fd/0'])('%s reads standard input', path => {
  using repository = temporaryRepository()
  const input = `${JSON.stringify({ id: 'A', title: 'One', status: 'open' })}\n`
  const args = [CLI, '-C', repository.root, '--actor', 'tester', 'import', 'beads', path]
  const run = spawnSync(process.execPath, args, { input, encoding: 'utf8' })
  expect(run).toMatchObject({ status: 0, stderr: '' })
  expect(readFileSync(join(repository.root, 'tickets/A.json'), 'utf8')).toContain('"title": "One"')
  const folder = spawnSync(process.execPath, args.with(-2, 'yoi'), { input, encoding: 'utf8' })
  expect(folder).toMatchObject({ status: 1, stderr: expect.stringContaining('is not a folder') })
})
