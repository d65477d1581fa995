/** The console blocks of docs/claims.md, run in one repository. */
import { test } from 'vitest'
import { expectShown } from '../test-support/console-blocks.ts'
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
  expectShown('docs/claims.md', {
    cwd: repository.root,
    actor: 'orchestrator',
    least: 8,
    // A token of the page is the one of the Ticket's claim in this run.
    runnable: command =>
      command.replace(
        /(\w+) (\S+) --token 17\d{8}/,
        '$1 $2 --token $(ticketplan claims --all --json | jq ".claims[] | select(.ticket==\\"$2\\").token")',
      ),
    comparable: output => output.replace(VARYING, '…').replace(/ +/g, ' '),
  })
})
