/** A resident is never needed: whatever is wrong with it, a command answers by itself, without a word about it. */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answeredIn, ask, askUntilAnswered, startResidentProcess } from '../test-support/resident-process.ts'
import { PACKAGE_ROOT, type Run, runCli, startCli } from '../test-support/run-cli.ts'
import { OTHER_USER, otherUserObstacle } from '../test-support/system-abilities.ts'
import {
  putTicket,
  type TemporaryRepository,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { until } from '../test-support/until.ts'
import { CAN_RESIDE, residentFolder } from './place.ts'
import { probeResident } from './probe.ts'
import { MAX_REQUEST_BYTES } from './wire.ts'

const WORDS = ['consult', 'T-1']

function checkout(): TemporaryRepository {
  const repository = temporaryRepository()
  putTicket(repository.root, 'T-1', { state: 'queued' })
  return repository
}

const folderOf = ({ root }: TemporaryRepository) => residentFolder(join(root, '.git'))
const socketOf = (repository: TemporaryRepository) => join(folderOf(repository), 'socket')

function expectOrdinary(run: Run): void {
  expect(run).toMatchObject({ status: 0, stderr: '' })
  expect(run.stdout).toContain('accept')
}

/** Listens as a resident would, and sends these bytes to every client. */
async function impostor(repository: TemporaryRepository, reply: string | null): Promise<AsyncDisposable> {
  mkdirSync(folderOf(repository), { recursive: true, mode: 0o700 })
  const server = createServer(socket => {
    socket.on('error', () => {})
    if (reply !== null) socket.on('data', () => socket.end(reply))
  })
  await new Promise<void>(resolve => server.listen(socketOf(repository), resolve))
  return { [Symbol.asyncDispose]: async () => void server.close() }
}

/** Sends bytes to the resident; resolves with what it answers until it ends the connection. */
function send(repository: TemporaryRepository, bytes: string): Promise<string> {
  return new Promise(resolve => {
    let answer = ''
    const socket = connect(socketOf(repository))
    socket.on('data', data => {
      answer += data
    })
    socket.on('error', () => {}).on('close', () => resolve(answer))
    socket.write(bytes)
  })
}

describe.skipIf(!CAN_RESIDE)('a command runs by itself', () => {
  test.each([
    ['a killed resident', 'SIGKILL'],
    ['a stopped resident', 'SIGSTOP'],
  ] as const)('beside %s', async (_, signal) => {
    using repository = checkout()
    using resident = await startResidentProcess(repository.root)
    await askUntilAnswered(repository.root, WORDS)
    resident.child.process.kill(signal)
    if (signal === 'SIGKILL') await resident.child.ended
    expect(existsSync(socketOf(repository))).toBe(true)
    expectOrdinary(await runCli(repository.root, WORDS))
    const doctor = await runCli(repository.root, ['doctor'])
    expect(doctor.stdout).toMatch(signal === 'SIGKILL' ? /resident +none answers/ : /resident +one has the socket and/)
  })

  test.each([
    ['nothing', ''],
    ['silence', null],
    ['garbage', 'hello\n'],
    ['half of an answer', '.{"status":0,"writes":[[1,"fal'],
    ['an answer of another form', '.{"status":0,"writes":[[3,"false"]]}'],
    ['a status that is none', '.{"status":"0","writes":[]}'],
    ['only the first byte', '.'],
  ])('where the answer is %s', async (_, reply) => {
    using repository = checkout()
    await using _server = await impostor(repository, reply)
    expectOrdinary(await runCli(repository.root, WORDS))
  })

  test('where the socket is a file, or its folder is open to others, a link, or missing', async () => {
    using repository = checkout()
    const folder = folderOf(repository)
    expectOrdinary(await runCli(repository.root, WORDS))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(socketOf(repository), 'x')
    expectOrdinary(await runCli(repository.root, WORDS))
    rmSync(socketOf(repository))
    await using _server = await impostor(repository, '.{"status":3,"writes":[[1,"from the impostor"]]}')
    expect((await runCli(repository.root, WORDS)).stdout).toBe('from the impostor')
    chmodSync(folder, 0o755)
    expectOrdinary(await runCli(repository.root, WORDS))
    chmodSync(folder, 0o700)
    renameSync(folder, `${folder}.moved`)
    symlinkSync(`${folder}.moved`, folder)
    expectOrdinary(await runCli(repository.root, WORDS))
  })

  test('with another build of the program', async () => {
    using repository = checkout()
    using resident = await startResidentProcess(repository.root)
    using other = temporaryFolder()
    copyFileSync(join(PACKAGE_ROOT, 'dist', 'main.cjs'), join(other.path, 'main.cjs'))
    await askUntilAnswered(repository.root, WORDS)
    const answered = resident.answered()
    expect(await ask(repository.root, WORDS, other.path)).toBeUndefined()
    expect(resident.answered()).toBe(answered)
  })

  test('with --no-resident, with TICKETPLAN_NO_RESIDENT, and to write', async () => {
    using repository = checkout()
    using resident = await startResidentProcess(repository.root)
    await askUntilAnswered(repository.root, WORDS)
    const answered = resident.answered()
    expectOrdinary(await runCli(repository.root, [...WORDS, '--no-resident']))
    expectOrdinary(await runCli(repository.root, WORDS, { env: { TICKETPLAN_NO_RESIDENT: '1' } }))
    expect((await runCli(repository.root, ['record', 'T-1', 'note', '--reason', 'consult'])).status).toBe(0)
    expect((await runCli(repository.root, ['sql', 'select 1'])).status).toBe(0)
    expect(resident.answered()).toBe(answered)
  })

  test.skipIf(otherUserObstacle() !== null)('for another user, who cannot reach the socket', async () => {
    using repository = checkout()
    for (const path of [repository.root, join(repository.root, '.git')]) chmodSync(path, 0o755)
    using resident = await startResidentProcess(repository.root)
    await askUntilAnswered(repository.root, WORDS)
    const answered = resident.answered()
    expect(lstatSync(folderOf(repository)).mode & 0o777).toBe(0o700)
    expect(lstatSync(socketOf(repository)).mode & 0o777).toBe(0o600)
    const run = await runCli(repository.root, WORDS, { uid: OTHER_USER })
    expect(run.status).not.toBeNull()
    expect(resident.answered()).toBe(answered)
  })

  test('where the plan has moved, or its git folder was copied', async () => {
    using repository = checkout()
    using resident = await startResidentProcess(repository.root)
    await askUntilAnswered(repository.root, WORDS)
    using other = temporaryFolder()
    cpSync(join(repository.root, 'tickets'), join(other.path, 'tickets'), { recursive: true })
    writeFileSync(join(other.path, '.git'), `gitdir: ${join(repository.root, '.git')}\n`)
    putTicket(other.path, 'T-1', { state: 'done' })
    const answered = resident.answered()
    expect((await runCli(other.path, WORDS)).stdout).toContain('not_queued')
    expect(resident.answered()).toBe(answered)
  })
})

describe.skipIf(!CAN_RESIDE)('a resident', () => {
  test('takes no request that is too large, broken or slow to arrive, and answers the next one', async () => {
    using repository = checkout()
    using resident = await startResidentProcess(repository.root)
    expect(await send(repository, 'x'.repeat(MAX_REQUEST_BYTES * 3))).toBe('')
    expect(await send(repository, 'no JSON\n')).toBe('')
    expect(await send(repository, '{"words":["consult"]}\n')).toBe('')
    expect(await send(repository, '{"half":')).toBe('')
    const many = Array.from({ length: 100 }, () => send(repository, '{"ping":true}\n'))
    expect((await Promise.all(many)).filter(Boolean).length).toBeGreaterThan(0)
    expect((await askUntilAnswered(repository.root, WORDS)).status).toBe(0)
    expect(await ask(repository.root, ['show', 'x'.repeat(MAX_REQUEST_BYTES)])).toBeUndefined()
    expect(resident.child.stderr()).not.toContain('error')
  })

  test('gives the socket to the next one when it ends, and removes it at the end', async () => {
    using repository = checkout()
    const pid = () => {
      const residence = probeResident(repository.root)
      return residence.status === 'answers' ? residence.state.pid : undefined
    }
    using first = await startResidentProcess(repository.root)
    using second = await startResidentProcess(repository.root)
    expect(pid()).toBe(first.child.process.pid)
    first.child.process.kill('SIGKILL')
    await until('the second one answers', () => pid() === second.child.process.pid)
    expect((await askUntilAnswered(repository.root, WORDS)).status).toBe(0)
    second.child.process.kill('SIGTERM')
    expect((await second.child.ended).status).toBe(0)
    expect(existsSync(socketOf(repository))).toBe(false)
  })

  test('is not started with --no-resident', async () => {
    using repository = checkout()
    const child = startCli(repository.root, ['watch', '--no-resident'])
    await until('it watches', () => child.stderr().includes('watching'))
    putTicket(repository.root, 'T-2')
    await child.said(1)
    expect(answeredIn(repository.root)).toBeUndefined()
    child.process.kill('SIGTERM')
    await child.ended
  })

  test('is part of mcp too, and waits there for a plan', async () => {
    using repository = temporaryRepository()
    rmSync(repository.ticketsDir, { recursive: true })
    const child = startCli(repository.root, ['mcp'], { stdin: true })
    await until('mcp runs', () => child.process.pid !== undefined)
    putTicket(repository.root, 'T-1', { state: 'queued' })
    await until('it answers', () => answeredIn(repository.root) !== undefined)
    expect((await askUntilAnswered(repository.root, WORDS)).status).toBe(0)
    child.process.stdin!.end()
    expect((await child.ended).status).toBe(0)
    expect(existsSync(socketOf(repository))).toBe(false)
  })

  test('has a socket however long the path of the worktree is', async () => {
    using repository = temporaryRepository()
    const root = join(repository.root, 'x'.repeat(100), 'y'.repeat(100))
    mkdirSync(join(root, '.git', 'objects'), { recursive: true })
    cpSync(join(repository.root, '.git'), join(root, '.git'), { recursive: true })
    putTicket(root, 'T-1', { state: 'queued' })
    using resident = await startResidentProcess(root)
    expect((await askUntilAnswered(root, WORDS)).status).toBe(0)
    expect(resident.answered()).toBe(1)
  })
})
