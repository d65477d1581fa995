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
      // It expects the binary beside itself; in the bundle that has to be beside the installed package.
      build.onLoad({ filter: /better-sqlite3[\\/]lib[\\/]binding\.js$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8')
        for (const part of ['__dirname', LOADS_BINARY])
          if (!text.includes(part)) throw new Error(`${path} has no "${part}": change scripts/bundle-sqlite.ts`)
        const contents = text
          .replaceAll('__dirname', `require('${FOLDER}')`)
          .replaceAll(LOADS_BINARY, 'DEFAULT_ADDON = openBinary(')
        return { contents: contents + binaryText, resolveDir: dirname(path) }
      })
      // No command backs a database up by it, and its promisify would load node:util at every start.
      build.onLoad({ filter: /better-sqlite3[\\/]lib[\\/]methods[\\/]backup\.js$/ }, () => ({
        contents: "module.exports = () => { throw new Error('backup is not in this bundle') }",
      }))
    },
  }
}

/** How the library loads its binary, where no path to one is given. */
const LOADS_BINARY = 'DEFAULT_ADDON = require('

// What require does with a binary, without the 0.3 ms in which it resolves a path that is known.
const binaryText = `
  function openBinary(path) {
    const module = { exports: {} }
    process.dlopen(module, path)
    return module.exports
  }
`

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
