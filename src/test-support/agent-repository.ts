/** Sets agents up in a temporary repository, and reads what that wrote. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findRepository } from '../files/repository.ts'
import { type InitOptions, initRepository, undoInit } from '../setup/init.ts'

/** Programs for `init` that need not exist. */
export const PROGRAMS = {
  node: '/opt/node/bin/node',
  cli: '/opt/plan/cli.js',
  mergeDriver: '/opt/plan/merge-driver.cjs',
}
export const initIn = (root: string, agents: InitOptions['agents']) =>
  initRepository(findRepository(root), { programs: PROGRAMS, agents })
export const undoIn = (root: string) => undoInit(findRepository(root))

export function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

export const read = (root: string, path: string) => readFileSync(join(root, path), 'utf8')

/** Writes a file with its mode, and the folders above it; returns the path. */
export function writeWithMode(path: string, text: string, mode = 0o644): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

/** True where the long text is the short one with additions. */
export function isWithin(short: string, long: string): boolean {
  let at = 0
  for (const character of long) if (character === short[at]) at++
  return at === short.length
}

/** The files below the root except git's, tickets and AGENTS.md, with their texts. */
export function filesOf(root: string): [path: string, text: string][] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter(path => !/^(?:\.git\/|\.gitattributes$|tickets\/|AGENTS\.md$)/.test(path))
    .sort()
    .map(path => [path, read(root, path)])
}
