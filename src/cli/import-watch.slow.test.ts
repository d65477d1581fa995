/** `import --watch`: the source moves, and verdicts follow, until the command is stopped. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { runCli, startCli } from '../test-support/run-cli.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'
import { until } from '../test-support/until.ts'

const bead = (id: string, more: object = {}) =>
  JSON.stringify({
    id,
    title: id,
    status: 'queued',
    created_at: '2026-06-01T00:00:00Z',
    updated_at: '2026-06-01T00:00:00Z',
    ...more,
  })

test('a state that moves at the source changes verdicts, and half a file changes nothing', async () => {
  using repository = temporaryRepository()
  const path = join(repository.root, 'issues.jsonl')
  const blocked = bead('bd-2', { dependencies: [{ issue_id: 'bd-2', depends_on_id: 'bd-1', type: 'blocks' }] })
  writeFileSync(path, `${bead('bd-1')}\n${blocked}\n`)
  const watching = startCli(repository.root, ['import', 'beads', path, '--watch', '--json'])
  try {
    using plan = openPlan({ root: repository.root, actor: 'test' })
    const verdict = () => plan.queue().queue.find(({ ticket }) => ticket.id === 'bd-2')?.verdict
    await until('the first import', () => verdict() === 'hold')
    writeFileSync(path, `<<<<<<< HEAD\n${bead('bd-1', { status: 'closed', updated_at: '2026-06-02T00:00:00Z' })}\n`)
    writeFileSync(path, `${bead('bd-1', { status: 'closed', updated_at: '2026-06-02T00:00:00Z' })}\n${blocked}\n`)
    await until('the moved state', () => verdict() === 'accept')
  } finally {
    watching.process.kill('SIGTERM')
    await watching.ended
  }
})

test('a folder is watched as the sources of the configuration', async () => {
  using repository = temporaryRepository()
  const tasks = join(repository.root, 'backlog/tasks')
  const task = (status: string, day: number) =>
    `---\nid: BACK-1\ntitle: One\nstatus: ${status}\ncreated_date: '2026-06-01'\nupdated_date: '2026-06-0${day}'\n---\n`
  mkdirSync(tasks, { recursive: true })
  writeFileSync(join(tasks, 'back-1 - One.md'), task('To Do', 1))
  writeFileSync(
    join(repository.root, 'ticketplan.json'),
    JSON.stringify({ sources: [{ system: 'backlog', path: 'backlog', queued: ['To Do'] }] }),
  )
  const watching = startCli(repository.root, ['import', '--watch'])
  try {
    using plan = openPlan({ root: repository.root, actor: 'test' })
    const state = () => plan.queue().queue.length
    await until('the first import', () => state() === 1)
    writeFileSync(join(tasks, 'back-1 - One.md'), task('Done', 2))
    await until('the moved state', () => state() === 0)
  } finally {
    watching.process.kill('SIGTERM')
    await watching.ended
  }
})

test('nothing to watch, and standard input, are refused', async () => {
  using repository = temporaryRepository()
  for (const args of [
    ['import', '--watch'],
    ['import', 'beads', '-', '--watch'],
  ]) {
    const run = await runCli(repository.root, args)
    expect(run).toMatchObject({ status: 2, stderr: expect.stringContaining('--watch needs a file or folder') })
  }
})
