/**
 * Finds the programs of this installation under paths that survive an upgrade.
 *
 * Node reports real paths. With pnpm these lead into a store, as in `node_modules/.pnpm/ticketplan@1.2.3/node_modules/ticketplan`,
 * and that folder is gone after the next upgrade, while the link `node_modules/ticketplan` stays. So a path through such a
 * link is preferred where it leads to the same package.
 */
import { realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { packageRoot } from '../files/package-root.ts'
import type { Programs } from './driver-config.ts'

const PACKAGE = 'ticketplan'

/** Folders in which pnpm, bun and others keep packages by version, below `node_modules`. */
const STORES = ['.pnpm', '.bun', '.store']

/** Returns the programs of this installation: the running Node, and the built files of this package. */
export function installedPrograms(root: string): Programs {
  return programsOf({ node: process.execPath, packageDir: packageRoot() }, root)
}

/** Returns the programs of an installation, which real paths name, for the project at `root`. */
export function programsOf({ node, packageDir }: { node: string; packageDir: string }, root: string): Programs {
  const dist = join(linkedPath(packageDir, PACKAGE, root), 'dist')
  return { node: nodePath(node, root), cli: join(dist, 'cli.js'), mergeDriver: join(dist, 'merge-driver.cjs') }
}

/** Returns the path of a Node that is itself a package through the link of that package; any other path unchanged. */
function nodePath(node: string, root: string): string {
  const [, packageDir, name, rest] = /^(.*[/\\]node_modules[/\\]([^/\\]+))([/\\].*)$/.exec(node) ?? []
  if (packageDir === undefined || name === undefined || rest === undefined) return node
  return linkedPath(packageDir, name, root) + rest
}

/**
 * Returns the path of a package through the nearest link `node_modules/<name>` at the project's root or above it, or above the
 * package itself; the given path where no link leads to it.
 */
function linkedPath(packageDir: string, name: string, root: string): string {
  const real = realPathOf(packageDir)
  const folders = [...foldersUpFrom(root), ...foldersUpFrom(packageDir)].filter(folder => !isInStore(folder))
  const links = folders.map(folder => join(folder, 'node_modules', name))
  return links.find(link => realPathOf(link) === real) ?? packageDir
}

/** True for a store and for a folder below one: a store contains links of its own. */
function isInStore(folder: string): boolean {
  return folder.split(sep).some(name => STORES.includes(name))
}

function foldersUpFrom(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...foldersUpFrom(parent)]
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
