import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandNames, loadCommand } from '../src/cli/commands.ts'
import { TOPICS } from '../src/cli/help-topics.ts'
import { flagName } from '../src/cli/parse-arguments.ts'
import type { Command } from '../src/operations/operation.ts'
import { programObstacle } from '../src/test-support/system-abilities.ts'
import { manPage } from './man-page.ts'

const page = readFileSync(join(import.meta.dirname, '..', 'man', 'ticketplan.1'), 'utf8')

/** The page as a reader sees it, without bold type. */
function rendered(source: string): string {
  const { stdout, stderr, status } = spawnSync('mandoc', ['-Tutf8', '-Owidth=200'], { input: source, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout.replace(/.\u0008/g, '')
}

describe('the manual page', () => {
  test('has every command, argument and option', async () => {
    for (const name of commandNames) {
      const section = page.split(`.SS ticketplan ${name.replaceAll('-', '\\-')}`)[1]!.split(/^\.S[SH] /m)[0]!
      for (const [field, { positional, sdkOnly }] of Object.entries((await loadCommand(name)).fields)) {
        const term = positional ? `<${flagName(field)}>` : `--${flagName(field)}`
        if (!sdkOnly) expect(section, name).toContain(`.TP\n\\fB${term.replaceAll('-', '\\-')}`)
      }
    }
  })

  test('has only the requests that it means, and no bare hyphen', () => {
    for (const line of page.split('\n')) {
      if (/^\.(\\"|TH|SH|SS)/.test(line)) continue
      if (/^[.']/.test(line)) expect(line).toMatch(/^\.(TP|PP|EX|EE|nh|ad l|(RI|I|B|BR) .+|B ticketplan)$/)
      else expect(line.replaceAll('\\-', '')).not.toMatch(/-|\\(?!e|fB|fR|\(aq|\(ga|\(ti|\(ha|&)/)
    }
  })

  const groff = programObstacle('groff')
  test('groff has no warning', ({ skip }) => {
    skip(groff !== null, groff ?? '')
    const run = spawnSync('groff', ['-man', '-ww', '-Tutf8'], { input: page, encoding: 'utf8' })
    expect(run).toMatchObject({ status: 0, stderr: '' })
  })

  const man = programObstacle('man')
  test('man has no warning', ({ skip }) => {
    skip(man !== null, man ?? '')
    const file = join(import.meta.dirname, '..', 'man', 'ticketplan.1')
    const run = spawnSync('man', ['--warnings', '-E', 'UTF-8', '-l', file], {
      env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
      encoding: 'utf8',
    })
    expect(run).toMatchObject({ status: 0, stderr: '' })
  })

  // mandoc has no option that prints its version.
  const mandoc = spawnSync('mandoc', { input: '' }).error ? 'mandoc is not installed' : null
  test('mandoc has no warning but that there is no date', ({ skip }) => {
    skip(mandoc !== null, mandoc ?? '')
    const { stdout } = spawnSync('mandoc', ['-Tlint', '-Wwarning'], { input: page, encoding: 'utf8' })
    const warnings = stdout.split('\n').filter(line => line !== '' && !line.includes('missing date'))
    expect(warnings).toEqual([])
  })

  test('shows texts as they are, whatever they begin with or hold', async ({ skip }) => {
    skip(mandoc !== null, mandoc ?? '')
    const strange = '.so /etc/passwd \\n(.x \'quoted\' `code` -- --option ~/file ^x \\fB "q" C:\\dir .'
    const command = {
      ...((await loadCommand('db')) as unknown as Command),
      name: 'strange',
      summary: strange,
      details: `'begin\n${strange}\n  ${strange}`,
      examples: [strange],
    }
    const text = rendered(manPage('1.2.3-rc.1', new Map([['Strange', [command]]]))).replace(/\s+/g, ' ')
    expect(text.split(strange)).toHaveLength(5)
    expect(text).toContain("'begin")
    expect(text).toContain('ticketplan 1.2.3-rc.1')
  })

  test('has the topics of the help that list something', () => {
    for (const topic of ['kinds', 'verdicts', 'exit-status', 'environment', 'files']) {
      const names = [...TOPICS[topic]!.text(100).matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name!)
      for (const name of names) expect(page, topic).toContain(`.TP\n\\fB${name.replaceAll('-', '\\-')}`)
    }
  })
})
