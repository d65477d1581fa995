import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import { addDecision } from '../model/change.ts'
import { checkAfterFault } from '../test-support/check-after-fault.ts'
import {
  makeNote,
  makeTicket,
  putTicket,
  readTicketJson,
  runGit,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { openStore } from './store.ts'

describe('a file that another program changes during an edit', () => {
  const stamp = { by: 'tester', nowMs: Date.parse('2026-06-08T12:00:00.000Z'), newId: () => makeNote('').id }

  const others: [string, (path: string, content: string) => void][] = [
    ['an editor that writes into it', (path, content) => writeFileSync(path, content)],
    [
      'an editor that replaces it',
      (path, content) => {
        writeFileSync(`${path}~`, content)
        renameSync(`${path}~`, path)
      },
    ],
  ]
  it.each(others)('%s: both changes are kept', (_, replace) => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A', { title: 'old' })
    const store = openStore({ root: repo.root, actor: 'tester' })
    let calls = 0
    const changed = store.locked(() =>
      store.edit(path, ticket => {
        if (++calls === 1) replace(join(repo.root, path), encodeTicket(makeTicket('A', { title: 'by the editor' })))
        return addDecision(ticket, { kind: 'note', reason: 'ours' }, stamp)
      }),
    )
    expect(calls).toBe(2)
    const after = readTicketJson(repo.root, path)
    expect(after).toMatchObject({ title: 'by the editor', decisions: [{ id: changed.decision.id }] })
    store.close()
    checkAfterFault(repo.root, [{ ticket: 'A', decision: changed.decision.id }])
  })

  it('git checks out another branch: the decision is added to the version of that branch', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A', { title: 'on main' })
    runGit(repo.root, 'add', '--all')
    runGit(repo.root, 'commit', '--quiet', '--message=one')
    runGit(repo.root, 'checkout', '--quiet', '-b', 'side')
    const theirs = makeNote('on the side')
    putTicket(repo.root, 'A', { title: 'on the side', decisions: [theirs] })
    runGit(repo.root, 'commit', '--quiet', '--all', '--message=two')
    runGit(repo.root, 'checkout', '--quiet', 'main')
    const store = openStore({ root: repo.root, actor: 'tester' })
    let calls = 0
    const { decision } = store.locked(() =>
      store.edit(path, ticket => {
        if (++calls === 1) runGit(repo.root, 'checkout', '--quiet', 'side')
        return addDecision(ticket, { kind: 'note', reason: 'ours' }, stamp)
      }),
    )
    store.close()
    const after = readTicketJson(repo.root, path)
    expect(after.title).toBe('on the side')
    expect(after.decisions.map(({ id }) => id).sort()).toEqual([theirs.id, decision.id].sort())
    checkAfterFault(repo.root, [])
  })

  it('changes at every attempt: the write fails with a named error and leaves the last version of the other program', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    const store = openStore({ root: repo.root, actor: 'tester' })
    let calls = 0
    const edit = () =>
      store.edit(path, ticket => {
        writeFileSync(join(repo.root, path), encodeTicket(makeTicket('A', { title: `version ${++calls}` })))
        return addDecision(ticket, { kind: 'note', reason: 'ours' }, stamp)
      })
    expect(() => store.locked(edit)).toThrow(expect.objectContaining({ code: 'contended', data: { path } }))
    expect(readTicketJson(repo.root, path)).toMatchObject({ title: `version ${calls}`, decisions: [] })
    store.close()
    checkAfterFault(repo.root, [])
  })

  it('is deleted: nothing is written in its place', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    const store = openStore({ root: repo.root, actor: 'tester' })
    const edit = () =>
      store.edit(path, ticket => {
        rmSync(join(repo.root, path))
        return addDecision(ticket, { kind: 'note', reason: 'ours' }, stamp)
      })
    expect(() => store.locked(edit)).toThrow(expect.objectContaining({ code: 'unknown_ticket' }))
    expect(existsSync(join(repo.root, path))).toBe(false)
    store.close()
  })

  it('gets conflict markers: the write is refused, and the markers are kept', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    const store = openStore({ root: repo.root, actor: 'tester' })
    const markers = '{\n<<<<<<< ours\n=======\n>>>>>>> theirs\n}\n'
    const edit = () =>
      store.edit(path, ticket => {
        writeFileSync(join(repo.root, path), markers)
        return addDecision(ticket, { kind: 'note', reason: 'ours' }, stamp)
      })
    expect(() => store.locked(edit)).toThrow(
      expect.objectContaining({ code: 'invalid_file', data: expect.objectContaining({ refusal: 'conflict_markers' }) }),
    )
    expect(readFileSync(join(repo.root, path), 'utf8')).toBe(markers)
    store.close()
  })

  it('is created by the other program first: that file is kept', () => {
    using repo = temporaryRepository()
    const store = openStore({ root: repo.root, actor: 'tester' })
    store.locked(() => {
      store.read(() => {})
      putTicket(repo.root, 'A', { title: 'theirs' })
      expect(store.create(makeTicket('A', { title: 'ours' }))).toBe(false)
    })
    expect(readTicketJson(repo.root, 'tickets/A.json').title).toBe('theirs')
    store.close()
    checkAfterFault(repo.root, [])
  })
})
