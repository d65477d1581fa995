/**
 * Builds dist/: the bundles and the declarations.
 *
 * One bundle for each entry, sharing chunks: loading hundreds of small modules costs more than a query. SQLite, chokidar,
 * ulid and yaml stay outside, the first for its binary, the others because few commands need them.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const fresh = join(root, `dist.${process.pid}`)

await build({
  absWorkingDir: root,
  entryPoints: {
    cli: 'src/cli.ts',
    index: 'src/index.ts',
    'sql-child': 'src/database/sql-child.ts',
  },
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  minifySyntax: true,
  minifyWhitespace: true,
  external: ['better-sqlite3', 'chokidar', 'ulid', 'yaml'],
  logLevel: 'warning',
})
chmodSync(join(fresh, 'cli.js'), 0o755)

const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const declarations = spawnSync(
  process.execPath,
  [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(fresh, 'types')],
  {
    stdio: 'inherit',
  },
)
// Swapped in at the end: whoever uses the old one meanwhile never sees half of the new.
const old = `${fresh}.old`
if (existsSync(dist)) renameSync(dist, old)
renameSync(fresh, dist)
rmSync(old, { recursive: true, force: true })
process.exitCode = declarations.status ?? 1
