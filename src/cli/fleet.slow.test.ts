/** `ticketplan fleet` against a server that wants passwords and encrypts; and that no output or file has a password. */
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PASSWORD, passwordFleet } from '../test-support/password-fleet.ts'
import { postgresObstacle, writeCertificate } from '../test-support/postgres.ts'
import { errorOf, jsonOf } from '../test-support/run-cli.ts'
import { commitAll, putTicket, runGit, temporaryFolder } from '../test-support/temporary-repository.ts'

const { postgres, certificate, url, asOwner, cli, runs, repositoryWithFleet } = passwordFleet()

describe.skipIf(postgresObstacle())('ticketplan fleet', () => {
  test('sets a fleet up, joins, shows its status, and leaves', async () => {
    using repository = await repositoryWithFleet()
    const { root } = repository
    const { fleet } = JSON.parse(readFileSync(join(root, 'ticketplan.json'), 'utf8'))
    expect(fleet).toMatch(/^shop-[0-9A-Z]{26}$/)
    const owner = { TICKETPLAN_FLEET_URL: url('plan_owner'), PGPASSWORD: PASSWORD }
    for (const name of [[], ['--name', 'shop']])
      expect(jsonOf(await cli(root, ['fleet', 'init', ...name, '--json'], owner))).toMatchObject({
        fleet,
        created: false,
        written: false,
      })
    expect(errorOf(await cli(root, ['fleet', 'init', '--name', 'sho', '--json'], owner))).toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining(fleet),
    })

    expect(errorOf(await cli(root, ['fleet', 'status', '--json'], owner))).toMatchObject({
      code: 'fleet_not_joined',
      fleet,
    })
    expect((await cli(root, ['doctor'])).stdout).toMatch(/^bad +fleet .*has not joined/m)
    runGit(root, 'config', 'ticketplan.fleetUrl', url('plan_client'))
    const joined = await cli(root, ['fleet', 'join'], { PGPASSWORD: PASSWORD })
    expect(joined.stdout).toMatch(
      /^joined the fleet shop-\w+ on 127\.0\.0\.1:\d+, database plans, user plan_client; this clone is [0-9a-f]{20}$/m,
    )
    const status = await cli(root, ['fleet', 'status', '--json'], { PGPASSWORD: PASSWORD })
    expect(jsonOf(status)).toMatchObject({
      fleet,
      version: 2,
      claims: [],
      log: [],
      differingPools: [],
      server: { user: 'plan_client' },
    })
    expect(Math.abs(jsonOf<{ clockDifferenceMs: number }>(status).clockDifferenceMs)).toBeLessThan(60_000)
    expect((await cli(root, ['doctor'])).stdout).toMatch(new RegExp(`^ok +fleet +${fleet} on 127.0.0.1`, 'm'))

    // The note is enough, in every worktree, also on a branch that names no fleet, and without git's configuration; another server there is refused.
    runGit(root, 'config', '--unset', 'ticketplan.fleetUrl')
    expect(await cli(root, ['fleet', 'status'], { PGPASSWORD: PASSWORD })).toMatchObject({ status: 0 })
    commitAll(root)
    using other = temporaryFolder()
    const worktree = join(other.path, 'worktree')
    runGit(root, 'worktree', 'add', '--quiet', worktree)
    writeFileSync(join(worktree, 'ticketplan.json'), '{}')
    const there = await cli(worktree, ['fleet', 'status', '--json'], { PGPASSWORD: PASSWORD })
    expect(jsonOf(there)).toMatchObject({ fleet, machine: jsonOf<{ machine: string }>(status).machine })
    runGit(root, 'config', 'ticketplan.fleetUrl', url('plan_client').replace('127.0.0.1', 'db.example.org'))
    expect(errorOf(await cli(root, ['fleet', 'status', '--json'], { PGPASSWORD: PASSWORD })).code).toBe('fleet_url')

    expect(await cli(root, ['fleet', 'leave'])).toMatchObject({ status: 0 })
    expect(errorOf(await cli(root, ['fleet', 'leave', '--json'])).code).toBe('fleet_not_joined')
    // A clone on the image of a disk gets an id of its own in this way.
    const again = await cli(root, ['fleet', 'join', '--json'], {
      PGPASSWORD: PASSWORD,
      TICKETPLAN_FLEET_URL: url('plan_client'),
    })
    expect(jsonOf<{ machine: string }>(again).machine).not.toBe(/clone is (\w+)/.exec(joined.stdout)![1])
  })

  test("reads the URL from the user's configuration of git until the clone has joined", async () => {
    using repository = await repositoryWithFleet()
    using home = temporaryFolder()
    const { root } = repository
    const settings = join(home.path, 'gitconfig')
    const env = { PGPASSWORD: PASSWORD, GIT_CONFIG_GLOBAL: settings, GIT_CONFIG_NOSYSTEM: '1' }
    const name = (address: string) => runGit(root, 'config', '--file', settings, 'ticketplan.fleetUrl', address)
    const userOf = async (...args: string[]) => {
      const run = await cli(root, ['fleet', ...args, '--json'], env)
      return run.status === 0 ? jsonOf<{ server: { user: string } }>(run).server.user : errorOf(run).code
    }
    expect(await userOf('join')).toBe('fleet_url')
    name(url('plan_owner'))
    runGit(root, 'config', 'ticketplan.fleetUrl', url('plan_client'))
    expect(await userOf('join')).toBe('plan_client') // that of the clone goes first
    runGit(root, 'config', '--unset', 'ticketplan.fleetUrl')
    expect(await userOf('status')).toBe('plan_client') // the note
    expect(await userOf('migrate')).toBe('plan_owner')
    // Another server, for other clones: this one stays with its own, also where its configuration includes another file.
    name(url('plan_client').replace('127.0.0.1', 'db.example.org'))
    runGit(root, 'config', 'include.path', 'more')
    expect(await userOf('status')).toBe('plan_client')
    expect(await userOf('migrate')).toBe('fleet_url')
    writeFileSync(join(root, '.git', 'more'), `[ticketplan]\n\tfleetUrl = ${url('plan_owner')}\n`)
    expect(await userOf('status')).toBe('plan_owner')
    expect(await userOf('leave')).toBe('plan_client')
    runGit(root, 'config', '--unset', 'include.path')
    name(url('plan_client'))
    expect(await userOf('join')).toBe('plan_client')
  })

  test('takes the password from the URL, PGPASSWORD or ~/.pgpass', async () => {
    using repository = await repositoryWithFleet()
    using home = temporaryFolder()
    const { root } = repository
    writeFileSync(join(home.path, '.pgpass'), `127.0.0.1:*:plans:plan_client:${PASSWORD}\n`, { mode: 0o600 })
    for (const env of [
      { TICKETPLAN_FLEET_URL: url('plan_client', { password: PASSWORD }) },
      { TICKETPLAN_FLEET_URL: url('plan_client'), PGPASSWORD: PASSWORD },
      { TICKETPLAN_FLEET_URL: url('plan_client'), HOME: home.path },
    ])
      expect(await cli(root, ['fleet', 'join'], env)).toMatchObject({ status: 0 })
    expect(await cli(root, ['fleet', 'status'], { HOME: home.path })).toMatchObject({ status: 0 })
  })

  test('uses PGPASSWORD only for a server that a person named or that was joined', async () => {
    using repository = await repositoryWithFleet()
    const { root } = repository
    runGit(root, 'config', 'ticketplan.fleetUrl', url('plan_owner'))
    expect(errorOf(await cli(root, ['fleet', 'migrate', '--json'], { PGPASSWORD: PASSWORD })).code).toBe('fleet_denied')
    expect(await cli(root, ['fleet', 'join'], { PGPASSWORD: PASSWORD })).toMatchObject({ status: 0 })
    expect(await cli(root, ['fleet', 'migrate'], { PGPASSWORD: PASSWORD })).toMatchObject({ status: 0 })
  })

  test('checks the certificate as sslmode says', async () => {
    using repository = await repositoryWithFleet()
    const { root } = repository
    const join = async (parameters: string, env?: NodeJS.ProcessEnv) => {
      const run = await cli(root, ['fleet', 'join', '--json'], {
        TICKETPLAN_FLEET_URL: url('plan_client', { parameters }),
        PGPASSWORD: PASSWORD,
        ...env,
      })
      return run.status === 0 ? 'joined' : errorOf(run).code
    }
    expect(await join('')).toBe('joined') // prefer
    expect(await join('sslmode=require')).toBe('joined')
    expect(await join('sslmode=allow')).toBe('joined') // plain is refused, so encrypted
    expect(await join('sslmode=disable')).toBe('fleet_denied') // pg_hba.conf
    expect(await join('sslmode=verify-full')).toBe('fleet_denied') // no authority that Node trusts
    expect(await join('sslmode=verify-ca')).toBe('fleet_url')
    // A word that is none must not mean a connection that is checked less.
    const words = { 'verify-full': 'fleet_denied', verify_full: 'fleet_url', VERIFY: 'fleet_url', '': 'joined' }
    for (const [PGSSLMODE, outcome] of Object.entries(words))
      expect([PGSSLMODE, await join('', { PGSSLMODE })]).toEqual([PGSSLMODE, outcome])
    expect(await join('sslmode=require', { PGSSLMODE: 'verify-full' })).toBe('joined') // the URL goes first
    expect(await join(`sslmode=verify-ca&sslrootcert=${certificate()}`)).toBe('joined')
    expect(await join(`sslmode=verify-full&sslrootcert=${certificate()}`)).toBe('joined')
    await asOwner('postgres', async sql => {
      writeCertificate(postgres(), 'other.example.org', '10.0.0.1')
      await sql('select pg_reload_conf()')
    })
    expect(await join(`sslmode=verify-full&sslrootcert=${certificate()}`)).toBe('fleet_denied') // another name
    expect(await join(`sslmode=verify-ca&sslrootcert=${certificate()}`)).toBe('joined')
  })

  test('contacts no server from a clone that has not joined, nor from a copy of one that has', async () => {
    using repository = await repositoryWithFleet()
    using copy = temporaryFolder()
    let contacts = 0
    const server = createServer(socket => {
      contacts++
      socket.destroy()
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as { port: number }
    const env = { TICKETPLAN_FLEET_URL: `postgres://kim@127.0.0.1:${port}/plans`, PGPASSWORD: PASSWORD }
    const commands = [
      ['fleet', 'status'],
      ['fleet', 'leave'],
      ['doctor'],
      ['queue'],
      ['claims'],
      ['brief'],
      ['list'],
      ['log'],
      ['sync'],
      ['consult', 'A'],
      ['show', 'A'],
      ['accept', 'A', '--holder', 'pod'],
      ['claim', 'A', '--holder', 'pod'],
      ['renew', 'A', '--token', '1'],
      ['release', 'A', '--token', '1'],
      ['keep', 'A', '--token', '1', '--', 'true'],
      ['wait', 'A', '--timeout', '0'],
      ['overview'],
      ['top', '--once'],
      ['sql', 'select * from claims'],
      ['export', 'svg'],
      ['undo'],
      ['brief', '--hook', 'claude'],
    ]
    putTicket(repository.root, 'A', { state: 'queued' })
    runGit(repository.root, 'config', 'ticketplan.fleetUrl', env.TICKETPLAN_FLEET_URL)
    for (const args of commands) await cli(repository.root, args, env)
    const joinEnv = { TICKETPLAN_FLEET_URL: url('plan_client'), PGPASSWORD: PASSWORD }
    expect(await cli(repository.root, ['fleet', 'join'], joinEnv)).toMatchObject({ status: 0 })
    cpSync(repository.root, join(copy.path, 'clone'), { recursive: true })
    for (const args of commands) await cli(join(copy.path, 'clone'), args, env)
    expect(errorOf(await cli(join(copy.path, 'clone'), ['fleet', 'status', '--json'], env)).code).toBe(
      'fleet_not_joined',
    )
    expect(contacts).toBe(0)
    server.close()
  })

  test('fails in time, with a code and what to do', async () => {
    using repository = await repositoryWithFleet()
    const { root } = repository
    const join = async (address: string) => {
      const run = await cli(root, ['fleet', 'join', '--json'], { TICKETPLAN_FLEET_URL: address, PGPASSWORD: PASSWORD })
      expect(run.status).toBe(1)
      return errorOf(run)
    }
    const closed = url('plan_client').replace(/:\d+\//, ':1/')
    expect(await join(closed)).toMatchObject({ code: 'fleet_unreachable', host: '127.0.0.1', port: 1, sent: false })
    expect(await join(url('plan_client', { password: 'wrong-word' }))).toMatchObject({
      code: 'fleet_denied',
      sqlState: '28P01',
    })
    expect(await join(url('plan_client', { database: 'nowhere' }))).toMatchObject({
      code: 'fleet_failed',
      sqlState: '3D000',
      message: expect.stringMatching(
        /database "nowhere" does not exist; create it with "createdb", or correct the URL$/,
      ),
    })
    expect(await join('mysql://kim@db.example.org/plans')).toMatchObject({
      code: 'fleet_url',
      source: 'TICKETPLAN_FLEET_URL',
    })
    for (const bad of [
      `postgres://kim:${PASSWORD}@one,two/plans`,
      `postgres://kim:${PASSWORD}@db.example.org:port/plans`,
      `postgres://kim:${PASSWORD}@db.example.org/plans?options=-csearch_path%3Dx`,
      `postgres://kim:${PASSWORD}@db.example.org/plans?sslmode=${PASSWORD}`,
      `postgres://kim:${PASSWORD}%@db.example.org/plans`,
      `host=db.example.org password=${PASSWORD}`,
    ])
      expect(await join(bad)).toMatchObject({ code: 'fleet_url' })
    expect(await cli(root, ['fleet', 'join', '--name', 'x'])).toMatchObject({ status: 2 })
    expect(await cli(root, ['fleet', 'merge'])).toMatchObject({ status: 2 })
  })

  test('says of a name without an address, and of a server of another protocol, that it does not answer', async () => {
    using repository = await repositoryWithFleet()
    const web = createHttpServer((_, response) => void response.end('hello'))
    await new Promise<void>(done => web.listen(0, '127.0.0.1', done))
    const { port } = web.address() as { port: number }
    for (const server of ['db.invalid', `127.0.0.1:${port}`])
      for (const mode of ['prefer', 'disable']) {
        const env = { TICKETPLAN_FLEET_URL: `postgres://kim@${server}/plans?sslmode=${mode}`, PGPASSWORD: PASSWORD }
        const error = errorOf(await cli(repository.root, ['fleet', 'join', '--json'], env))
        expect(error).toMatchObject({ code: 'fleet_unreachable', sent: false })
        expect(error.message).toMatch(/does not answer: .*check that PostgreSQL runs there/)
      }
    web.closeAllConnections()
    web.close()
  })

  test('prints no control character of a message of the server', async () => {
    using repository = await repositoryWithFleet()
    const { root } = repository
    putTicket(root, 'A', { state: 'queued' })
    const joinEnv = { TICKETPLAN_FLEET_URL: url('plan_client'), PGPASSWORD: PASSWORD }
    expect(await cli(root, ['fleet', 'join'], joinEnv)).toMatchObject({ status: 0 })
    for (const state of ['28000', '53300', 'XX000', 'TP001']) {
      const fields = { S: 'FATAL', C: state, M: 'no \u001b[31m\u0007\r\nfake: line\u202e', D: '\u001bD', H: '\u001bH' }
      const text = Object.entries(fields).map(([field, text]) => `${field}${text}\0`)
      const bytes = Buffer.from(`E____${text.join('')}\0`)
      bytes.writeInt32BE(bytes.length - 1, 1)
      const fake = createServer(socket => {
        socket.on('error', () => {})
        socket.once('data', () => socket.end(bytes))
      })
      await new Promise<void>(done => fake.listen(0, '127.0.0.1', done))
      const { port } = fake.address() as { port: number }
      const env = { TICKETPLAN_FLEET_URL: `postgres://kim@127.0.0.1:${port}/plans?sslmode=disable` }
      const commands = [
        ['fleet', 'join'],
        ['queue'],
        ['show', 'A'],
        ['list'],
        ['overview'],
        ['brief'],
        ['top', '--once'],
        ['export', 'html'],
        ['accept', 'A', '--holder', 'pod'],
        ['renew', 'A', '--token', '1'],
      ]
      const printed = await Promise.all(
        commands.map(async args => {
          const { stdout, stderr } = await cli(root, args, env)
          return stdout + stderr
        }),
      )
      expect(printed.join('')).toContain('fake: line')
      for (const text of printed) expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]|^fake/m)
      fake.close()
    }
  })

  test('shows a password in no output, file, log or argument of another program', async () => {
    using repository = await repositoryWithFleet()
    using programs = temporaryFolder()
    const { root } = repository
    const log = join(programs.path, 'git.log')
    const bin = join(programs.path, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'git'), `#!/bin/sh\nprintf '%s\\n' "$*" >> ${log}\nPATH=\${PATH#*:} exec git "$@"\n`)
    chmodSync(join(bin, 'git'), 0o755)
    const env = {
      TICKETPLAN_FLEET_URL: url('plan_client', { password: PASSWORD }),
      TICKETPLAN_DEBUG: '1',
      PATH: `${bin}:${process.env.PATH}`,
    }
    const commands = [
      ['fleet', 'join'],
      ['fleet', 'status'],
      ['doctor'],
      ['fleet', 'init'],
      ['fleet', 'migrate'],
      ['claims'],
      ['db'],
      ['fleet', 'leave'],
    ]
    for (const args of commands) {
      await cli(root, [...args, '--json'], env)
      if (args.join() !== 'fleet,leave') await cli(root, args, env)
    }
    await cli(root, ['fleet', 'join'], { ...env, TICKETPLAN_FLEET_URL: '', PGPASSWORD: PASSWORD })
    expect(readFileSync(log, 'utf8')).toContain('config --get')
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).map(path => join(root, path))
    const texts = [...files, log]
      .filter(path => statSync(path).isFile())
      .map(path => [path, readFileSync(path, 'latin1')] as const)
    const printed = runs.map(({ args, run }) => [args.join(' '), run.stdout + run.stderr] as const)
    expect(printed.length).toBeGreaterThan(40)
    const all = [
      ...texts,
      ...printed,
      ['git config', runGit(root, 'config', '--list')],
      ['log of the server', postgres().log()],
    ] as const
    expect(all.filter(([, text]) => text.includes(PASSWORD)).map(([where]) => where)).toEqual([])
  })
})
