/** The console blocks of docs/looking.md and docs/deciding.md, run on a copy of this project's own Tickets. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'vitest'
import { expectShown } from '../test-support/console-blocks.ts'
import { PACKAGE_ROOT } from '../test-support/run-cli.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

test.each([
  { page: 'looking.md', least: 5 },
  { page: 'deciding.md', least: 25 },
])('prints what docs/$page shows', ({ page, least }) => {
  using repository = temporaryRepository()
  cpSync(join(PACKAGE_ROOT, 'tickets'), repository.ticketsDir, { recursive: true })
  emptyQueue(repository.ticketsDir)
  expectShown(`docs/${page}`, { cwd: repository.root, actor: 'maintainers', least })
})

/** Takes every Ticket out of the queue, so that no output depends on what this project has queued. */
function emptyQueue(ticketsDir: string): void {
  for (const name of readdirSync(ticketsDir).filter(name => name.endsWith('.json'))) {
    const path = join(ticketsDir, name)
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^ {2}"state": "queued"/m, '  "state": "open"'))
  }
}
