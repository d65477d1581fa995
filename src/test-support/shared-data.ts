/** Real Tickets of other projects, where they lie beside the checkout. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from './run-cli.ts'

const shared = join(PACKAGE_ROOT, '..', 'shared', 'data')

/** The path of a data set, or undefined where it is not there; tests then skip and say so. */
export function findSharedData(name: string): string | undefined {
  const path = join(shared, name)
  return existsSync(path) ? path : undefined
}
