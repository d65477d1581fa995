/** docs/stability.md: the tests that it names exist, and the SQL views have the columns that docs/sql.md promises. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openPlan } from './index.ts'
import { PACKAGE_ROOT } from './test-support/run-cli.ts'
import { putTicket, temporaryRepository } from './test-support/temporary-repository.ts'

const page = (name: string) => readFileSync(join(PACKAGE_ROOT, 'docs', name), 'utf8')

test('every promise names a test that exists', () => {
  const rows = page('stability.md')
    .split('\n')
    .filter(line => line.startsWith('| ') && !line.startsWith('| what '))
  expect(rows.length).toBeGreaterThan(10)
  for (const row of rows) {
    const [, path] = /`(src\/[\w./-]+\.test\.ts)` \|$/.exec(row) ?? []
    expect(path, row).toBeDefined()
    expect(existsSync(join(PACKAGE_ROOT, path!)), path).toBe(true)
  }
})

test('the SQL views have the columns that docs/sql.md lists', () => {
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { state: 'queued' })
  const plan = openPlan({ root: repository.root, actor: 'tester' })
  plan.claim({ ticket: 'A', holder: 'pod' })
  plan.queue()
  plan.close()
  const [, list] = /## What is guaranteed\n\n```text\n([\s\S]*?)```/.exec(page('sql.md'))!
  const promised = [...list!.matchAll(/^(\w+)\((.*)\)$/gm)].map(
    ([, view, columns]) => [view!, columns!.split(', ')] as const,
  )
  expect(promised.map(([view]) => view)).toContain('claims')
  const index = new Database(repository.indexPath, { readonly: true })
  const local = new Database(repository.localPath, { readonly: true })
  try {
    for (const [view, columns] of promised) {
      const found = (view === 'claims' ? local : index).pragma(`table_info("${view}")`) as { name: string }[]
      const names = found.map(({ name }) => name)
      expect(names, view).toEqual(expect.arrayContaining([...columns]))
    }
  } finally {
    index.close()
    local.close()
  }
})
