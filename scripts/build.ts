/**
 * Builds dist/: one bundle for each entry, one file of declarations, and the licences of what is bundled.
 *
 * One file for each entry, because loading many small modules costs more than a query. The programs have short names inside,
 * which saves a millisecond of each start; the SDK keeps its names, which are in the stack traces of other programs. Not
 * minified further: that is no faster, and an uncaught error would print a whole bundle as one line. The dependencies in
 * package.json stay outside, because few commands need them; of SQLite only the binary does.
 */
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { buildPage } from './build-page.ts'
import { bundleSqlite } from './bundle-sqlite.ts'
import { bundledJson, bundledPackages, licencesText } from './licences.ts'
import { publicDeclarations } from './public-declarations.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const fresh = join(root, `dist.${process.pid}`)
process.on('exit', () => rmSync(fresh, { recursive: true, force: true }))

const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const shared = {
  absWorkingDir: root,
  outdir: fresh,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  external: Object.keys(dependencies),
  logLevel: 'warning',
  metafile: true,
} satisfies BuildOptions
// The programs are CommonJS: importing node:fs into an ES module evaluates all of its getters, streams included, which
// costs a third of Node's own start. The two entries are ES modules by their names; each requires its program beside
// it.
const commonJs = {
  ...shared,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  external: shared.external.filter(name => name !== 'better-sqlite3'),
  plugins: [bundleSqlite(join(root, 'node_modules')), fleetBundle('fleet-client'), lateWidths()],
  // A program that is run as a script has no import(): what is not bundled is required.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename', 'import.meta.url': '__filename' },
} satisfies BuildOptions
const shortened = { ...commonJs, minifyIdentifiers: true } satisfies BuildOptions
/** What loads these runs them as one function, with the parameters that Node gives a CommonJS module. */
const wrapped = {
  ...shortened,
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
} satisfies BuildOptions
// An ES module that imports node:fs evaluates all of its getters. The entries of the package take it at run time, without
// them, and load on an old Node too, which has no such function, to say that it is too old.
const builtinsAtRunTime: Plugin = {
  name: 'builtins-at-run-time',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'builtin' }))
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule?.(${JSON.stringify(path)})`,
    }))
  },
}
const bundles = [
  await build({
    ...shared,
    plugins: [builtinsAtRunTime],
    entryPoints: { cli: 'src/cli.ts', index: 'src/package-entry.ts' },
  }),
  await build({
    ...commonJs,
    plugins: [bundleSqlite(join(root, 'node_modules')), fleetBundle(null)],
    entryPoints: { sdk: 'src/index.ts', index: 'src/package-entry.ts' },
  }),
  await build({
    ...shortened,
    entryPoints: {
      'merge-driver': 'src/merge-driver.ts',
      'sql-child': 'src/database/sql-child.ts',
      'claim-renewer': 'src/keep/claim-renewer.ts',
    },
  }),
  await build({ ...wrapped, entryPoints: { main: 'src/cli/main.ts', 'merge-files': 'src/merging/merge-files.ts' } }),
  // The client of PostgreSQL, which only clones in a fleet load. What its package requires for other clients is left out.
  await build({
    ...wrapped,
    plugins: [lateModules()],
    external: [...wrapped.external, 'pg-native', 'pg-cloudflare'],
    // It reads the name to find out whether it runs on Node, which loads several modules.
    define: { ...wrapped.define, navigator: '{"userAgent":"Node.js"}' },
    entryPoints: { fleet: 'src/fleet/postgres.ts' },
  }),
  // A bundle of its own: the protocol's packages are four times the rest of the program, and one command needs them.
  await build({ ...wrapped, entryPoints: { mcp: 'src/mcp/server.ts' } }),
  // The drawing and the server of the page, without the store; two commands need them.
  await build({ ...shortened, entryPoints: { view: 'src/view/view.ts' }, jsx: 'automatic', jsxImportSource: 'preact' }),
  await buildPage(root, fresh),
]
const declarations = publicDeclarations(root)
chmodSync(join(fresh, 'cli.js'), 0o755)
const packages = bundledPackages(
  root,
  bundles.flatMap(({ metafile }) => Object.keys(metafile.inputs)),
)
writeFileSync(join(fresh, 'LICENSES.txt'), licencesText(packages))
writeFileSync(join(fresh, 'bundled.json'), bundledJson(packages))
// The same types twice: for the compiler, the extension says whether a module is imported or required.
for (const name of ['index.d.ts', 'index.d.cts']) writeFileSync(join(fresh, name), declarations)

// Swapped in at the end: a program that uses the old folder meanwhile never sees half of the new one.
const old = `${fresh}.old`
if (existsSync(dist)) renameSync(dist, old)
renameSync(fresh, dist)
rmSync(old, { recursive: true, force: true })

/**
 * Makes the bundles load the client of PostgreSQL from dist/fleet.cjs, beside them. Programs keep its compiled code under a name;
 * with null none is kept, because the SDK runs in the processes of others.
 */
function fleetBundle(name: string | null): Plugin {
  return {
    name: 'fleet-bundle',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\/postgres\.ts$/ }, ({ kind }) =>
        kind === 'dynamic-import' ? { path: 'fleet.cjs', namespace: 'fleet-bundle' } : undefined,
      )
      onLoad({ filter: /.*/, namespace: 'fleet-bundle' }, ({ path }) => ({
        contents: `import { join } from 'node:path'
          import { loadProgram } from './program-loader.ts'
          export const { connectPostgres } = loadProgram(join(import.meta.dirname, '${path}'), ${JSON.stringify(name)})`,
        resolveDir: join(root, 'src'),
      }))
    },
  }
}

/** Makes the programs load string-width with the first text that is not Latin: its Unicode tables cost as much as Node's start. */
function lateWidths(): Plugin {
  return {
    name: 'late-widths',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^string-width$/ }, ({ namespace }) =>
        namespace === 'late-widths' ? undefined : { path: 'late', namespace: 'late-widths' },
      )
      onLoad({ filter: /.*/, namespace: 'late-widths' }, () => ({
        contents: "export default text => require('string-width').default(text)",
        resolveDir: root,
      }))
    },
  }
}

/** Makes the client of PostgreSQL load node:crypto and node:dns with their first use: they cost as much as a call, and few logins need them. */
function lateModules(): Plugin {
  return {
    name: 'late-modules',
    setup({ onResolve, onLoad }) {
      const late = (path: string, required: string) => ({ path, namespace: 'late', pluginData: required })
      onResolve({ filter: /^dns$/ }, ({ namespace }) => (namespace === 'late' ? undefined : late('dns', 'dns')))
      onResolve({ filter: /^\.\/(?:crypto\/)?utils$/ }, ({ path, resolveDir }) => {
        const file = join(resolveDir, `${path}.js`)
        return file.endsWith('/pg/lib/crypto/utils.js') ? late('crypto', file) : undefined
      })
      onLoad({ filter: /.*/, namespace: 'late' }, ({ pluginData: required }) => ({
        contents: `module.exports = new Proxy({}, { get: (_, key) => require(${JSON.stringify(required)})[key] })`,
        resolveDir: root,
      }))
    },
  }
}
