/** Where the installed package is: the folder of package.json, dist/ and migrations/. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of package.json, from a source file or from the bundle. */
export function packageRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}
