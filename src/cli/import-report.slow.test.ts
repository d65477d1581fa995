/** What `import` says of each record, as a person reads it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../test-support/run-cli.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

const bead = (id: string, day: number, more: object = {}) => ({
  id,
  title: id,
  status: 'open',
  created_at: '2026-06-01T00:00:00Z',
  updated_at: `2026-06-0${day}T00:00:00Z`,
  ...more,
})
const onTwo = { depends_on: ['bd-2'] }

test('names the edges that come and go, and each record that is gone or skipped', async () => {
  using repository = temporaryRepository()
  const path = join(repository.root, 'issues.jsonl')
  const report = async (records: object[], ...options: string[]) => {
    writeFileSync(path, records.map(record => `${JSON.stringify(record)}\n`).join(''))
    const { status, stdout } = await runCli(repository.root, ['import', 'beads', path, ...options])
    expect(status).toBe(0)
    return stdout.split('\n').filter(line => line !== '' && !line.startsWith('states in no phase'))
  }
  const wisp = bead('bd-9', 1, { ephemeral: true })
  await report([bead('bd-1', 1, onTwo), bead('bd-2', 1), bead('bd-3', 1)])

  const without = [bead('bd-1', 2), bead('bd-2', 2), wisp]
  const skipped = ['skipped: 1 ephemeral', '  line 3: bd-9: ephemeral']
  expect(await report(without, '--dry-run')).toEqual([
    '2 Tickets, 0 decisions; 2 files would be written (0 new, 2 changed)',
    '  changed bd-1, 1 edge would be retracted',
    '    - blocked_by bd-2',
    '  changed bd-2',
    '1 edge that the source no longer has would be retracted',
    ...skipped,
    'gone from the source: 1',
    '  bd-3',
  ])
  await report(without)
  expect(await report(without)).toEqual([
    '2 Tickets, 0 decisions; 0 files written',
    'skipped: 1 ephemeral',
    'gone from the source: bd-3',
  ])
  // What was remembered of the last import has no lines; they are read again.
  expect(await report(without, '--verbose')).toEqual([
    '2 Tickets, 0 decisions; 0 files written',
    ...skipped,
    'gone from the source: 1',
    '  bd-3',
  ])
  expect(await report([bead('bd-1', 3, onTwo), bead('bd-2', 2), bead('bd-3', 1)], '--verbose')).toEqual([
    '3 Tickets, 1 decision; 1 file written (0 new, 1 changed)',
    '  changed bd-1',
    '    + blocked_by bd-2',
  ])
})

test('a wrong file has a line for its first ten records, all with --verbose and --json, and in a dry run too', async () => {
  using repository = temporaryRepository()
  const path = join(repository.root, 'wrong.jsonl')
  writeFileSync(path, Array.from({ length: 500 }, (_, n) => `{"name":"record ${n}"}\n`).join(''))
  const lines = async (...options: string[]) => {
    const { status, stdout } = await runCli(repository.root, ['import', 'beads', path, ...options])
    expect(status).toBe(4)
    return stdout.trimEnd().split('\n')
  }
  for (const options of [[], ['--dry-run']]) {
    const few = await lines(...options)
    expect(few.slice(0, 3)).toEqual([
      expect.stringMatching(/^0 Tickets, 0 decisions; 0 files (would be )?written$/),
      'left out: 500',
      '  line 1: no Ticket: id is missing: {"name":"record 0"}',
    ])
    expect(few).toHaveLength(13)
    expect(few.at(-1)).toBe('  and 490 more; --verbose lists all')
  }
  expect(await lines('--verbose')).toHaveLength(502)
  expect(JSON.parse((await lines('--json')).join('\n')).dropped).toHaveLength(500)
})
