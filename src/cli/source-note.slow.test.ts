/** Git hooks of a repository whose source is in it: they say that it changed, and write nothing into the tree. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tryGit } from '../test-support/git-clones.ts'
import { runCli } from '../test-support/run-cli.ts'
import { runGit, temporaryRepository } from '../test-support/temporary-repository.ts'

test('git switch with a changed source prints the note and leaves the tree clean', async () => {
  using repository = temporaryRepository()
  const { root } = repository
  const bead = (status: string, day: number) =>
    `${JSON.stringify({ id: 'bd-1', title: 'One', status, updated_at: `2026-06-0${day}T00:00:00Z` })}\n`
  const source = join(root, '.beads', 'issues.jsonl')
  mkdirSync(join(root, '.beads'))
  writeFileSync(source, bead('open', 1))
  writeFileSync(
    join(root, 'ticketplan.json'),
    JSON.stringify({ sources: [{ system: 'beads', path: '.beads/issues.jsonl' }] }),
  )
  for (const args of [['init'], ['import']]) expect(await runCli(root, args)).toMatchObject({ status: 0 })
  const commit = (message: string) => {
    runGit(root, 'add', '--all')
    runGit(root, 'commit', '--quiet', '--message', message)
  }
  commit('the source and its Tickets')
  const file = join(root, 'tickets', 'bd-1.json')
  const before = readFileSync(file, 'utf8')
  runGit(root, 'switch', '--quiet', '--create', 'moved')
  writeFileSync(source, bead('closed', 2))
  commit('the source alone')

  const note = 'the source beads .beads/issues.jsonl has changed since its last import (1 Ticket file to write)'
  const switchTo = (branch: string) => {
    const { status, output } = tryGit(root, ['switch', '--quiet', branch])
    expect({ status, tree: runGit(root, 'status', '--porcelain').trim() }).toEqual({ status: 0, tree: '' })
    return output
  }
  expect(switchTo('-')).not.toContain('the source')
  expect(switchTo('moved')).toContain(note)
  expect(readFileSync(file, 'utf8')).toBe(before)
  // The import is what the note asks for.
  expect(await runCli(root, ['import'])).toMatchObject({ status: 0 })
  expect(runGit(root, 'status', '--porcelain').trim()).toBe('M tickets/bd-1.json')
})
