/** `undo` as a process of its own, and the console blocks of docs/undo.md on this project's own Tickets. */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectShown } from '../test-support/console-blocks.ts'
import { errorOf, jsonOf, PACKAGE_ROOT, runCli } from '../test-support/run-cli.ts'
import { putTicket, runGit, temporaryRepository } from '../test-support/temporary-repository.ts'

test('prints what docs/undo.md shows', () => {
  using repository = temporaryRepository()
  cpSync(join(PACKAGE_ROOT, 'tickets'), repository.ticketsDir, { recursive: true })
  runGit(repository.root, 'config', 'user.name', 'tour')
  runGit(repository.root, 'config', 'user.email', 'tour@example.org')
  runGit(repository.root, 'add', 'tickets')
  runGit(repository.root, 'commit', '--quiet', '--message=tickets')
  expectShown('docs/undo.md', {
    cwd: repository.root,
    actor: 'maintainers',
    least: 8,
    redirect: ' 2> >(grep -v "ticketplan init" >&2)',
  })
})

test('answers with a document, and with exit 1 where there is nothing to undo', async () => {
  using repository = temporaryRepository()
  const { root } = repository
  for (const id of ['A', 'B']) putTicket(root, id)
  const before = readFileSync(join(root, 'tickets/B.json'), 'utf8')
  const { decision } = jsonOf<{ decision: { id: string } }>(
    await runCli(root, ['record', 'B', 'blocked_by', 'A', '--json']),
  )
  const dry = await runCli(root, ['undo', '--dry-run', '--json'])
  expect(jsonOf(dry)).toMatchObject({ undone: true, dryRun: true })
  const undone = jsonOf(await runCli(root, ['undo', '--json']))
  expect(undone).toEqual({
    undone: true,
    dryRun: false,
    skipped: false,
    change: { operation: 'record', by: 'tester', at: expect.any(String), tickets: ['B'] },
    files: [
      {
        ticket: 'B',
        path: 'tickets/B.json',
        how: 'restored',
        decisions: [decision],
        retractions: [],
        fields: [],
        active_again: [],
      },
    ],
    warnings: [],
  })
  expect(readFileSync(join(root, 'tickets/B.json'), 'utf8')).toBe(before)
  const none = await runCli(root, ['undo', '--json'])
  expect(none).toMatchObject({ status: 1, stdout: '' })
  expect(errorOf(none)).toMatchObject({ code: 'nothing_to_undo', by: 'tester' })
  const both = await runCli(root, ['undo', '--skip', '--dry-run'])
  expect(both).toMatchObject({ status: 2, stderr: expect.stringContaining('--skip and --dry-run exclude each other') })
})

test('at the same time in several processes, each takes back one change', async () => {
  using repository = temporaryRepository()
  const { root } = repository
  for (const id of ['A', 'B', 'C']) {
    putTicket(root, id)
    expect((await runCli(root, ['record', id, 'note', '--reason', `about ${id}`])).status).toBe(0)
  }
  const runs = await Promise.all(['1', '2', '3', '4'].map(() => runCli(root, ['undo', '--json'])))
  expect(runs.map(({ status }) => status).sort()).toEqual([0, 0, 0, 1])
  const tickets = runs.flatMap(run => (run.status === 0 ? jsonOf<{ files: { ticket: string }[] }>(run).files : []))
  expect(tickets.map(({ ticket }) => ticket).sort()).toEqual(['A', 'B', 'C'])
})
