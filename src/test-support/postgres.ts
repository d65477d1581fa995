/**
 * A throw-away PostgreSQL server for tests, in a temporary folder and on a free port, from the binaries of this machine. Where
 * there are none, tests are skipped; in CI they fail.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll } from 'vitest'
import { connectPostgres, type PostgresConnection } from '../fleet/postgres.ts'
import { findBinaries, postgresObstacle } from './postgres-binaries.ts'
import { temporaryFolder } from './temporary-repository.ts'

/** The user of the server that owns everything. */
export const OWNER = 'postgres'

export interface PostgresOptions {
  /** Lines of pg_hba.conf in place of those that trust everyone on this machine. */
  hba?: string
  /** Lines of postgresql.conf. */
  settings?: string
  /** Makes the server a standby, which replicates this one. */
  standbyOf?: TestPostgres
}

/** A server that runs until the end of the `using` block. */
export interface TestPostgres extends AsyncDisposable {
  readonly port: number
  readonly folder: string
  /** Returns the URL of a database for a user. */
  url(database: string, user?: string): string
  /** Creates an empty database; returns its name. */
  createDatabase(): Promise<string>
  /** Connects; by default as the owner of everything. */
  connect(database: string, user?: string): Promise<PostgresConnection>
  /** Ends the server as a crash does. */
  kill(): void
  /** Stops or continues the server with all its processes, as a machine that hangs. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  isRunning(): boolean
  /** Ends the server in order. */
  stop(): void
  /** Starts the server that was ended; after a crash it may need several attempts. */
  start(): Promise<void>
  /** Makes a standby the primary. */
  promote(): void
  /** Returns all that the server has logged. */
  log(): string
}

export { postgresObstacle } from './postgres-binaries.ts'

/** Starts a server before the tests of a file and ends it after them. */
export function postgresForFile(options?: PostgresOptions): () => TestPostgres {
  let server: TestPostgres | undefined
  beforeAll(async () => {
    if (postgresObstacle() === null) server = await startPostgres(options)
  }, 60_000)
  afterAll(() => server?.[Symbol.asyncDispose]())
  return () => server!
}

/** Creates the data of a server; returns their folder, and what runs a program of PostgreSQL. */
function createData(folder: string, { hba, settings = '', standbyOf }: PostgresOptions) {
  const binaries = findBinaries()!
  const data = join(folder, 'data')
  const owner = serverUser()
  if (owner) chownSync(folder, owner.uid, owner.gid)
  const run = (program: string, ...args: string[]) =>
    execFileSync(join(binaries, program), args, { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const source = standbyOf && ['-h', '127.0.0.1', '-p', String(standbyOf.port), '-U', OWNER]
  if (source) run('pg_basebackup', ...source, '-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync')
  else run('initdb', '-D', data, '-U', OWNER, '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C')
  if (hba !== undefined) writeFileSync(join(data, 'pg_hba.conf'), hba)
  writeFileSync(join(data, 'postgresql.conf'), `max_connections = 200\nlisten_addresses = '127.0.0.1'\n${settings}\n`)
  return { data, run }
}

/** Starts a server. */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  const temporary = temporaryFolder()
  const folder = temporary.path
  const { data, run } = createData(folder, options)
  const logPath = join(folder, 'log')
  let port = await freePort()
  let databases = 0

  const pid = () => Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
  const start = async (isFirst: boolean): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        run('pg_ctl', '-D', data, '-w', '-t', '30', '-l', logPath, '-o', `-p ${port} -k ${folder}`, 'start')
        return
      } catch (error) {
        // The processes of a server that crashed may still be ending; a port may have been taken since it was free.
        if (attempt === 10)
          throw new Error(`PostgreSQL does not start: ${readFileSync(logPath, 'utf8').slice(-2000)}`, { cause: error })
        if (isFirst) port = await freePort()
        await sleep(300)
      }
    }
  }
  const stop = (mode: 'fast' | 'immediate') => run('pg_ctl', '-D', data, '-w', '-m', mode, 'stop')
  const url = (database: string, user = OWNER) => `postgres://${user}@127.0.0.1:${port}/${database}?sslmode=disable`
  const connect = (database: string, user = OWNER) =>
    connectPostgres(
      {
        address: { host: options.hba === undefined ? '127.0.0.1' : folder, port, database, user },
        ssl: { mode: 'disable' },
        password: undefined,
        usesPasswordFiles: false,
      },
      10_000,
    )
  await start(true)
  return {
    get port() {
      return port
    },
    folder,
    url,
    connect,
    async createDatabase() {
      const name = `test_${++databases}`
      const connection = await connect('postgres')
      await connection.query(`create database ${name}`)
      connection.close(1000)
      return name
    },
    kill: () => void process.kill(pid(), 'SIGKILL'),
    signal(signal) {
      for (const id of processesOf(pid())) process.kill(id, signal)
    },
    isRunning: () => existsSync(join(data, 'postmaster.pid')),
    stop: () => void stop('fast'),
    start: () => start(false),
    promote: () => run('pg_ctl', '-D', data, '-w', 'promote'),
    log: () => readFileSync(logPath, 'utf8'),
    async [Symbol.asyncDispose]() {
      if (existsSync(join(data, 'postmaster.pid'))) {
        try {
          stop('immediate')
        } catch {
          // It has crashed, and left its pid behind.
        }
      }
      temporary[Symbol.dispose]()
    },
  }
}

/** Writes a certificate for a host and its key, with which a server can encrypt; returns the path of the certificate. */
export function writeCertificate(server: Pick<TestPostgres, 'folder'>, host: string, ip = '127.0.0.1'): string {
  const [certificate, key] = ['server.crt', 'server.key'].map(name => join(server.folder, 'data', name)) as [
    string,
    string,
  ]
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host},IP:${ip}`]
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate]
  execFileSync('openssl', [...args, ...subject], { stdio: 'ignore' })
  chmodSync(key, 0o600)
  const owner = serverUser()
  if (owner) for (const path of [certificate, key]) chownSync(path, owner.uid, owner.gid)
  return certificate
}

/** PostgreSQL refuses to run as root: it gets the user that its package has created. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const entry = readFileSync('/etc/passwd', 'utf8').match(/^postgres:[^:]*:(\d+):(\d+):/m)
  if (!entry) throw new Error('there is no user "postgres", which the package of PostgreSQL creates')
  return { uid: Number(entry[1]), gid: Number(entry[2]) }
}

function processesOf(parent: number): number[] {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(/\s+/)
  return [parent, ...children.filter(Boolean).map(Number)]
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
