import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { temporaryRepository } from '../test-support/temporary-repository.ts'
import {
  CHECK_HOOK,
  callsTicketplan,
  hasMarks,
  isShellScript,
  lineByHand,
  newHook,
  SYNC_HOOKS,
  withBlock,
  withoutBlock,
} from './hook-block.ts'

const HOOKS = [...SYNC_HOOKS, CHECK_HOOK] as const

describe('the block', () => {
  it.each([
    '#!/bin/sh\n',
    '#!/bin/sh\n\n',
    '#!/bin/sh',
    '#!/bin/bash\nset -e\necho one\nexit 0\n',
    '#!/bin/bash\nexec other "$@"',
    '#!/bin/sh\r\necho a\r\n',
    'echo without a first line\n',
    '',
  ])('is added to %j once, and removed again', text => {
    for (const hook of HOOKS) {
      const added = withBlock(text, hook)!
      expect(hasMarks(added) && callsTicketplan(added)).toBe(true)
      expect(withBlock(added, hook)).toBe(added)
      expect(withoutBlock(added)).toBe(text)
    }
  })

  it('follows the first line', () => {
    const [first, second, ...rest] = withBlock('#!/bin/sh\nexec other\n', 'post-merge')!.split('\n')
    expect([first, second, rest.at(-2)]).toEqual(['#!/bin/sh', '# >>> ticketplan init >>>', 'exec other'])
  })

  it('of another version is replaced in place', () => {
    const old = '#!/bin/sh\necho a\n# >>> ticketplan init >>>\nolder\n# <<< ticketplan init <<<\necho b\n'
    const added = withBlock(old, 'post-merge')!
    expect(added).not.toContain('older')
    expect(added).toMatch(/^#!\/bin\/sh\necho a\n# >>> [\s\S]*<<<\necho b\n$/)
    expect(withoutBlock(added)).toBe('#!/bin/sh\necho a\necho b\n')
  })

  it('with one marker missing is not changed', () => {
    for (const text of ['#!/bin/sh\n# >>> ticketplan init >>>\na\n', '#!/bin/sh\na\n# <<< ticketplan init <<<\n']) {
      expect(withBlock(text, 'post-merge')).toBeNull()
      expect(withoutBlock(text)).toBe(text)
    }
  })

  it('is removed together with a hook that init created', () => {
    for (const hook of HOOKS) expect(withoutBlock(newHook(hook))).toBeNull()
    expect(withoutBlock(`${newHook('post-merge')}echo mine\n`)).toBe('#!/bin/sh\n\necho mine\n')
  })

  it('contains no path of this machine', () => {
    for (const hook of HOOKS) expect(newHook(hook)).not.toContain(process.execPath)
  })
})

test.each([
  '#!/bin/sh',
  '#!/usr/bin/env bash\n',
  '#! /bin/dash -e\n',
  '#!/usr/bin/env -S zsh -e\n',
  '#!sh\n',
])('%j is a shell', text => {
  expect(isShellScript(text)).toBe(true)
})
test.each([
  '#!/usr/bin/env node\n',
  '#!/usr/bin/python3\n',
  '#!/bin/fish\n',
  'echo\n',
  '#!/bin/bash5\n',
  '\u007fELF',
  '',
])('%j is not a supported shell', text => {
  expect(isShellScript(text)).toBe(false)
})

describe.each(['sh', 'sh -e', 'sh -eu', 'bash -eu', 'dash -eu'])('run by %s', shell => {
  /** Runs the hook in a repository with the given ticketplan.command. */
  const runHook = (text: string, command: string | null) => {
    using repo = temporaryRepository()
    if (command !== null) spawnSync('git', ['-C', repo.root, 'config', 'ticketplan.command', command])
    writeFileSync(join(repo.root, 'hook'), text)
    const [program, ...flags] = shell.split(' ')
    const run = spawnSync(program!, [...flags, join(repo.root, 'hook')], {
      cwd: repo.root,
      input: 'from git\n',
      encoding: 'utf8',
    })
    return { status: run.status, stdout: run.stdout, stderr: run.stderr }
  }
  const program = (body: string) => {
    const repo = temporaryRepository()
    const path = join(repo.root, "a 'program' %d")
    writeFileSync(path, `#!/bin/sh\n${body}\n`)
    chmodSync(path, 0o755)
    return { word: `'${path.replaceAll("'", "'\\''")}'`, [Symbol.dispose]: () => repo[Symbol.dispose]() }
  }
  const rest = 'cat\nexit 7\n'

  test('without a configuration it prints nothing, and the rest of the hook gets its input and keeps its status', () => {
    for (const hook of HOOKS) {
      const text = withBlock(`#!/bin/sh\n${rest}`, hook)!
      expect(runHook(text, null)).toEqual({ status: 7, stdout: 'from git\n', stderr: '' })
    }
    expect(runHook(`${lineByHand('post-merge')}\n${rest}`, null)).toEqual({
      status: 7,
      stdout: 'from git\n',
      stderr: '',
    })
  })

  test('where the program is missing it prints that, and the rest of the hook runs', () => {
    for (const hook of HOOKS) {
      const text = withBlock(`#!/bin/sh\n${rest}`, hook)!
      for (const command of ["'/no/where/node' '/no/where/cli.js'", "'/bin/sh' '/no/where/cli.js'"]) {
        const run = runHook(text, command)
        expect(run).toMatchObject({ status: 7, stdout: 'from git\n' })
        expect(run.stderr).toContain('is missing; run "ticketplan init" again')
      }
    }
  })

  test('sync: the command runs without input, and its failure does not fail the hook', () => {
    using ok = program('echo "ran $*"; cat')
    using failing = program('echo broken >&2; exit 1')
    for (const text of [withBlock(`#!/bin/sh\n${rest}`, 'post-merge')!, `${lineByHand('post-merge')}\n${rest}`]) {
      expect(runHook(text, ok.word)).toEqual({ status: 7, stdout: 'from git\n', stderr: 'ran sync --quiet\n' })
      expect(runHook(text, failing.word)).toEqual({ status: 7, stdout: 'from git\n', stderr: 'broken\n' })
    }
  })

  test('verify: exit status 4 fails the hook and prints the problems, any other status does not', () => {
    using found = program('echo "found by $*"; exit 4')
    using failing = program('echo broken >&2; exit 1')
    using ok = program('echo fine')
    const text = withBlock(`#!/bin/sh\n${rest}`, CHECK_HOOK)!
    expect(runHook(text, found.word)).toEqual({ status: 1, stdout: '', stderr: 'found by verify --staged\n' })
    expect(runHook(text, failing.word)).toEqual({ status: 7, stdout: 'from git\n', stderr: 'broken\n' })
    expect(runHook(text, ok.word)).toEqual({ status: 7, stdout: 'from git\n', stderr: '' })
    const byHand = `${lineByHand(CHECK_HOOK)}\n${rest}`
    expect(runHook(byHand, found.word)).toMatchObject({ status: 1, stdout: '' })
    expect(runHook(byHand, failing.word)).toMatchObject({ status: 7 })
  })

  test('a command that is not valid shell does not fail the hook', () => {
    for (const hook of HOOKS) expect(runHook(withBlock(`#!/bin/sh\n${rest}`, hook)!, "'half a word").status).toBe(7)
  })
})
