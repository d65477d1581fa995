import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('a day with three deaths ends with every Ticket done, and the check finds nothing', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'day.ts')], {
    encoding: 'utf8',
    timeout: 170_000,
  })
  expect(stdout).not.toContain('WRONG')
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/40 Tickets finished in 4[3-9] runs, 3 of which died; at most [2-8] at once/)
})
