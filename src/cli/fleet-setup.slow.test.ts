/** The set-up of docs/fleet.md, with the commands of the page, on a server of its own. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { postgresForFile, postgresObstacle } from '../test-support/postgres.ts'
import { findBinaries } from '../test-support/postgres-binaries.ts'
import { CLI, cleanEnvironment, jsonOf, PACKAGE_ROOT, runCli } from '../test-support/run-cli.ts'
import {
  commitAll,
  putTicket,
  runGit,
  temporaryFolder,
  temporaryRepository,
} from '../test-support/temporary-repository.ts'

const PAGE = readFileSync(join(PACKAGE_ROOT, 'docs', 'fleet.md'), 'utf8')
const postgres = postgresForFile()

/** Returns the blocks of a section in a language, one after the other. */
function blocks(section: string, language: string): string[] {
  const [, text = ''] = new RegExp(`^## ${section}\n([\\s\\S]*?)(?=^## |(?![\\s\\S]))`, 'm').exec(PAGE) ?? []
  return [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, block]) => block!)
}

/** Returns a function that runs lines of the page in a folder, as a user who has `ticketplan` and `createdb` on the path. */
function shell(folder: string): (cwd: string, script: string) => string {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'ticketplan'), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`)
  chmodSync(join(bin, 'ticketplan'), 0o755)
  const env = {
    ...cleanEnvironment(),
    ...{ PGHOST: '127.0.0.1', PGPORT: String(postgres().port), PGUSER: 'plan_owner', HOME: folder },
    ...{ GIT_AUTHOR_NAME: 'kim', GIT_AUTHOR_EMAIL: 'kim@example.org' },
    ...{ GIT_COMMITTER_NAME: 'kim', GIT_COMMITTER_EMAIL: 'kim@example.org' },
    PATH: `${bin}:${findBinaries()}:${process.env.PATH}`,
  }
  const here = (script: string) =>
    script.replaceAll('db.example.org/', `127.0.0.1:${postgres().port}/`).replaceAll('verify-full', 'disable')
  return (cwd, script) => execFileSync('sh', ['-euc', here(script)], { cwd, env, encoding: 'utf8' })
}

describe.skipIf(postgresObstacle())('the page about fleets', () => {
  test('sets up a fleet of two clones, watches it, and takes it down', async () => {
    const [owner, client] = blocks('Set-up', 'sh')
    const admin = await postgres().connect('postgres')
    await admin.query('create role plan_owner login createdb')
    using folder = temporaryFolder()
    using first = temporaryRepository()
    const run = shell(folder.path)
    putTicket(first.root, 'A', { state: 'queued' })
    commitAll(first.root)

    expect(run(first.root, owner!)).toMatch(/^created the schema on .*\ncreated the fleet shop-\w{26} on /)
    const database = await postgres().connect('plans')
    await database.query(blocks('Roles and privileges', 'sql').join('\n'))
    const second = join(folder.path, 'second')
    runGit(folder.path, 'clone', '--quiet', first.root, second)
    const joined = [first.root, second].map(root => run(root, client!))
    for (const text of joined)
      expect(text).toMatch(/^joined the fleet shop-\w{26} on .*user plan_client; [\s\S]*^claims +0 live/m)

    const take = (root: string) => runCli(root, ['accept', 'A', '--holder', 'pod-1', '--json'])
    expect(jsonOf(await take(first.root))).toMatchObject({ accepted: true })
    expect(jsonOf(await take(second))).toMatchObject({ accepted: false, reasons: [{ code: 'claimed' }] })

    const monitoring = blocks('Monitoring', 'sql')
    expect(monitoring).toHaveLength(2)
    for (const statement of monitoring
      .join('\n')
      .split(';')
      .filter(text => text.trim() !== ''))
      await database.query(statement)
    expect(await database.query('select ticket_id, holder from ticketplan.claims where live')).toEqual([
      { ticket_id: 'A', holder: 'pod-1' },
    ])
    const { fleet } = JSON.parse(readFileSync(join(second, 'ticketplan.json'), 'utf8')) as { fleet: string }
    const [one, all] = blocks('Leaving a fleet', 'sql')[0]!.trim().split('\n')
    await database.query(one!.replace('shop-01…', fleet))
    expect(await database.query('select ticket_id from ticketplan.claims')).toEqual([])
    await database.query(all!)
    for (const connection of [database, admin]) connection.close(1000)
  })
})
