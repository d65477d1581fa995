/**
 * Builds dist/: the bundles and the declarations.
 *
 * One file for each entry: loading many small modules costs more than a query. SQLite, chokidar,
 * ulid and yaml stay outside, the first for its binary, the others because few commands need them.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const fresh = join(root, `dist.${process.pid}`)

const shared: BuildOptions = {
  absWorkingDir: root,
  outdir: fresh,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  minifySyntax: true,
  minifyWhitespace: true,
  external: ['better-sqlite3', 'chokidar', 'ulid', 'yaml'],
  logLevel: 'warning',
}
// The programs are CommonJS: importing node:fs into an ES module evaluates all of its getters, streams included, which costs a
// third of Node's own start. The door, which is an ES module by its name, requires the program beside it.
const commonJs: BuildOptions = {
  ...shared,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename', 'import.meta.url': '__filename' },
}
await build({ ...shared, entryPoints: { cli: 'src/cli.ts', index: 'src/index.ts' } })
await build({
  ...commonJs,
  entryPoints: {
    main: 'src/cli/main.ts',
    'merge-driver': 'src/merge-driver.ts',
    'merge-files': 'src/merging/merge-files.ts',
    'sql-child': 'src/database/sql-child.ts',
  },
})
// A bundle of its own: the protocol's packages are four times the rest of the program, and one command needs them.
await build({ ...commonJs, entryPoints: { mcp: 'src/mcp/server.ts' } })
copyFileSync(join(root, 'node_modules/@modelcontextprotocol/server/LICENSE'), join(fresh, 'mcp.LICENSE.txt'))
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
