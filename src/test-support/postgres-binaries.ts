/** Finds the programs of PostgreSQL on this machine. Imports no test runner: the set-up of all tests uses it. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const VERSIONS = '/usr/lib/postgresql'

/** Returns why no server can be started; null where one can. @throws Error in CI, which has to install one. */
export function postgresObstacle(): string | null {
  const missing = 'PostgreSQL is not installed (Debian: apt-get install postgresql)'
  if (findBinaries() === undefined && process.env.CI) throw new Error(`${missing}, and CI must have it`)
  return findBinaries() === undefined ? missing : null
}

/** Returns the folder of the newest version's programs; undefined where there is none. */
export function findBinaries(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined
  const versions = readdirSync(VERSIONS).sort((one, other) => Number(other) - Number(one))
  return versions.map(version => join(VERSIONS, version, 'bin')).find(folder => existsSync(join(folder, 'initdb')))
}
