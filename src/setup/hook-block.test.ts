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
  ])('goes into %j, once, and out again', text => {
    for (const hook of HOOKS) {
      const added = withBlock(text, hook)!
      expect(hasMarks(added) && callsTicketplan(added)).toBe(true)
      expect(withBlock(added, hook)).toBe(added)
      expect(withoutBlock(added)).toBe(text)
    }
  })

  it('stands right after the first line', () => {
    const [first, second, ...rest] = withBlock('#!/bin/sh\nexec other\n', 'post-merge')!.split('\n')
    expect([first, second, rest.at(-2)]).toEqual(['#!/bin/sh', '# >>> ticketplan init >>>', 'exec other'])
  })

  it('of another version is replaced where it stands', () => {
    const old = '#!/bin/sh\necho a\n# >>> ticketplan init >>>\nolder\n# <<< ticketplan init <<<\necho b\n'
    const added = withBlock(old, 'post-merge')!
    expect(added).not.toContain('older')
    expect(added).toMatch(/^#!\/bin\/sh\necho a\n# >>> [\s\S]*<<<\necho b\n$/)
    expect(withoutBlock(added)).toBe('#!/bin/sh\necho a\necho b\n')
  })

  it('with one mark gone is not touched', () => {
    for (const text of ['#!/bin/sh\n# >>> ticketplan init >>>\na\n', '#!/bin/sh\na\n# <<< ticketplan init <<<\n']) {
      expect(withBlock(text, 'post-merge')).toBeNull()
      expect(withoutBlock(text)).toBe(text)
    }
  })

  it('takes a hook that is ours alone with it', () => {
    for (const hook of HOOKS) expect(withoutBlock(newHook(hook))).toBeNull()
    expect(withoutBlock(`${newHook('post-merge')}echo mine\n`)).toBe('#!/bin/sh\n\necho mine\n')
  })

  it('names no path of this machine', () => {
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
])('%j is none that we know', text => {
  expect(isShellScript(text)).toBe(false)
})

describe.each(['sh', 'sh -e', 'sh -eu', 'bash -eu', 'dash -eu'])('run by %s', shell => {
  /** Runs the hook where ticketplan.command is what is given, followed by a line that says it was reached. */
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

  test('without a configuration it is silent, and what follows gets its input and keeps its status', () => {
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

  test('where the command is gone it says so, and what follows runs', () => {
    for (const hook of HOOKS) {
      const text = withBlock(`#!/bin/sh\n${rest}`, hook)!
      for (const command of ["'/no/where/node' '/no/where/cli.js'", "'/bin/sh' '/no/where/cli.js'"]) {
        const run = runHook(text, command)
        expect(run).toMatchObject({ status: 7, stdout: 'from git\n' })
        expect(run.stderr).toContain('is gone: run "ticketplan init" again')
      }
    }
  })

  test('sync: the command runs with no input, its failure fails nothing', () => {
    using ok = program('echo "ran $*"; cat')
    using failing = program('echo broken >&2; exit 1')
    for (const text of [withBlock(`#!/bin/sh\n${rest}`, 'post-merge')!, `${lineByHand('post-merge')}\n${rest}`]) {
      expect(runHook(text, ok.word)).toEqual({ status: 7, stdout: 'from git\n', stderr: 'ran sync --quiet\n' })
      expect(runHook(text, failing.word)).toEqual({ status: 7, stdout: 'from git\n', stderr: 'broken\n' })
    }
  })

  test('verify: 4 ends the hook with what was found, any other status does not', () => {
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

  test('a command that is no shell text fails nothing', () => {
    for (const hook of HOOKS) expect(runHook(withBlock(`#!/bin/sh\n${rest}`, hook)!, "'half a word").status).toBe(7)
  })
})
