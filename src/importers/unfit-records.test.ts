/** Records that do not fit the schema of their source: each is reported with the field, and none makes a Ticket seem gone. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { checkedPlan } from '../test-support/checked-plan.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'

/** Writes the records as a file of the system; those of yoi as folders. */
const WRITERS: Record<string, (path: string, records: readonly object[]) => void> = {
  beads: (path, records) => put(path, records.map(record => `${JSON.stringify(record)}\n`).join('')),
  github: (path, records) => put(path, JSON.stringify(records)),
  json: (path, records) => put(path, JSON.stringify({ tickets: records, relations: [] })),
  yoi: (path, records) => {
    for (const [position, record] of records.entries()) {
      const lines = Object.entries(record).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
      put(join(path, `y-${position + 1}`, 'item.md'), `---\n${lines.join('\n')}\n---\n`)
    }
  },
}

function put(path: string, text: string) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const GOOD: Record<string, [object, object]> = {
  beads: [
    { id: 'b-1', title: 'one', status: 'open' },
    { id: 'b-2', title: 'two', status: 'open' },
  ],
  github: [
    { number: 1, title: 'one', state: 'OPEN' },
    { number: 2, title: 'two', state: 'open' },
  ],
  json: [
    { id: 'j-1', title: 'one', state: 'open' },
    { id: 'j-2', title: 'two', state: 'open' },
  ],
  yoi: [
    { title: 'one', state: 'open' },
    { title: 'two', state: 'open' },
  ],
}

test.each([
  ['beads', { id: 'b-2', title: 5, status: 'open' }, 'title must be a text'],
  ['beads', { id: 'b-2' }, 'status is missing'],
  ['beads', { title: 'two', status: 'open' }, 'id is missing'],
  ['github', { number: 2, title: null, state: 'open' }, 'title must be a text'],
  ['github', { number: 2, title: 'two', state: 'merged' }, 'state must be open or closed'],
  ['github', { title: 'two', state: 'open' }, 'number is missing, and no address has one'],
  ['json', { id: 'j-2', title: 'two', state: 7 }, 'state must be a text'],
  ['json', { title: 'two', state: 'open' }, 'id is missing'],
  ['yoi', { title: { a: 1 }, state: 'open' }, 'title must be a text'],
  ['yoi', { title: 'two', state: null }, 'state is missing'],
])('%s: %j', (system, bad, problem) => {
  using repository = temporaryRepository()
  using plan = checkedPlan(repository.root)
  const path = join(repository.root, 'source')
  const run = (records: readonly object[]) => {
    rmSync(path, { recursive: true, force: true })
    WRITERS[system]!(path, records)
    return plan.import({ system: system as 'beads', path, ...(system === 'github' && { idPrefix: 'g' }) })
  }
  const [one, two] = GOOD[system]!
  expect(run([one, two])).toMatchObject({ tickets: 2, dropped: [] })
  const report = run([one, bad])
  expect(report.dropped).toHaveLength(1)
  expect(report.dropped[0]!.message).toContain(`no Ticket: ${problem}`)
  expect(report).toMatchObject({ tickets: 1, written: 0, gone: [] })
})
