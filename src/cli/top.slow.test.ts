/** `ticketplan top` as a process: once into a pipe, and in a pseudo-terminal that is drawn again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { CLI, cleanEnvironment, jsonOf, runCli } from '../test-support/run-cli.ts'
import { programObstacle } from '../test-support/system-abilities.ts'
import { putTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { until } from '../test-support/until.ts'

test('into a pipe it prints one screen and ends, as with --once', async () => {
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { state: 'queued' })
  const [piped, once] = [await runCli(repository.root, ['top']), await runCli(repository.root, ['top', '--once'])]
  expect(piped).toMatchObject({ status: 0, stderr: '' })
  expect(piped.stdout).toContain('1 may run')
  expect(piped.stdout).not.toContain('\u001b')
  expect(once.stdout).toBe(piped.stdout)
  expect(jsonOf(await runCli(repository.root, ['top', '--json']))).toMatchObject({ counts: { accept: 1 } })
})

const obstacle = programObstacle('script')

describe.skipIf(obstacle)('in a terminal', () => {
  test('a change is drawn, q ends it, and the screen is as before', async () => {
    using repository = temporaryRepository()
    putTicket(repository.root, 'A', { state: 'queued' })
    const command = `stty rows 30 cols 100; '${process.execPath}' '${CLI}' -C '${repository.root}' --actor tester top`
    const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...cleanEnvironment(), TERM: 'xterm' } })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', part => {
      text += part
    })
    await until('it is drawn', () => text.includes('may run'))
    expect(text).toContain('\u001b[?1049h')
    putTicket(repository.root, 'B-77', { state: 'queued' })
    await until('the new Ticket is drawn', () => text.includes('B-77'))
    child.stdin.write('q')
    const [status] = (await once(child, 'close')) as [number]
    expect(status).toBe(0)
    expect(text.trimEnd()).toMatch(/\u001b\[\?25h\u001b\[\?1049l$/)
  })
})
