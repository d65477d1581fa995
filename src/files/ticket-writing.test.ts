import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import { openPlan } from '../sdk.ts'
import {
  makeNote,
  makeTicket,
  putTicket,
  readTicket as read,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { findRepository } from './repository.ts'
import { listOrphans } from './ticket-listing.ts'
import { writeTicketFile } from './ticket-writing.ts'

/** Returns the bytes of a Ticket, to be written by the code under test. */
function bytesOf(id: string, title: string): Buffer {
  return Buffer.from(encodeTicket(makeTicket(id, { title })))
}

describe('writing a Ticket file', () => {
  it('creates, then replaces what was read', () => {
    using repo = temporaryRepository()
    const repository = findRepository(repo.root)
    const path = 'tickets/A.json'
    expect(writeTicketFile(repository, path, bytesOf('A', 'one'), null)).toBe('replaced')
    expect(writeTicketFile(repository, path, bytesOf('A', 'two'), read(repo.root, path))).toBe('replaced')
    expect(read(repo.root, path).ticket.title).toBe('two')
  })

  const changes: [string, (path: string) => void][] = [
    ['other bytes of the same size', path => writeFileSync(path, bytesOf('A', 'two'))],
    [
      'other bytes of the same size, with the old time put back',
      path => {
        const { atime, mtime } = statSync(path)
        writeFileSync(path, bytesOf('A', 'two'))
        utimesSync(path, atime, mtime)
      },
    ],
    [
      'another file under its name',
      path => {
        writeFileSync(`${path}.other`, bytesOf('A', 'two'))
        renameSync(`${path}.other`, path)
      },
    ],
    ['nothing', path => rmSync(path)],
    [
      'a link to the same bytes',
      path => {
        renameSync(path, `${path}.real`)
        symlinkSync(`${path}.real`, path)
      },
    ],
    [
      'a folder',
      path => {
        rmSync(path)
        mkdirSync(path)
      },
    ],
  ]
  it.each(changes)('writes nothing where the file has been replaced by %s', (_, change) => {
    using repo = temporaryRepository()
    const path = 'tickets/A.json'
    writeFileSync(join(repo.root, path), bytesOf('A', 'one'))
    const expected = read(repo.root, path)
    change(join(repo.root, path))
    const before = lstatSync(join(repo.root, path), { throwIfNoEntry: false })
    expect(writeTicketFile(findRepository(repo.root), path, bytesOf('A', 'ours'), expected)).toBe('changed')
    expect(lstatSync(join(repo.root, path), { throwIfNoEntry: false })?.ino).toBe(before?.ino)
    expect(listOrphans(findRepository(repo.root))).toEqual([])
  })

  it('compares the bytes where the stat data show no change', () => {
    using repo = temporaryRepository()
    const path = 'tickets/A.json'
    writeFileSync(join(repo.root, path), bytesOf('A', 'one'))
    const old = read(repo.root, path)
    writeFileSync(join(repo.root, path), bytesOf('A', 'two'))
    // As under a coarse clock: the old hash with the current stat data.
    const expected = { ...old, stat: read(repo.root, path).stat }
    expect(writeTicketFile(findRepository(repo.root), path, bytesOf('A', 'ours'), expected)).toBe('changed')
    expect(read(repo.root, path).ticket.title).toBe('two')
  })

  it('writes nothing where another program has created the file', () => {
    using repo = temporaryRepository()
    putTicket(repo.root, 'A', { title: 'theirs' })
    expect(writeTicketFile(findRepository(repo.root), 'tickets/A.json', bytesOf('A', 'ours'), null)).toBe('changed')
    expect(read(repo.root, 'tickets/A.json').ticket.title).toBe('theirs')
  })

  it('refuses a folder that has become a link, and writes nothing behind it', () => {
    using repo = temporaryRepository()
    using outside = temporaryFolder()
    const path = putTicket(repo.root, 'A', {}, 'deep')
    const expected = read(repo.root, path)
    renameSync(join(repo.ticketsDir, 'deep'), join(outside.path, 'deep'))
    symlinkSync(join(outside.path, 'deep'), join(repo.ticketsDir, 'deep'))
    const before = readFileSync(join(outside.path, 'deep', 'A.json'), 'utf8')
    expect(() => writeTicketFile(findRepository(repo.root), path, bytesOf('A', 'ours'), expected)).toThrow(
      expect.objectContaining({ code: 'unsafe_path' }),
    )
    expect(readFileSync(join(outside.path, 'deep', 'A.json'), 'utf8')).toBe(before)
  })

  it('leaves a second name of the old file alone', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    const second = join(repo.root, 'copy')
    linkSync(join(repo.root, path), second)
    const before = readFileSync(second, 'utf8')
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    plan.record({ ticket: 'A', kind: 'note', reason: 'x' })
    expect(readFileSync(second, 'utf8')).toBe(before)
  })
})

describe('verify --fix', () => {
  it('rewrites a valid file that is not canonical, with the same content', () => {
    using repo = temporaryRepository()
    const ticket = makeTicket('A', { decisions: [makeNote('one'), makeNote('two')], extra: { z: 1, a: [1, 2] } })
    writeFileSync(
      join(repo.ticketsDir, 'A.json'),
      JSON.stringify({ ...ticket, decisions: ticket.decisions.toReversed() }),
    )
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    expect(plan.verify().problems).toMatchObject([{ code: 'not_canonical', path: 'tickets/A.json' }])
    expect(plan.verify({ fix: true })).toMatchObject({ ok: true, fixed: ['tickets/A.json'] })
    expect(readFileSync(join(repo.ticketsDir, 'A.json'), 'utf8')).toBe(encodeTicket(ticket))
  })
})
