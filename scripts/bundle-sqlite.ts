/**
 * A plugin for esbuild: bundles the JavaScript of better-sqlite3, and finds its binary by its path.
 *
 * Resolving and loading its modules one by one costs 2 ms of each start. Where the installed package has another version than the
 * bundled one, or is in no folder `node_modules` above the program, the program requires it as usual.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plugin } from 'esbuild'

const PACKAGE = 'better-sqlite3'
/** The module that says where the package is installed; undefined where its JavaScript cannot be the bundled one. */
const FOLDER = 'better-sqlite3-folder'

/** Returns the plugin, for the package as it is installed in a folder `node_modules`. */
export function bundleSqlite(nodeModules: string): Plugin {
  const library = join(nodeModules, PACKAGE, 'lib')
  const { version } = JSON.parse(readFileSync(join(nodeModules, PACKAGE, 'package.json'), 'utf8'))
  const texts: Record<string, string> = { [PACKAGE]: packageText, [FOLDER]: folderText(version) }
  return {
    name: 'bundle-sqlite',
    setup(build) {
      build.onResolve({ filter: /^better-sqlite3(-folder)?$/ }, ({ path }) => ({ path, namespace: 'sqlite' }))
      build.onLoad({ filter: /.*/, namespace: 'sqlite' }, ({ path }) => ({
        contents: texts[path]!,
        resolveDir: library,
      }))
      // It looks for the binary beside itself; in the bundle that has to be beside the installed package.
      build.onLoad({ filter: /better-sqlite3[\\/]lib[\\/]binding\.js$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8')
        if (!text.includes('__dirname'))
          throw new Error(`${path} does not use __dirname: change scripts/bundle-sqlite.ts`)
        return { contents: text.replaceAll('__dirname', `require('${FOLDER}')`), resolveDir: dirname(path) }
      })
      // No command backs a database up by it, and its promisify would load node:util at every start.
      build.onLoad({ filter: /better-sqlite3[\\/]lib[\\/]methods[\\/]backup\.js$/ }, () => ({
        contents: "module.exports = () => { throw new Error('backup is not in this bundle') }",
      }))
    },
  }
}

const packageText = `
  module.exports = require('${FOLDER}')
    ? require('./index.js')
    : require('node:module').createRequire(__filename)('${PACKAGE}')
`

function folderText(version: string): string {
  return `
    const { existsSync, readFileSync } = require('node:fs')
    const { dirname, join } = require('node:path')

    module.exports = findLibrary(__dirname)

    function findLibrary(from) {
      const folder = join(from, 'node_modules', '${PACKAGE}')
      if (!existsSync(folder)) return dirname(from) === from ? undefined : findLibrary(dirname(from))
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      return version === '${version}' ? join(folder, 'lib') : undefined
    }
  `
}
