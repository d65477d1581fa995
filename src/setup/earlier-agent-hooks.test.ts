/** What an earlier version of `init --agents` wrote: taken out, with the bytes of the repository as they were. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findRepository } from '../files/repository.ts'
import { filesOf, initIn, read, undoIn, write } from '../test-support/agent-repository.ts'
import { temporaryRepository } from '../test-support/temporary-repository.ts'
import { EARLIER_BRIEF_COMMAND } from './agent-commands.ts'

describe('what an earlier version put in', () => {
  const group = { hooks: [{ type: 'command', command: EARLIER_BRIEF_COMMAND, timeout: 30 }] }
  const mine = { matcher: 'manual', hooks: [{ type: 'command', command: 'echo mine' }] }

  test('is taken out, others stay: the PreCompact hook of Claude Code, and hooks that print plain text', () => {
    using repo = temporaryRepository()
    const settings = { model: 'x', hooks: { SessionStart: [group, mine], PreCompact: [group, mine], Stop: [mine] } }
    write(repo.root, '.claude/settings.json', JSON.stringify(settings, null, 2))
    write(repo.root, '.codex/hooks.json', JSON.stringify({ hooks: { SessionStart: [group] } }, null, 2))
    initIn(repo.root, 'detected')
    const { hooks, model } = JSON.parse(read(repo.root, '.claude/settings.json'))
    expect(model).toBe('x')
    expect(hooks).toMatchObject({ SessionStart: [{}, mine], PreCompact: [mine], SubagentStart: [{}], Stop: [mine] })
    expect(hooks.SessionStart[0].hooks[0].command).toContain('brief --hook claude')
    const codex = read(repo.root, '.codex/hooks.json')
    expect(codex).toContain('brief --hook codex')
    expect(codex + read(repo.root, '.claude/settings.json')).not.toContain(JSON.stringify(EARLIER_BRIEF_COMMAND))
    expect(initIn(repo.root, 'detected').changed).toEqual([])
  })

  test.each([
    ['a file of the repository', '{\n\t"model": "x",\n\t"hooks": {}\n}', '\n\t\t'],
    ['an empty file', '{}\n', ''],
    ['no file', null, ''],
  ])('leaves no trace after --undo: %s', (_, before, eol) => {
    using repo = temporaryRepository()
    const path = '.claude/settings.json'
    const events = JSON.stringify({ SessionStart: [group], PreCompact: [group] }).slice(1, -1)
    const whole = `${JSON.stringify({ hooks: { SessionStart: [group], PreCompact: [group] } }, null, 2)}\n`
    const added =
      before === null ? whole : before.includes('hooks') ? `${eol}${events}${eol}` : `\n  "hooks": { ${events} }\n`
    const at = before?.includes('hooks') ? before.indexOf('{}') + 1 : 1
    write(repo.root, path, before === null ? whole : before.slice(0, at) + added + before.slice(at))
    const { indexDir } = findRepository(repo.root)
    mkdirSync(indexDir, { recursive: true })
    writeFileSync(join(indexDir, 'init.json'), JSON.stringify({ added: [path], inserted: { [path]: [added] } }))
    initIn(repo.root, ['claude'])
    expect(read(repo.root, path)).not.toContain('PreCompact')
    expect(read(repo.root, path)).toContain('brief --hook claude')
    expect(initIn(repo.root, ['claude']).changed).toEqual([])
    undoIn(repo.root)
    expect(filesOf(repo.root)).toEqual(before === null ? [] : [[path, before]])
  })

  test('is removed by --undo without an upgrade, in a file that was reformatted', () => {
    using repo = temporaryRepository()
    const path = '.claude/settings.json'
    write(repo.root, path, JSON.stringify({ hooks: { SessionStart: [group, mine], PreCompact: [group] } }, null, 3))
    const { indexDir } = findRepository(repo.root)
    mkdirSync(indexDir, { recursive: true })
    const inserted = { [path]: [JSON.stringify({ hooks: { PreCompact: [group] } })] }
    writeFileSync(join(indexDir, 'init.json'), JSON.stringify({ added: [path], inserted }))
    undoIn(repo.root)
    expect(JSON.parse(read(repo.root, path))).toEqual({ hooks: { SessionStart: [mine] } })
  })

  test('an event with nothing else goes as a whole', () => {
    using repo = temporaryRepository()
    write(repo.root, '.claude/settings.json', JSON.stringify({ hooks: { PreCompact: [group] } }, null, 2))
    initIn(repo.root, 'detected')
    const { hooks } = JSON.parse(read(repo.root, '.claude/settings.json'))
    expect(Object.keys(hooks).sort()).toEqual(['SessionStart', 'SubagentStart'])
  })
})
