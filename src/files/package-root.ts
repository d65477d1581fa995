/** Finds the installed package: the folder of package.json, dist/ and migrations/. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Returns the folder of package.json, both from a source file and from a bundle. */
export function packageRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}
