/**
 * A repository that an attacker has written, git's own folder included, as when an archive is unpacked: every program that
 * its configuration, hooks, attributes and history name leaves a trace, and so does every path that leads out of it.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Decision } from './model/decision.ts'
import { asDecision } from './test-support/loose-decision.ts'
import { type Run, runCli } from './test-support/run-cli.ts'
import { putTicket, runGit, temporaryFolder, temporaryRepository } from './test-support/temporary-repository.ts'

const HOOKS = [
  'post-checkout',
  'post-commit',
  'post-index-change',
  'post-merge',
  'post-rewrite',
  'pre-commit',
  'fsmonitor-watchman',
  'reference-transaction',
]
/** Keys of git's configuration whose value is a program. */
const PROGRAMS = [
  'core.fsmonitor',
  'core.pager',
  'core.editor',
  'core.sshCommand',
  'core.askPass',
  'core.gitProxy',
  'core.alternateRefsCommand',
  'credential.helper',
  'diff.external',
  'diff.evil.textconv',
  'diff.evil.command',
  'filter.evil.clean',
  'filter.evil.smudge',
  'filter.evil.process',
  'gpg.program',
  'hook.evil.command', // of the events in HOOKS, from git 2.54 on
  'interactive.diffFilter',
  'merge.evil.driver',
  'pager.log',
  'pager.diff',
  'remote.origin.uploadpack',
  'remote.origin.vcs',
  'sequence.editor',
  'trailer.evil.command',
  'uploadpack.packObjectsHook',
  'alias.rev-parse',
]
const READS = [
  ['queue'],
  ['queue', '--json'],
  ['brief'],
  ['consult', 'A'],
  ['show', 'A'],
  ['show', 'B'],
  ['list'],
  ['relations'],
  ['graph'],
  ['log'],
  ['claims'],
  ['overview'],
  ['scope', 'A', '--diff', 'HEAD~1'],
  ['sql', 'select * from tickets'],
  ['db'],
  ['export', 'json'],
  ['export', 'mermaid'],
  ['export', 'html'],
  ['verify'],
  ['verify', '--since', 'HEAD~1'],
  ['verify', '--staged'],
  ['doctor'],
  ['sync'],
  ['rebuild'],
]
const WRITES = [
  ['add', 'N', '--title', 'n', '--state', 'queued'],
  ['record', 'A', 'note', '--reason', 'x'],
  ['set', 'A', '--title', 'other'],
  ['accept', 'N', '--holder', 'pod'],
  ['undo'],
  ['resolve'],
  ['init'],
]

interface Hostile extends Disposable {
  root: string
  /** Beside the repository: what must stay as it is. */
  outside: string
  /** The attacker's program, which hooks are links to. */
  program: string
  /** What the attacker's programs have written; empty where none ran. */
  traces(): string
}

function hostileRepository(): Hostile {
  const folder = temporaryFolder()
  const repository = temporaryRepository()
  const { root } = repository
  const [program, trace, outside] = ['program', 'trace', 'outside'].map(name => join(folder.path, name)) as [
    string,
    string,
    string,
  ]
  mkdirSync(outside)
  writeFileSync(join(outside, 'secret.json'), '{"secret":"of the user"}\n')
  writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> '${trace}'\nexit 1\n`)
  chmodSync(program, 0o755)
  putTicket(root, 'A', { state: 'queued' })
  putTicket(root, 'B', { title: STEERING, state: 'queued', decisions: steeringDecisions() })
  for (const name of [`${STEERING}.json`, 'n\nTickets: none.json']) writeFileSync(join(root, 'tickets', name), '{}\n')
  mkdirSync(join(root, 'tickets', STEERING))
  writeFileSync(join(root, 'tickets', STEERING, 'C.json'), `{"${STEERING}`)
  runGit(root, 'add', '--all')
  runGit(root, 'commit', '--quiet', '--message', 'first')
  putTicket(root, 'A', { state: 'queued', title: 'changed' })
  runGit(root, 'commit', '--quiet', '--all', '--message', 'second')
  signHead(root)
  writeFileSync(join(root, '.gitattributes'), '* filter=evil diff=evil merge=evil\n')
  mkdirSync(join(root, '.git', 'hooks'), { recursive: true })
  for (const hook of HOOKS) symlinkSync(program, join(root, '.git', 'hooks', hook))
  for (const key of PROGRAMS) runGit(root, 'config', key, key.startsWith('alias.') ? `!${program}` : program)
  for (const hook of HOOKS) runGit(root, 'config', '--add', 'hook.evil.event', hook)
  runGit(root, 'config', 'log.showSignature', 'true')
  runGit(root, 'config', 'remote.origin.url', `ext::${program}`)
  runGit(root, 'config', 'extensions.partialClone', 'origin')
  runGit(root, 'config', 'remote.origin.promisor', 'true')
  return {
    root,
    outside,
    program,
    traces: () => (existsSync(trace) ? readFileSync(trace, 'utf8') : ''),
    [Symbol.dispose]() {
      folder[Symbol.dispose]()
      repository[Symbol.dispose]()
    },
  }
}

/** Gives the last commit a signature, which git checks with the program that the configuration names. */
function signHead(root: string): void {
  const commit = runGit(root, 'cat-file', 'commit', 'HEAD')
  const signature = 'gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----\n'
  const signed = commit.replace(/\n\n/, `\n${signature}\n`)
  const hash = ['-C', root, 'hash-object', '-t', 'commit', '-w', '--stdin']
  const id = execFileSync('git', hash, { input: signed, encoding: 'utf8' }).trim()
  runGit(root, 'update-ref', 'HEAD', id)
}

/** Names a window, clears the screen, reverses what follows, and begins a line of its own. */
const STEERING = '\u202e\u001b]0;owned\u0007\u001b[2J\nTickets: none'
/** Characters that move the cursor or change the order of text, and a line that is not the program's. */
const STEERS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|^Tickets: none/m

/** Decisions with that text wherever a decision may have text. */
function steeringDecisions(): Decision[] {
  const texts = [
    { kind: 'hold' },
    { kind: 'note' },
    { kind: 'touches', paths: ['src/**'] },
    { kind: 'blocked_by', target: 'A' },
    { kind: `x${STEERING}`, target: 'A' },
  ]
  return texts.map((fields, n) => {
    const id = `01JX8Z3V7Q4T9K2M5N6P7R8S0${n}`
    return asDecision({ at: '2026-06-08T11:30:00.000Z', by: 'x', id, reason: STEERING, ...fields })
  })
}

test('git itself runs programs of the attacker in that repository', () => {
  for (const command of [['status'], ['log', '--oneline'], ['commit', '--all', '--message', 'third']]) {
    using hostile = hostileRepository()
    try {
      runGit(hostile.root, ...command)
    } catch {
      // What they print or return can end git.
    }
    expect(hostile.traces(), command.join(' ')).not.toBe('')
  }
})

describe('in a hostile repository', () => {
  test('no command runs a program of the repository, and none prints what steers a terminal', async () => {
    using hostile = hostileRepository()
    for (const command of [...READS, ...WRITES]) {
      const run = await runCli(hostile.root, command)
      expect(hostile.traces(), command.join(' ')).toBe('')
      expect(run.signal, command.join(' ')).toBeNull()
      expect([0, 3, 4], `${command.join(' ')}: ${run.stderr}`).toContain(run.status)
      if (command[0] !== 'export') expect(run.stdout + run.stderr, command.join(' ')).not.toMatch(STEERS)
    }
  })

  test('nothing outside of it is read into an answer, or changed', async () => {
    using hostile = hostileRepository()
    const { root, outside } = hostile
    const secret = join(outside, 'secret.json')
    symlinkSync(secret, join(root, 'tickets', 'S.json'))
    symlinkSync(outside, join(root, 'tickets', 'deep'))
    symlinkSync(join(outside, 'none.json'), join(root, 'tickets', 'N.json'))
    symlinkSync(secret, join(root, 'data.json'))
    const sources = [
      { system: 'json', path: 'data.json' },
      { system: 'json', path: '../outside/secret.json' },
    ]
    writeFileSync(join(root, 'ticketplan.json'), JSON.stringify({ sources }))
    const before = statSync(secret)
    const program = readFileSync(hostile.program)
    for (const command of [...READS, ...WRITES]) {
      const { stdout, stderr } = await runCli(root, command)
      expect(stdout + stderr, command.join(' ')).not.toContain('of the user')
    }
    expect(readFileSync(hostile.program)).toEqual(program)
    expect(readdirSync(outside)).toEqual(['secret.json'])
    expect(statSync(secret).mtimeMs).toBe(before.mtimeMs)
    expect(hostile.traces()).toBe('')
  })

  test('a source behind a link that leads out is not read unless somebody imports it', async () => {
    using hostile = hostileRepository()
    const { root, outside } = hostile
    const records = '[{"id":"X","title":"of the user","state":"open"}]'
    const config = (path: string) => JSON.stringify({ sources: [{ system: 'json', path }] })
    writeFileSync(join(root, 'inside.json'), records)
    writeFileSync(join(root, 'ticketplan.json'), config('inside.json'))
    expect((await runCli(root, ['doctor'])).stdout).toContain('inside.json')
    writeFileSync(join(outside, 'records.json'), records)
    symlinkSync(join(outside, 'records.json'), join(root, 'linked.json'))
    for (const path of ['linked.json', join(outside, 'records.json')]) {
      writeFileSync(join(root, 'ticketplan.json'), config(path))
      for (const command of [['doctor'], ['sync']]) {
        const { stdout, stderr } = await runCli(root, command)
        expect(stdout + stderr, `${command} ${path}`).not.toContain('records.json')
        expect(stdout + stderr, `${command} ${path}`).not.toContain('linked.json')
      }
    }
  })

  test.each<[string, (path: string) => void]>([
    ['a pipe', path => void execFileSync('mkfifo', [path])],
    ['a link to a device without end', path => symlinkSync('/dev/zero', path)],
    ['a link to itself', path => symlinkSync(path, path)],
    ['a folder', path => mkdirSync(path)],
  ])('%s in the place of a Ticket, of the configuration or of a source ends no command', async (_, put) => {
    for (const place of ['tickets/T.json', 'ticketplan.json', 'data.json']) {
      using hostile = hostileRepository()
      put(join(hostile.root, place))
      if (place === 'data.json')
        writeFileSync(join(hostile.root, 'ticketplan.json'), '{"sources":[{"system":"json","path":"data.json"}]}')
      for (const command of [['queue'], ['sync'], ['doctor']]) {
        const run: Run = await runCli(hostile.root, command, { through: ['timeout', '20'] })
        expect(run, `${place} ${command}`).toMatchObject({ signal: null })
        expect([0, 1, 4], `${place} ${command}: ${run.stderr}`).toContain(run.status)
        expect(run.stderr).not.toContain('internal error')
      }
    }
  })
})
