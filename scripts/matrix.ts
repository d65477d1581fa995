/**
 * Runs the tests on each Node that "engines" allows, in repositories whose object names are SHA-256, and with other gits.
 *
 * Each Node is the npm package `node`, installed into a temporary folder; nothing of this checkout changes. Usage:
 * npm run matrix, after a build. `--node 26` (again for more), `--sha256` and `--git <folder with the program git>` run these rows
 * alone; `--all` runs the whole suite in place of the fast tests and some slow ones, `--fast` the fast tests alone. Exits with
 * 1 if a row failed. Arguments after these name test files: they alone are run, of both projects.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'

const ROOT = join(import.meta.dirname, '..')
/** The oldest Node that `engines` allow, and the later lines. */
const NODES = ['22.22.0', '24', '26']
/** Slow tests of what depends on Node or on git: processes, signals, native code, merges, hooks, worktrees. */
const SLOW = [
  'src/cli/cli.slow.test.ts',
  'src/cli/keep.slow.test.ts',
  'src/database/sql-child.slow.test.ts',
  'src/files/crash.slow.test.ts',
  'src/mcp/mcp.slow.test.ts',
  'src/merging',
  'src/setup/init.slow.test.ts',
  'src/store',
]

interface Row {
  name: string
  passed: boolean
  seconds: number
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string', multiple: true },
    sha256: { type: 'boolean', default: false },
    git: { type: 'string', multiple: true, default: [] },
    all: { type: 'boolean', default: false },
    fast: { type: 'boolean', default: false },
  },
})
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ticketplan-matrix-')))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const isWhole = !values.node && !values.sha256 && values.git.length === 0
const nodes = values.node ?? (isWhole ? NODES : [])
const rows = nodes.map(version => {
  const program = installNode(version)
  return runTests(
    `Node ${execFileSync(program, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()}`,
    program,
  )
})
if (values.sha256 || isWhole) rows.push(runTests('SHA-256 repositories', process.execPath, sha256Git()))
for (const path of values.git) {
  const name = execFileSync(join(path, 'git'), ['version'], { encoding: 'utf8' }).trim()
  rows.push(runTests(name, process.execPath, path))
}

for (const { name, passed, seconds } of rows) console.log(`${passed ? 'passed' : 'FAILED'}  ${name}  ${seconds} s`)
if (rows.some(({ passed }) => !passed)) process.exitCode = 1

/** Installs a version of the package `node`; returns the path of its program. */
function installNode(version: string): string {
  const project = join(folder, `node-${version}`)
  mkdirSync(project)
  // The package puts the binary of this platform in place with an install script.
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, allowScripts: { node: true } }))
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  execFileSync(npm, ['install', '--no-save', '--silent', `node@${version}`], { cwd: project, stdio: 'inherit' })
  return join(project, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

/** Returns a folder for the front of the path, with a git that creates SHA-256 repositories; tests clear GIT_*. */
function sha256Git(): string {
  const programs = join(folder, 'git-sha256')
  mkdirSync(programs)
  const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()
  const script = `#!/bin/sh\nGIT_DEFAULT_HASH=sha256 exec '${git}' "$@"\n`
  writeFileSync(join(programs, 'git'), script, { mode: 0o755 })
  return programs
}

function runTests(name: string, program: string, ...programs: string[]): Row {
  const start = performance.now()
  const path = [...programs, dirname(program), process.env.PATH].join(delimiter)
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  const runs = [['--project', 'fast']]
  if (positionals.length > 0) runs.splice(0, 1, positionals)
  else if (values.all) runs.push(['--project', 'slow'])
  else if (!values.fast) runs.push(['--project', 'slow', ...SLOW])
  const passed = runs.map(args => {
    console.log(`\n${name}: vitest run ${args.join(' ')}`)
    const options = { cwd: ROOT, stdio: 'inherit', env: { ...process.env, PATH: path } } as const
    return spawnSync(program, [vitest, 'run', '--reporter', 'dot', ...args], options).status === 0
  })
  return { name, passed: passed.every(Boolean), seconds: Math.round((performance.now() - start) / 1000) }
}
