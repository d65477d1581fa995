import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { putTicket } from '../test-support/temporary-repository.ts'

const NOW_MS = Date.parse('2026-11-26T12:00:00.000Z')

function plainFolder() {
  const root = mkdtempSync(join(tmpdir(), 'ticketplan-plain-'))
  const open = (notices: string[] = []) =>
    openPlan({ root, actor: 'ann', now: () => NOW_MS, onNotice: text => notices.push(text) })
  {
    using plan = open()
    plan.init()
  }
  for (const id of ['A', 'B', 'C']) putTicket(root, id, { state: 'queued' })
  return {
    root,
    open,
    gitInit: () => execFileSync('git', ['init', '-q', root]),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

const tokenOf = (answer: { claim: { token?: number } | null }) => answer.claim!.token!

test('claims, log and tokens go into git when the folder becomes a repository, and no token repeats', () => {
  using folder = plainFolder()
  const { root, open } = folder
  let last = 0
  let token = 0
  {
    using plan = open()
    token = tokenOf(plan.claim({ ticket: 'A', holder: 'pod-1' }))
    // Within one second of the clock, so that the clock alone gives the same tokens again.
    for (let n = 0; n < 5; n++) {
      last = tokenOf(plan.claim({ ticket: 'B', holder: 'pod-2' }))
      plan.release({ ticket: 'B', token: last })
    }
  }
  folder.gitInit()
  const notices: string[] = []
  using plan = open(notices)
  expect(plan.claim({ ticket: 'A', holder: 'rival' })).toMatchObject({ refused: 'held' })
  expect(tokenOf(plan.claim({ ticket: 'C', holder: 'pod-3' }))).toBeGreaterThan(last)
  expect(plan.renew({ ticket: 'A', token })).toMatchObject({ claim: { holder: 'pod-1', token } })
  expect(plan.log({ claims: true }).claims).toHaveLength(2 + 10)
  expect(notices).toEqual([expect.stringContaining('2 claims of before')])
  expect(existsSync(join(root, '.ticketplan'))).toBe(false)
  expect(readdirSync(join(root, '.git/ticketplan'))).toContain('before-git')
  expect(plan.doctor().checks.find(({ name }) => name === 'databases from before git')).toMatchObject({ ok: true })
})

test('tokens grow where only the mark of before is left', () => {
  using folder = plainFolder()
  {
    using plan = folder.open()
    plan.claim({ ticket: 'A', holder: 'pod-1' })
  }
  writeFileSync(join(folder.root, '.ticketplan/fencing-token'), '9000000000\n')
  folder.gitInit()
  using plan = folder.open()
  expect(tokenOf(plan.claim({ ticket: 'B', holder: 'pod-2' }))).toBe(9_000_000_001)
})

test('a crash after the copy repeats it without a second lease or a second entry of the log', () => {
  using folder = plainFolder()
  const { root, open } = folder
  {
    using plan = open()
    plan.claim({ ticket: 'A', holder: 'pod-1' })
  }
  cpSync(join(root, '.ticketplan'), join(root, 'copy'), { recursive: true })
  folder.gitInit()
  open()[Symbol.dispose]()
  cpSync(join(root, 'copy'), join(root, '.ticketplan'), { recursive: true })
  using plan = open()
  expect(plan.claims().claims).toHaveLength(1)
  expect(plan.log({ claims: true }).claims).toHaveLength(1)
  expect(readdirSync(join(root, '.git/ticketplan')).filter(name => name.startsWith('before-git'))).toHaveLength(2)
})

test('a process from before git init writes nothing more, and says why', () => {
  using folder = plainFolder()
  using before = folder.open()
  const token = tokenOf(before.claim({ ticket: 'A', holder: 'pod-1' }))
  folder.gitInit()
  expect(() => before.claim({ ticket: 'B', holder: 'pod-2' })).toThrow(/has become a git repository/)
  expect(() => before.set({ ticket: 'B', title: 'x' })).toThrow(/start the process again/)
  using after = folder.open()
  expect(after.renew({ ticket: 'A', token })).toMatchObject({ claim: { token } })
  expect(() => before.renew({ ticket: 'A', token })).toThrow(/has become a git repository/)
})

test('a folder that a commit brought says nothing of this clone', () => {
  using folder = plainFolder()
  const { root, open } = folder
  {
    using plan = open()
    plan.claim({ ticket: 'A', holder: 'foreign' })
  }
  folder.gitInit()
  execFileSync('git', ['-C', root, 'add', '-f', '.ticketplan/local.db'])
  using plan = open()
  expect(plan.claims().claims).toEqual([])
  expect(plan.doctor().checks.find(({ name }) => name === 'databases from before git')).toMatchObject({ ok: false })
})

test('where the claims cannot be read none is taken, and reading goes on', () => {
  using folder = plainFolder()
  const { root, open } = folder
  {
    using plan = open()
    plan.claim({ ticket: 'A', holder: 'pod-1' })
  }
  rmSync(join(root, '.ticketplan/write-lock'))
  writeFileSync(join(root, '.ticketplan/write-lock'), 'no database, and long enough for one'.repeat(100))
  folder.gitInit()
  using plan = open()
  expect(plan.queue().queue).toHaveLength(3)
  expect(() => plan.claim({ ticket: 'B', holder: 'pod-2' })).toThrow(/nothing is claimed until they are/)
})

test('init --undo removes what init added before git, too', () => {
  using folder = plainFolder()
  const { root, open } = folder
  {
    using plan = open()
    plan.claim({ ticket: 'A', holder: 'pod-1' })
  }
  folder.gitInit()
  using plan = open()
  plan.init()
  plan.init({ undo: true })
  expect(readdirSync(root).sort()).toEqual(['.git', 'tickets'])
  expect(readdirSync(join(root, 'tickets')).sort()).toEqual(['A.json', 'B.json', 'C.json'])
})
