/** The console blocks of docs/claims.md, run in one repository. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { consoleSteps, shownPattern } from '../test-support/console-blocks.ts'
import { CLI, PACKAGE_ROOT } from '../test-support/run-cli.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'

/** The times and tokens that the page shows are those of its own run. */
const VARYING = /\b17\d{8}\b|\d{4}-\d\d-\d\dT[\d:.]+Z|\b01[0-9A-Z]{24}\b/g

test('prints what docs/claims.md shows', () => {
  using repository = temporaryRepository()
  for (const [id, title] of [
    ['T-2', 'Plan tool'],
    ['T-5', 'Reports'],
    ['T-6', 'Menu'],
  ])
    putTicket(repository.root, id!, { state: 'queued', title, queued_at: `2026-06-08T11:0${id!.at(-1)}:00.000Z` })
  const page = readFileSync(join(PACKAGE_ROOT, 'docs', 'claims.md'), 'utf8')
  const steps = consoleSteps(page)
  expect(steps.length).toBeGreaterThan(8)
  const script = [
    `ticketplan() { "${process.execPath}" "${CLI}" "$@"; }`,
    'export TICKETPLAN_ACTOR=orchestrator',
    ...steps.map(({ command }) => {
      // A token of the page is the one of the Ticket's claim in this run.
      return `${command.replace(/(\w+) (\S+) --token 17\d{8}/, '$1 $2 --token $(ticketplan claims --all --json | jq ".claims[] | select(.ticket==\\"$2\\").token")')}\nprintf '\\036'`
    }),
  ].join('\n')
  const { stdout } = spawnSync('bash', ['-c', `exec 2>&1\n${script}`], { cwd: repository.root, encoding: 'utf8' })
  const printed = stdout.split('\u001e')
  for (const [position, { command, shown }] of steps.entries())
    expect(printed[position]!.replace(VARYING, '…').replace(/ +/g, ' '), command).toMatch(
      shownPattern(shown.replace(VARYING, '…').replace(/ +/g, ' ')),
    )
})
