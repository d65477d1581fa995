/** Finds the installed package: the folder of package.json, dist/ and migrations/. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Returns the folder of package.json, both from a source file and from a bundle. */
export function packageRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** Returns the version of this program. */
export function packageVersion(): string {
  return JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')).version
}
