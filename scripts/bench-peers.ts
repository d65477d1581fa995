/**
 * Compares ticketplan with other planners on the command line: show, ready, create and relate over the same items, cold, with
 * `node -e 0` beside each.
 *
 * Usage: npm run bench:peers [-- --sizes 1000,10000] [--runs 5] [--limit 30] [--only seeds-cli,ticketplan] [--json]; --limit
 * is in seconds for each command, and ten times that for each peer and size. Peers from npm are installed in a temporary
 * folder, others must be on PATH; one that cannot be installed or used is named with the reason. Exit status 1 where a peer
 * that keeps plain files is faster at show, ready or relate with at least 10,000 items. docs/performance.md has the table.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { firstLine, makeItems, PEERS, type Peer, ticketplanPeer } from './peer-programs.ts'

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,10000' },
    runs: { type: 'string', default: '5' },
    limit: { type: 'string', default: '30' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
})
const sizes = options.sizes.split(',').map(Number)
const runs = Number(options.runs)
const limitMs = Number(options.limit) * 1000
const only = options.only.split(',').filter(name => name !== '')

const ACTIONS = ['show', 'ready', 'all ready', 'create', 'relate'] as const
type Action = (typeof ACTIONS)[number]
interface Result {
  peer: string
  version: string
  store: string
  hasPlainFiles: boolean
  size: number
  /** Medians in ms; a text says why there is no figure. */
  ms: Record<Action, number | string>
  /** `node -e 0`, measured between the commands. */
  nodeMs: number
}

const folder = mkdtempSync(join(tmpdir(), 'ticketplan-peers-'))
const home = join(folder, 'home')
mkdirSync(home)
writeFileSync(
  join(home, '.taskrc'),
  `data.location=${join(home, 'task')}\nconfirmation=off\nnews.version=99\nverbose=nothing\n`,
)
writeFileSync(
  join(home, '.gitconfig'),
  '[user]\n\tname = bench\n\temail = bench@example.org\n[init]\n\tdefaultBranch = main\n',
)
const results: Result[] = []
const missing: { peer: string; reason: string }[] = []
try {
  const own = ticketplanPeer(join(import.meta.dirname, '..', 'dist', 'cli.js'))
  for (const peer of [own, { ...own, name: `${own.name} with a resident`, background: ['watch'] }, ...PEERS]) {
    if (only.length > 0 && !only.includes(peer.name)) continue
    const reason = measurePeer(peer)
    if (reason !== undefined) missing.push({ peer: peer.name, reason })
    if (!options.json) process.stderr.write(reason === undefined ? '.' : 'x')
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
print()

/** Installs and measures a peer at every size; returns why it could not be measured. */
function measurePeer(peer: Peer): string | undefined {
  try {
    const bin = install(peer)
    const path = [...(bin ? [bin] : []), join(process.execPath, '..'), process.env.PATH].join(delimiter)
    const { HOME: _, XDG_CACHE_HOME: __, ...rest } = process.env
    const env = {
      ...rest,
      PATH: path,
      HOME: home,
      USER: 'bench',
      TASKRC: join(home, '.taskrc'),
      NO_COLOR: '1',
      CI: '1',
    }
    const isOwn = peer.packages.length === 0 && peer.program.endsWith('.js')
    const version =
      firstLine(...commandOf(peer, ['--version'], isOwn), env) ?? firstLine(peer.program, ['version'], env)
    if (version === undefined) return 'not on PATH'
    const number = /\d+\.[\w.-]+/.exec(version)?.[0] ?? version
    for (const size of sizes) measure(peer, size, number, env, isOwn)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Installs what npm has of the peer; returns the folder of its programs. */
function install({ name, packages }: Peer): string | undefined {
  if (packages.length === 0) return undefined
  const place = join(folder, 'installed', name.replace(/\W/g, '-'))
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'package.json'), '{"private":true}')
  const args = ['install', '--no-audit', '--no-fund', ...packages]
  const { status, stderr, error } = spawnSync('npm', args, { cwd: place, encoding: 'utf8', timeout: 300_000 })
  if (status === 0) return join(place, 'node_modules', '.bin')
  const line = error?.message ?? stderr.split('\n').find(text => text.startsWith('npm error')) ?? `exit ${status}`
  throw new Error(`npm install ${packages.join(' ')}: ${line}`)
}

function commandOf(peer: Peer, args: string[], isOwn: boolean): [string, string[]] {
  return isOwn ? [process.execPath, [peer.program, ...args]] : [peer.program, args]
}

function measure(peer: Peer, size: number, version: string, env: NodeJS.ProcessEnv, isOwn: boolean): void {
  const place = join(folder, `${peer.name.replace(/\W/g, '-')}-${size}`, 'repository')
  mkdirSync(place, { recursive: true })
  const until = performance.now() + limitMs * 10
  rmSync(join(home, 'task'), { recursive: true, force: true })
  mkdirSync(join(home, 'task'))
  spawnSync('git', ['init', '-q', place], { env })
  spawnSync('git', ['commit', '-q', '--allow-empty', '-m', 'start'], { cwd: place, env })
  const run = (args: string[], timeout = limitMs) => {
    const startedAt = performance.now()
    const [program, all] = commandOf(peer, args, isOwn)
    const { status, stderr, stdout, error } = spawnSync(program, all, {
      cwd: place,
      env,
      encoding: 'utf8',
      timeout,
      maxBuffer: 1 << 28,
    })
    const ms = performance.now() - startedAt
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT') throw new Error(`over ${timeout / 1000} s`)
    if (status !== 0) throw new Error(`${args[0]} failed: ${(stderr || stdout).trim().split('\n')[0]}`)
    return ms
  }
  peer.write(place, makeItems(size), (...args) => void run(args, limitMs * 10))
  const nodes: number[] = []
  const timed = (argsOf: (n: number) => string[]): number | string => {
    try {
      run(argsOf(0)) // a first run may migrate or fill a cache
      const times: number[] = []
      for (let n = 1; n <= runs && performance.now() < until; n++) {
        times.push(run(argsOf(n)))
        const startedAt = performance.now()
        spawnSync(process.execPath, ['-e', '0'])
        nodes.push(performance.now() - startedAt)
      }
      return times.length > 0 ? median(times) : 'no time left'
    } catch (error) {
      return (error as Error).message
    }
  }
  const id = (n: number) => peer.id(size - 1 - n * 7)
  const { relate, readyAll } = peer
  const beside = background(peer, place, env, isOwn)
  const ms = {
    show: timed(n => peer.show(id(n))),
    ready: timed(() => peer.ready),
    'all ready': readyAll ? timed(() => readyAll) : 'as ready',
    create: timed(n => peer.create(`new item ${n}`)),
    relate: relate ? timed(n => relate(id(n), peer.id(3 + n))) : 'none',
  }
  beside?.kill()
  const { name, store, hasPlainFiles } = peer
  results.push({ peer: name, version, store, hasPlainFiles, size, ms, nodeMs: nodes.length > 0 ? median(nodes) : 0 })
}

/** Starts what runs beside the commands, and waits until it says that it is ready. */
function background(peer: Peer, cwd: string, env: NodeJS.ProcessEnv, isOwn: boolean): ChildProcess | undefined {
  if (!peer.background) return undefined
  const [program, args] = commandOf(peer, peer.background, isOwn)
  const child = spawn(program, args, { cwd, env, stdio: 'ignore' })
  const [ask, words] = commandOf(peer, ['doctor'], isOwn)
  for (const until = performance.now() + 20_000; performance.now() < until; ) {
    const { stdout } = spawnSync(ask, words, { cwd, env, encoding: 'utf8' })
    if (/answers reading commands/.test(stdout)) return child
  }
  child.kill()
  throw new Error(`${peer.background.join(' ')} did not start`)
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!
}

function print(): void {
  const behind = results.flatMap(own =>
    own.peer.startsWith('ticketplan') && own.size >= 10_000 ? fasterThan(own) : [],
  )
  if (options.json) console.log(JSON.stringify({ node: process.version, runs, results, missing, behind }, null, 2))
  else {
    console.log(
      `\nNode ${process.version}; medians of ${runs} cold runs, in ms; in brackets the multiple of node -e 0.\n`,
    )
    console.log(
      '| program | items | show | ready | all ready | create | relate | node -e 0 |\n|---|---|---|---|---|---|---|---|',
    )
    for (const { peer, version, size, ms, nodeMs } of results) {
      const cells = ACTIONS.map(action => {
        const value = ms[action]
        return typeof value === 'number' ? `${value.toFixed(0)} (${(value / nodeMs).toFixed(1)})` : value
      })
      console.log(`| ${peer} ${version} | ${size.toLocaleString('en')} | ${cells.join(' | ')} | ${nodeMs.toFixed(0)} |`)
    }
    for (const { peer, reason } of missing) console.log(`\nnot measured: ${peer}: ${reason}`)
    for (const text of behind) console.log(`\nFASTER: ${text}`)
  }
  process.exitCode = behind.length > 0 ? 1 : 0
}

/** Names the peers with plain files that are faster than a result of ticketplan. */
function fasterThan(own: Result): string[] {
  const rivals = results.filter(
    ({ peer, size, hasPlainFiles }) => !peer.startsWith('ticketplan') && size === own.size && hasPlainFiles,
  )
  return (['show', 'ready', 'all ready', 'relate'] as const).flatMap(action =>
    rivals
      .filter(({ ms, nodeMs }) => relative(ms[action], nodeMs) < relative(own.ms[action], own.nodeMs))
      .map(({ peer }) => `${peer} than ${own.peer}, ${action}, ${own.size.toLocaleString('en')} items`),
  )
}

/** A figure as a multiple of `node -e 0`, because the machine may have been busier meanwhile; infinite where there is none. */
function relative(value: number | string, nodeMs: number): number {
  return typeof value === 'number' ? value / nodeMs : Number.POSITIVE_INFINITY
}
