import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import type { RefusalCode } from '../model/errors.ts'
import { openPlan } from '../sdk.ts'
import { openStore } from '../store/store.ts'
import { permissionObstacle } from '../test-support/system-abilities.ts'
import {
  makeTicket,
  putTicket,
  readTicket as read,
  readTicketJson,
  type TemporaryRepository,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { findRepository } from './repository.ts'
import { findTicketFile, type QuarantinedFile } from './ticket-files.ts'
import { listTicketPaths } from './ticket-listing.ts'

function refusal(root: string, path: string): QuarantinedFile {
  const file = findTicketFile(root, path)
  if (!file || file.readable) throw new Error(`${path} can be read`)
  return file
}

/**
 * Expects the file to be listed and quarantined with the code. Every command that needs its Ticket or writes to it is refused,
 * and the file is unchanged.
 */
function expectQuarantined(repo: TemporaryRepository, path: string, code: RefusalCode): void {
  const before = lstatSync(join(repo.root, path))
  expect(listTicketPaths(findRepository(repo.root))).toContain(path)
  expect(refusal(repo.root, path).code).toBe(code)
  using plan = openPlan({ root: repo.root, actor: 'tester' })
  const problem = expect.objectContaining({ path })
  expect(plan.queue().problems).toContainEqual(problem)
  expect(plan.verify()).toMatchObject({ ok: false, problems: expect.arrayContaining([problem]) })
  expect(plan.verify({ fix: true }).fixed).not.toContain(path)
  const id = basename(path, '.json')
  const refused = expect.objectContaining({ code: 'invalid_file', data: expect.objectContaining({ refusal: code }) })
  expect(() => plan.record({ ticket: id, kind: 'note', reason: 'x' })).toThrow(refused)
  expect(() => plan.set({ ticket: id, title: 'x' })).toThrow(refused)
  expect(() => plan.add({ id, title: 'x' })).toThrow(expect.objectContaining({ code: 'ticket_exists' }))
  const after = lstatSync(join(repo.root, path))
  expect([after.ino, after.mode, after.size, after.ctimeMs]).toEqual([
    before.ino,
    before.mode,
    before.size,
    before.ctimeMs,
  ])
}

describe('files in deeper folders', () => {
  it('are read, and written in place', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A', { slug: 'first' }, 'team/2026')
    putTicket(repo.root, 'B')
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    const byId = plan.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
    const bySlug = plan.record({ ticket: 'first', kind: 'note', reason: 'x' })
    plan.set({ ticket: 'first', title: 'New' })
    expect(readTicketJson(repo.root, path)).toMatchObject({
      title: 'New',
      decisions: [{ id: byId.decision.id }, { id: bySlug.decision.id }],
    })
    expect(existsSync(join(repo.ticketsDir, 'A.json'))).toBe(false)
    expect(() => plan.add({ id: 'a', title: 'x' })).toThrow(expect.objectContaining({ code: 'ticket_exists' }))
  })

  it('are found by a plan whose index has them at another path', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    expect(plan.show('A').ticket.id).toBe('A')
    mkdirSync(join(repo.ticketsDir, 'done'))
    renameSync(join(repo.root, path), join(repo.ticketsDir, 'done', 'A.json'))
    plan.record({ ticket: 'A', kind: 'note', reason: 'x' })
    expect(readTicketJson(repo.root, 'tickets/done/A.json').decisions).toHaveLength(1)
    expect(existsSync(join(repo.root, path))).toBe(false)
  })

  it.each([
    ['the same id in two folders', 'A', 'sub'],
    ['ids that differ only in case', 'a', 'sub'],
  ])('%s are both quarantined, and both files are kept', (_, second, folder) => {
    using repo = temporaryRepository()
    const paths = [putTicket(repo.root, 'A'), putTicket(repo.root, second, {}, folder)]
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    expect(plan.queue().problems).toEqual(
      paths.map(path => expect.objectContaining({ path, message: expect.stringContaining('another file') })),
    )
    for (const ticket of ['A', second])
      expect(() => plan.record({ ticket, kind: 'note', reason: 'x' })).toThrow(
        expect.objectContaining({ code: 'invalid_file', data: expect.objectContaining({ refusal: 'duplicate_id' }) }),
      )
    rmSync(join(repo.root, paths[1]!))
    expect(plan.record({ ticket: 'A', kind: 'note', reason: 'x' }).created).toBe(true)
    expect(plan.queue().problems).toEqual([])
  })
})

describe('in the place of a Ticket', () => {
  it('a link is not followed, wherever it points', () => {
    using repo = temporaryRepository()
    using outside = temporaryFolder()
    const secret = join(outside.path, 'secret.json')
    writeFileSync(secret, encodeTicket(makeTicket('A', { title: 'secret' })))
    const path = join(repo.ticketsDir, 'A.json')
    for (const target of [secret, join(outside.path, 'nowhere'), '/dev/zero', path]) {
      symlinkSync(target, path)
      expectQuarantined(repo, 'tickets/A.json', 'symbolic_link')
      expect(readlinkSync(path)).toBe(target)
      rmSync(path)
    }
    expect(readFileSync(secret, 'utf8')).toContain('secret')
  })

  it('a link to a folder is not followed either', () => {
    using repo = temporaryRepository()
    using outside = temporaryRepository()
    putTicket(outside.root, 'A')
    symlinkSync(outside.ticketsDir, join(repo.ticketsDir, 'linked'))
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    expect(plan.verify()).toMatchObject({ ok: false, checked: { tickets: 0 } })
    expect(plan.queue().problems).toMatchObject([{ path: 'tickets/linked' }])
    expect(() => plan.show('A')).toThrow(expect.objectContaining({ code: 'unknown_ticket' }))
  })

  it('a folder that has become a link removes its Tickets from an open plan', () => {
    using repo = temporaryRepository()
    using outside = temporaryFolder()
    putTicket(repo.root, 'A', { title: 'ours' }, 'deep/er')
    const store = openStore({ root: repo.root, actor: 'tester' })
    const titleOfA = () => store.read(({ queries }) => queries.ticket('A')?.title)
    expect(titleOfA()).toBe('ours')
    renameSync(join(repo.ticketsDir, 'deep'), join(outside.path, 'deep'))
    symlinkSync(join(outside.path, 'deep'), join(repo.ticketsDir, 'deep'))
    writeFileSync(join(outside.path, 'deep', 'er', 'A.json'), encodeTicket(makeTicket('A', { title: 'theirs' })))
    expect(findTicketFile(repo.root, 'tickets/deep/er/A.json')).toBeUndefined()
    expect(titleOfA()).toBeUndefined()
    expect(store.index.findMismatch()).toBeNull()
    expect(() => store.getFile('A')).toThrow(expect.objectContaining({ code: 'unknown_ticket' }))
    store.close()
  })

  it('a FIFO does not block', () => {
    using repo = temporaryRepository()
    execFileSync('mkfifo', [join(repo.ticketsDir, 'A.json')])
    expectQuarantined(repo, 'tickets/A.json', 'not_a_regular_file')
  })

  it('a socket is not opened', async () => {
    using repo = temporaryRepository()
    const { createServer } = await import('node:net')
    const server = createServer()
    await new Promise<void>(resolve => server.listen(join(repo.ticketsDir, 'A.json'), resolve))
    expectQuarantined(repo, 'tickets/A.json', 'not_a_regular_file')
    await new Promise(resolve => server.close(resolve))
  })

  it('a device is not read', ({ skip }) => {
    using repo = temporaryRepository()
    const path = join(repo.ticketsDir, 'A.json')
    try {
      execFileSync('mknod', [path, 'c', '1', '5'], { stdio: 'ignore' })
    } catch {
      skip('only root can make a device')
    }
    expectQuarantined(repo, 'tickets/A.json', 'not_a_regular_file')
  })

  it('a folder is not a Ticket, and neither are the files in it', () => {
    using repo = temporaryRepository()
    mkdirSync(join(repo.ticketsDir, 'A.json'))
    putTicket(repo.root, 'B', {}, 'A.json')
    expectQuarantined(repo, 'tickets/A.json', 'not_a_regular_file')
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    expect(() => plan.show('B')).toThrow(expect.objectContaining({ code: 'unknown_ticket' }))
  })

  it('a file of 1 GB is not read', () => {
    using repo = temporaryRepository()
    const path = join(repo.ticketsDir, 'A.json')
    writeFileSync(path, '')
    truncateSync(path, 2 ** 30)
    expectQuarantined(repo, 'tickets/A.json', 'too_large')
  })

  it('a file just above the limit is refused, one at the limit is read', () => {
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    appendFileSync(join(repo.root, path), ' '.repeat(1024 * 1024 - statSync(join(repo.root, path)).size))
    expect(read(repo.root, path).canonical).toBe(false)
    appendFileSync(join(repo.root, path), ' ')
    expectQuarantined(repo, path, 'too_large')
  })

  it('a file without permission is quarantined', ({ skip }) => {
    const obstacle = permissionObstacle()
    skip(obstacle !== null, `${obstacle} (permissions.slow.test.ts runs as another user)`)
    using repo = temporaryRepository()
    const path = putTicket(repo.root, 'A')
    chmodSync(join(repo.root, path), 0o000)
    expectQuarantined(repo, path, 'unreadable')
  })

  const broken: [RefusalCode, string | Buffer][] = [
    ['syntax', ''],
    ['syntax', '{"format": 1,'],
    ['invalid_utf8', Buffer.concat([Buffer.from('{"title":"'), Buffer.from([0xff]), Buffer.from('"}')])],
    ['bom', '\ufeff{}'],
    ['duplicate_key', '{"id":"A","id":"A"}'],
    ['proto_key', '{"__proto__":{}}'],
    ['lone_surrogate', '{"title":"\\ud800"}'],
    ['number', '{"n":9007199254740993}'],
    ['too_deep', '['.repeat(100_000)],
    ['schema', '{"format":1,"id":"A","title":5,"state":"open"}'],
    ['id_mismatch', encodeTicket(makeTicket('B'))],
    ['conflict_markers', '{\n<<<<<<< ours\n"a": 1\n=======\n"a": 2\n>>>>>>> theirs\n}\n'],
  ]
  it.each(broken)('a text that is refused with %s is unchanged', (code, content) => {
    using repo = temporaryRepository()
    const path = join(repo.ticketsDir, 'A.json')
    writeFileSync(path, content)
    expectQuarantined(repo, 'tickets/A.json', code)
    expect(readFileSync(path).equals(Buffer.from(content))).toBe(true)
  })

  it('the message names the place', () => {
    using repo = temporaryRepository()
    writeFileSync(join(repo.ticketsDir, 'A.json'), '{\n  "format": 1,\n  "id": "A",\n  "id": "A"\n}\n')
    using plan = openPlan({ root: repo.root, actor: 'tester' })
    expect(() => plan.record({ ticket: 'A', kind: 'note', reason: 'x' })).toThrow(
      /^tickets\/A\.json:4:3: duplicate key "id"; the file is unchanged; fix it by hand or restore it with git/,
    )
  })
})
