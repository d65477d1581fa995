import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { git } from '../test-support/git-clones.ts'
import { errorOf, runCli } from '../test-support/run-cli.ts'
import { putTicket, temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'

const EARLY = '2026-06-08T10:00:00.000Z'
const LATE = '2026-06-08T11:00:00.000Z'

/** A clone with T-1 queued, and a linked worktree beside it on a branch of its own. */
function twoWorktrees() {
  const repository = temporaryRepository()
  const { root } = repository
  putTicket(root, 'T-1', { state: 'queued', state_at: EARLY })
  git(root, ['add', '--all'])
  git(root, ['commit', '--quiet', '--message', 'base'])
  const other = join(root, '..', `${root.split('/').at(-1)}-other`)
  git(root, ['worktree', 'add', '--quiet', '-b', 'work', other])
  const consult = (folder: string) => {
    const plan = openPlan({ root: folder, actor: 'tester' })
    const answer = plan.consult('T-1')
    const [queued] = plan.queue().queue
    plan.close()
    return { ...answer, queued }
  }
  return {
    root,
    other,
    consult,
    [Symbol.dispose]() {
      rmSync(other, { recursive: true, force: true })
      repository[Symbol.dispose]()
    },
  }
}

describe('a Ticket that another worktree of the clone has with a later state', () => {
  test.each(['done', 'in_progress', 'wontfix'])('is held here while it is %s there, and there it is not', state => {
    using clone = twoWorktrees()
    putTicket(clone.other, 'T-1', { state, state_at: LATE })
    const { verdict, reasons, queued } = clone.consult(clone.root)
    expect({ verdict, reasons }).toMatchObject({
      verdict: 'hold',
      reasons: [{ code: 'elsewhere', worktree: clone.other, state, state_at: LATE }],
    })
    expect(queued).toMatchObject({ verdict: 'hold', reasons: [{ code: 'elsewhere' }] })
    expect(clone.consult(clone.other).reasons.map(({ code }) => code)).toEqual(['not_queued'])
  })

  test('is held in the linked worktree too, by the main one', () => {
    using clone = twoWorktrees()
    putTicket(clone.root, 'T-1', { state: 'done', state_at: LATE })
    expect(clone.consult(clone.other).reasons).toMatchObject([{ code: 'elsewhere', worktree: clone.root }])
  })

  test.each([
    ['an earlier state', { state: 'in_progress', state_at: '2026-06-08T09:00:00.000Z' }],
    ['a later time of the same phase', { state: 'queued', state_at: LATE }],
    ['an undated open state', { state: 'open' }],
  ])('is not held by %s', (_, fields) => {
    using clone = twoWorktrees()
    putTicket(clone.other, 'T-1', fields)
    expect(clone.consult(clone.root)).toMatchObject({ verdict: 'accept', queued: { verdict: 'accept' } })
  })

  test('is not held by a worktree whose folder is gone', () => {
    using clone = twoWorktrees()
    rmSync(clone.other, { recursive: true })
    expect(clone.consult(clone.root)).toMatchObject({ verdict: 'accept', reasons: [] })
    mkdirSync(clone.other)
    expect(clone.consult(clone.root)).toMatchObject({ verdict: 'accept', reasons: [] })
  })
})

const elsewhere = (worktree: string) => [{ code: 'elsewhere', worktree, state: 'done', state_at: LATE }]

describe('a Ticket that is done in another worktree, which has it at another place', () => {
  test.each<[string, (other: string) => void]>([
    [
      'a subfolder of the tickets folder',
      other => {
        rmSync(join(other, 'tickets/T-1.json'))
        putTicket(other, 'T-1', { state: 'done', state_at: LATE }, 'epic/deep')
      },
    ],
    [
      'a tickets folder of another name',
      other => {
        renameSync(join(other, 'tickets'), join(other, 'plan'))
        writeFileSync(join(other, 'ticketplan.json'), '{"ticketsDir": "plan"}')
      },
    ],
    [
      "git's index only, because the worktree is sparse",
      other => {
        git(other, ['add', '--all'])
        git(other, ['commit', '--quiet', '--message', 'done'])
        git(other, ['sparse-checkout', 'set', 'src'])
        expect(existsSync(join(other, 'tickets'))).toBe(false)
      },
    ],
  ])('%s: it is held here', (_, move) => {
    using clone = twoWorktrees()
    putTicket(clone.other, 'T-1', { state: 'done', state_at: LATE })
    move(clone.other)
    const { reasons, queued } = clone.consult(clone.root)
    expect(reasons).toMatchObject(elsewhere(clone.other))
    expect(queued?.reasons).toMatchObject(elsewhere(clone.other))
  })

  test('the top of the tickets folder, while it is in a subfolder here', () => {
    using clone = twoWorktrees()
    rmSync(join(clone.root, 'tickets/T-1.json'))
    putTicket(clone.root, 'T-1', { state: 'queued', state_at: EARLY }, 'epic')
    putTicket(clone.other, 'T-1', { state: 'done', state_at: LATE })
    expect(clone.consult(clone.root).reasons).toMatchObject(elsewhere(clone.other))
  })

  test('a Ticket that the other worktree does not have is not held, and nothing is warned of', () => {
    using clone = twoWorktrees()
    git(clone.other, ['rm', '--quiet', 'tickets/T-1.json'])
    git(clone.other, ['sparse-checkout', 'set', 'src'])
    expect(clone.consult(clone.root)).toMatchObject({ verdict: 'accept', reasons: [] })
  })
})

describe('a file of another worktree that cannot be read is a warning', () => {
  test.each<[string, string, (other: string) => void]>([
    ['a broken file', 'tickets/T-1.json', other => writeFileSync(join(other, 'tickets/T-1.json'), '<<<<<<< ours')],
    [
      'a broken file that was moved',
      'tickets/epic/T-1.json',
      other => {
        mkdirSync(join(other, 'tickets/epic'))
        rmSync(join(other, 'tickets/T-1.json'))
        writeFileSync(join(other, 'tickets/epic/T-1.json'), '{')
      },
    ],
    [
      'a tickets folder that is a link',
      '/tickets',
      other => {
        renameSync(join(other, 'tickets'), join(other, 'real'))
        symlinkSync('real', join(other, 'tickets'))
      },
    ],
    [
      'a configuration that is broken, where the file is not at the same path',
      '/ticketplan.json',
      other => {
        rmSync(join(other, 'tickets/T-1.json'))
        writeFileSync(join(other, 'ticketplan.json'), '{')
      },
    ],
  ])('%s', (_, path, spoil) => {
    using clone = twoWorktrees()
    spoil(clone.other)
    const { verdict, reasons } = clone.consult(clone.root)
    const whole = path.startsWith('/') ? clone.other + path : path
    const warning = { code: 'elsewhere_unread', severity: 'warn', worktree: clone.other, path: whole }
    expect({ verdict, reasons }).toMatchObject({ verdict: 'accept', reasons: [warning] })
  })
})

describe('a worktree whose branch has no tickets folder', () => {
  const message = (clone: ReturnType<typeof twoWorktrees>, args: string[]) =>
    runCli(clone.other, [...args, '--json']).then(run => errorOf(run))

  test('names the worktree that has one, and does not advise a second folder', async () => {
    using clone = twoWorktrees()
    rmSync(join(clone.other, 'tickets'), { recursive: true })
    using plan = openPlan({ root: clone.root, actor: 'tester' })
    const { token } = plan.accept({ ticket: 'T-1', holder: 'one', plan: { summary: 'x' } }).claim!
    const release = ['release', 'T-1', '--token', String(token)]
    const commands = [['queue'], ['brief'], ['accept', 'T-1', '--holder', 'two'], ['claim', 'T-1', '--holder', 'two']]
    for (const args of [...commands, [...release, '--state', 'done']]) {
      const error = await message(clone, args)
      expect(error.code, args[0]).toBe('not_initialized')
      expect(error.message, args[0]).toContain(`the worktree ${clone.root} has one: name it with -C`)
      expect(error.message).not.toContain('ticketplan init')
    }
    expect((await runCli(clone.other, release)).status).toBe(0)
  })

  test('finds one of another name, and advises init where none has one', async () => {
    using clone = twoWorktrees()
    rmSync(join(clone.other, 'tickets'), { recursive: true })
    renameSync(join(clone.root, 'tickets'), join(clone.root, 'plan'))
    writeFileSync(join(clone.root, 'ticketplan.json'), '{"ticketsDir": "plan"}')
    expect((await message(clone, ['queue'])).message).toContain(`the worktree ${clone.root} has one`)
    rmSync(join(clone.root, 'plan'), { recursive: true })
    expect((await message(clone, ['queue'])).message).toContain('run "ticketplan init" there')
  })
})

describe('the main worktree, where the folder that all share is not called .git', () => {
  /** A submodule, or a repository with a separate git folder, and a linked worktree of it. */
  function clone(kind: 'submodule' | 'sparse submodule' | 'separate git folder', name: string) {
    const folder = temporaryFolder()
    const [source, parent, other] = ['source', 'parent', 'other'].map(one => join(folder.path, one)) as [
      string,
      string,
      string,
    ]
    const main = join(parent, name)
    for (const root of [source, parent]) git(folder.path, ['init', '--quiet', '--initial-branch=main', root])
    putTicket(source, 'T-1', { state: 'queued', state_at: EARLY })
    git(source, ['add', '--all'])
    git(source, ['commit', '--quiet', '--message', 'base'])
    if (kind === 'separate git folder')
      git(parent, ['clone', '--quiet', '--separate-git-dir', join(folder.path, 'store'), source, main])
    else git(parent, ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', source, `./${name}`])
    if (kind === 'sparse submodule') git(main, ['sparse-checkout', 'set', 'tickets'])
    git(main, ['worktree', 'add', '--quiet', '-b', 'work', other])
    putTicket(main, 'T-1', { state: 'done', state_at: LATE })
    const consult = () => {
      using plan = openPlan({ root: other, actor: 'tester' })
      return plan.consult('T-1')
    }
    return { main, consult, [Symbol.dispose]: () => folder[Symbol.dispose]() }
  }

  test.each([
    ['submodule', 'sub'],
    ['sparse submodule', 'sub'],
    ['submodule', ' ;odd #"name\\ '],
  ] as const)('is found for a %s called "%s"', (kind, name) => {
    using repo = clone(kind, name)
    expect(repo.consult().reasons).toMatchObject(elsewhere(repo.main))
  })

  test('is found for a separate git folder once core.worktree is set; git does not know it before', () => {
    using repo = clone('separate git folder', 'main')
    expect(repo.consult()).toMatchObject({ verdict: 'accept', reasons: [] })
    git(repo.main, ['config', 'core.worktree', repo.main])
    expect(repo.consult().reasons).toMatchObject(elsewhere(repo.main))
  })

  test('is none beside a bare repository called .git', () => {
    using folder = temporaryFolder()
    using repo = temporaryRepository()
    putTicket(repo.root, 'T-1', { state: 'queued', state_at: EARLY })
    git(repo.root, ['add', '--all'])
    git(repo.root, ['commit', '--quiet', '--message', 'base'])
    const bare = join(folder.path, '.git')
    git(folder.path, ['clone', '--quiet', '--bare', repo.root, bare])
    git(bare, ['worktree', 'add', '--quiet', '-b', 'work', join(folder.path, 'work')])
    putTicket(folder.path, 'T-1', { state: 'done', state_at: LATE })
    using plan = openPlan({ root: join(folder.path, 'work'), actor: 'tester' })
    expect(plan.consult('T-1')).toMatchObject({ verdict: 'accept', reasons: [] })
  })
})
