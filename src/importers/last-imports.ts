/**
 * Remembers the last import of each source in this worktree: what the source was, what the Ticket files were, and the report.
 *
 * Invariant: an import is only repeated from memory where it could change nothing: the source, its options, the configuration and
 * the bytes of every Ticket file are those after an import that had nothing left to write. The file can be deleted at any time.
 */
import { type BigIntStats, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../files/atomic-write.ts'
import type { Repository } from '../files/repository.ts'
import { checkStateFiles, createStateFolder } from '../files/state-folder.ts'
import { hashOf } from '../files/ticket-files.ts'
import { isObject } from '../model/objects.ts'
import type { FileState } from '../ticket-index/file-queries.ts'
import { descriptorOf } from './source-text.ts'

const FILE = 'imports.json'
/** A file that changed this recently may change again without new stat data. */
const RACY_NS = 2_000_000_000n

export interface LastImport {
  /** What the source was. */
  source: string
  /** Its options, and the configuration. */
  context: string
  /** What the Ticket files were afterwards. */
  tickets: string
  /** How many files an import would still write: 0 after one. */
  pending: number
  /** The report of an import that has nothing to write. */
  report: unknown
}

/**
 * Returns what a source is now: of a file the hash of its bytes, of a folder its names, sizes and times. Undefined for what cannot
 * be read twice, or changed a moment ago.
 */
export function sourcePrint(path: string, beside: readonly string[] = []): string | undefined {
  if (descriptorOf(path) !== undefined) return undefined
  try {
    const stat = statSync(path, { bigint: true })
    if (stat.isFile()) return `file ${hashOf(readFileSync(path))}`
    if (!stat.isDirectory()) return undefined
    const lines: string[] = []
    const isSettled = addFolder(path, '', lines, BigInt(Date.now()) * 1_000_000n - RACY_NS)
    for (const name of beside)
      lines.push(lineOf(name, lstatSync(join(path, name), { bigint: true, throwIfNoEntry: false })))
    return isSettled ? `folder ${hashOf(Buffer.from(lines.join('\n')))}` : undefined
  } catch {
    return undefined // the reader says why
  }
}

/** Returns the sizes and times of a source, cheap enough to poll; "" where there is none. */
export function sourceStamp(path: string, beside: readonly string[] = []): string {
  try {
    const lines = [path, ...beside.map(name => join(path, name))].map(file =>
      lineOf('', statSync(file, { bigint: true, throwIfNoEntry: false })),
    )
    if (statSync(path).isDirectory()) addFolder(path, '', lines, 0n)
    return lines.join('\n')
  } catch {
    return ''
  }
}

function addFolder(root: string, below: string, lines: string[], newest: bigint): boolean {
  let isSettled = true
  for (const { name } of readdirSync(join(root, below), { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(below, name)
    const stat = lstatSync(join(root, path), { bigint: true })
    lines.push(lineOf(path, stat))
    if (stat.mtimeNs > newest || stat.ctimeNs > newest) isSettled = false
    if (stat.isDirectory() && !addFolder(root, path, lines, newest)) isSettled = false
  }
  return isSettled
}

function lineOf(path: string, stat: BigIntStats | undefined): string {
  return stat ? JSON.stringify([path, `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`]) : path
}

/** Returns what the Ticket files are. */
export function ticketsPrint(states: Iterable<FileState>): string {
  const lines = [...states].map(([path, hash, refusal]) => `${hash} ${refusal ?? ''} ${path}`).sort()
  return hashOf(Buffer.from(lines.join('\n')))
}

/** Returns what is remembered of a source; undefined for nothing. */
export function findLastImport(repository: Repository, key: string): LastImport | undefined {
  const { [key]: last } = readAll(repository)
  const isWhole =
    isObject(last) &&
    typeof last.pending === 'number' &&
    [last.source, last.context, last.tickets].every(field => typeof field === 'string')
  return isWhole ? (last as unknown as LastImport) : undefined
}

/** Remembers an import. A folder that cannot be written costs only time at the next one. */
export function rememberImport(repository: Repository, key: string, last: LastImport): void {
  try {
    createStateFolder(repository.indexDir)
    replaceFile(join(repository.indexDir, FILE), JSON.stringify({ ...readAll(repository), [key]: last }))
  } catch {
    // The next import is a full one.
  }
}

function readAll({ indexDir }: Repository): Record<string, unknown> {
  const path = join(indexDir, FILE)
  try {
    checkStateFiles([path])
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}
