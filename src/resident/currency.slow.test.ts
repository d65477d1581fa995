/** No answer of a resident is stale: whatever was written before a question, its answer is that of a command that reads all files. */
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { prepareCommand } from '../cli/answer-request.ts'
import { encodeTicket } from '../model/canonical-json.ts'
import type { Ticket } from '../model/ticket.ts'
import { openPlan, type Plan } from '../sdk.ts'
import { openStore } from '../store/store.ts'
import { randomNumbers } from '../test-support/random-numbers.ts'
import { ask, askUntilAnswered, startResidentProcess } from '../test-support/resident-process.ts'
import {
  makeTicket,
  putTicket,
  replaceTicket,
  runGit,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'
import { CAN_RESIDE } from './place.ts'
import type { ResidentAnswer } from './wire.ts'

const IDS = ['T-1', 'T-2', 'T-3', 'T-4', 'T-5', 'T-6']
const STATES = ['queued', 'open', 'in_progress', 'done', 'Strange']

/** Answers as a command of its own: with a store that has just been opened, and checks all files. */
async function answerAlone(root: string, words: string[]): Promise<ResidentAnswer> {
  const terminal = { isTerminal: false, hasColours: false }
  const command = await prepareCommand({ identity: '', words: ['-C', root, ...words], folder: root, terminal })
  return command!.run((_session, notify, action) => {
    const store = openStore({ root, onNotice: notify })
    try {
      return action(store)
    } finally {
      store.close()
    }
  })!
}

/** What programs do to the files, the claims and git between two questions. */
function randomChange(root: string, plan: Plan, next: (bound: number) => number): string {
  const pick = <T>(list: readonly T[]): T => list[next(list.length)]!
  const id = pick(IDS)
  const file = join(root, 'tickets', `${id}.json`)
  const conflict = (other: string) => ({
    at: '2026-06-08T11:00:00.000Z',
    by: 'writer',
    id: `01JX${String(next(1e9)).padStart(22, '0')}`,
    kind: 'conflicts_with',
    reason: 'r',
    target: other,
  })
  const ticket = (): Ticket =>
    makeTicket(id, {
      state: pick(STATES),
      slug: pick(['slug-a', `slug-${id.toLowerCase()}`]),
      decisions: next(2) ? [conflict(pick(IDS.filter(other => other !== id)))] : [],
    } as Partial<Ticket>)
  const changes: Record<string, () => void> = {
    overwrite: () => writeFileSync(file, encodeTicket(ticket())),
    'overwrite in two steps': () => {
      writeFileSync(file, '{')
      writeFileSync(file, encodeTicket(ticket()))
    },
    'write half a file': () => writeFileSync(file, encodeTicket(ticket()).slice(0, 60)),
    replace: () => replaceTicket(root, id, ticket()),
    remove: () => rmSync(file, { force: true }),
    'keep the times': () => {
      writeFileSync(file, encodeTicket(ticket()))
      utimesSync(file, 1_700_000_000, 1_700_000_000)
    },
    'move into a folder': () => {
      mkdirSync(join(root, 'tickets', 'deeper'), { recursive: true })
      putTicket(root, id, {}, '')
      renameSync(file, join(root, 'tickets', 'deeper', `${id}.json`))
    },
    'overwrite in the folder': () => {
      rmSync(file, { force: true })
      putTicket(root, id, { state: pick(STATES) }, 'deeper')
    },
    'remove the folder': () => rmSync(join(root, 'tickets', 'deeper'), { recursive: true, force: true }),
    'replace all folders': () => {
      renameSync(join(root, 'tickets'), join(root, 'old'))
      mkdirSync(join(root, 'tickets'))
      for (const name of readdirSync(join(root, 'old')).slice(0, 4))
        renameSync(join(root, 'old', name), join(root, 'tickets', name))
      rmSync(join(root, 'old'), { recursive: true })
    },
    'a file of another sort': () => {
      rmSync(join(root, 'tickets', 'X.json'), { recursive: true, force: true })
      if (next(2)) mkdirSync(join(root, 'tickets', 'X.json'))
      else writeFileSync(join(root, 'tickets', 'notes.txt'), 'x')
    },
    configure: () =>
      writeFileSync(join(root, 'ticketplan.json'), JSON.stringify({ states: { queued: [pick(['queued', 'open'])] } })),
    permissions: () => {
      putTicket(root, id, ticket())
      chmodSync(file, pick([0o644, 0o600]))
    },
    record: () => void plan.record({ ticket: id, kind: 'note', reason: `note ${next(1000)}` }),
    relate: () => void plan.record({ ticket: id, kind: 'blocked_by', other: pick(IDS), future: true }),
    claim: () => void plan.claim({ ticket: id, holder: pick(['a', 'b']), ttl: 86_400 }),
    release: () => void plan.release({ ticket: id, force: true, reason: 'over' }),
    commit: () => {
      runGit(root, 'add', '-A')
      runGit(root, 'commit', '-qm', 'step', '--allow-empty')
    },
    checkout: () => runGit(root, 'checkout', '-q', '--force', pick(['main', 'side'])),
    'delete the index': () => {
      for (const suffix of ['', '-wal', '-shm'])
        rmSync(join(root, '.git/ticketplan', `index.db${suffix}`), { force: true })
    },
  }
  const name = pick(Object.keys(changes))
  try {
    changes[name]!()
  } catch {
    // Refused, as a relation of a Ticket with itself is: then nothing has changed.
  }
  return `${name} ${id}`
}

async function expectNoStaleAnswer(seed: number, steps: number): Promise<void> {
  using repository = temporaryRepository()
  const { root } = repository
  for (const id of IDS) putTicket(root, id, { state: 'queued' })
  runGit(root, 'add', '-A')
  runGit(root, 'commit', '-qm', 'start')
  runGit(root, 'branch', 'side')
  using resident = await startResidentProcess(root)
  using plan = openPlan({ root, actor: 'writer' })
  const next = randomNumbers(seed)
  const history: string[] = []
  let atOnce = 0
  for (let step = 0; step < steps; step++) {
    for (let left = 1 + next(3); left > 0; left--) history.push(randomChange(root, plan, next))
    const words = [
      ['consult', IDS[next(IDS.length)]!, '--json'],
      ['queue', '--json'],
      ['list', '--json'],
      ['show', 'slug-a', '--json'],
      ['relations', '--status', 'all', '--json'],
      ['log', '--limit', '20', '--json'],
      ['claims', '--json'],
    ][next(7)]!
    const first = await ask(root, words)
    if (first) atOnce++
    const answer = first ?? (await askUntilAnswered(root, words))
    expect(answer, `seed ${seed}, step ${step}: ${words.join(' ')} after ${history.slice(-6).join(', ')}`).toEqual(
      await answerAlone(root, words),
    )
  }
  expect(atOnce).toBeGreaterThan(0)
  expect(resident.child.stderr()).not.toContain('internal')
}

describe.skipIf(!CAN_RESIDE)('a resident', () => {
  test.each([1, 2])('gives no stale answer, seed %i', seed => expectNoStaleAnswer(seed, 250))

  test.skipIf(!process.env.TICKETPLAN_LONG)('gives no stale answer in thousands of steps', { timeout: 3_600_000 }, () =>
    expectNoStaleAnswer(Date.now() % 1e6, 5000),
  )

  test('notices that a folder above the tickets folder was replaced, of which it gets no event', async () => {
    using repository = temporaryRepository()
    const { root } = repository
    writeFileSync(join(root, 'ticketplan.json'), '{"ticketsDir":"plan/tickets"}')
    const put = (id: string, plan: string) => {
      mkdirSync(join(root, plan, 'tickets'), { recursive: true })
      writeFileSync(join(root, plan, 'tickets', `${id}.json`), encodeTicket(makeTicket(id)))
    }
    put('T-1', 'plan')
    put('T-2', 'other')
    using resident = await startResidentProcess(root)
    const words = ['list', '--json']
    for (let times = 0; times < 4; times++) {
      expect(await askUntilAnswered(root, words)).toEqual(await answerAlone(root, words))
      renameSync(join(root, 'plan'), join(root, 'aside'))
      renameSync(join(root, 'other'), join(root, 'plan'))
      renameSync(join(root, 'aside'), join(root, 'other'))
    }
    expect(resident.answered()).toBe(4)
  })

  test('follows the time: a lease and a hold that end', async () => {
    using repository = temporaryRepository()
    const { root } = repository
    putTicket(root, 'T-1', { state: 'queued' })
    using resident = await startResidentProcess(root)
    using plan = openPlan({ root, actor: 'writer' })
    plan.claim({ ticket: 'T-1', holder: 'a', ttl: 2 })
    expect((await askUntilAnswered(root, ['consult', 'T-1'])).status).toBe(3)
    const deadline = performance.now() + 60_000
    while ((await askUntilAnswered(root, ['consult', 'T-1'])).status === 3)
      expect(performance.now()).toBeLessThan(deadline)
    expect(plan.consult('T-1').verdict).toBe('accept')
    const soon = new Date(Date.now() + 2000).toISOString()
    plan.record({ ticket: 'T-1', kind: 'hold', reason: 'later', notBefore: soon })
    expect((await askUntilAnswered(root, ['consult', 'T-1'])).status).toBe(3)
    while ((await askUntilAnswered(root, ['consult', 'T-1'])).status === 3)
      expect(performance.now()).toBeLessThan(deadline)
    expect(plan.consult('T-1').verdict).toBe('accept')
    expect(resident.answered()).toBeGreaterThan(3)
  })

  test('leaves a sparse checkout to the command itself', async () => {
    using repository = temporaryRepository()
    const { root } = repository
    for (const id of IDS) putTicket(root, id, { state: 'queued' })
    runGit(root, 'add', '-A')
    runGit(root, 'commit', '-qm', 'start')
    using resident = await startResidentProcess(root)
    const words = ['list', '--json']
    expect(await askUntilAnswered(root, words)).toEqual(await answerAlone(root, words))
    const answered = resident.answered()
    runGit(root, 'sparse-checkout', 'set', '--no-cone', '/*', '!/tickets/T-1.json')
    for (let times = 0; times < 5; times++) expect(await ask(root, words)).toBeUndefined()
    expect(resident.answered()).toBe(answered)
    runGit(root, 'sparse-checkout', 'disable')
    rmSync(join(root, '.git/info/sparse-checkout'), { force: true })
    expect(await askUntilAnswered(root, words)).toEqual(await answerAlone(root, words))
  })
})
