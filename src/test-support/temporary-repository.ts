/** Creates real repositories in temporary folders. Each is removed at the end of its `using` block. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findTicketFile, type ReadTicket } from '../files/ticket-files.ts'
import { encodeTicket } from '../model/canonical-json.ts'
import type { Decision } from '../model/decision.ts'
import type { Ticket } from '../model/ticket.ts'

export interface TemporaryFolder extends Disposable {
  /** Absolute, without links. */
  path: string
}

export interface TemporaryRepository extends Disposable {
  root: string
  ticketsDir: string
  /** The folder of index.db and local.db of the main worktree. */
  databaseDir: string
  indexPath: string
  localPath: string
}

/** Creates a folder. */
export function temporaryFolder(parent = tmpdir()): TemporaryFolder {
  const path = realpathSync(mkdtempSync(join(parent, 'ticketplan-')))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Creates a git repository with an empty tickets folder; with `git: false` a folder outside git. */
export function temporaryRepository({ git = true } = {}): TemporaryRepository {
  const folder = temporaryFolder()
  const ticketsDir = join(folder.path, 'tickets')
  if (git) runGit(folder.path, 'init', '--quiet', '--template=', '--initial-branch=main')
  mkdirSync(ticketsDir)
  const databaseDir = join(folder.path, git ? '.git/ticketplan' : '.ticketplan')
  return {
    root: folder.path,
    ticketsDir,
    databaseDir,
    indexPath: join(databaseDir, 'index.db'),
    localPath: join(databaseDir, 'local.db'),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

/** Commits all files of the work tree. */
export function commitAll(root: string): void {
  runGit(root, 'add', '--all')
  runGit(root, 'commit', '--quiet', '--allow-empty', '--message=all')
}

/** Runs git with an author, without the configuration of this machine. */
export function runGit(folder: string, ...args: string[]): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  const identity = ['-c', 'user.name=tester', '-c', 'user.email=tester@example.org', '-c', 'commit.gpgsign=false']
  return execFileSync('git', [...identity, '-c', 'protocol.file.allow=always', ...args], {
    cwd: folder,
    env: { ...env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Returns a Ticket with its required fields and the given ones. */
export function makeTicket(id: string, fields: Partial<Ticket> = {}): Ticket {
  return { format: 1, title: `Ticket ${id}`, state: 'open', decisions: [], ...fields, id: id as Ticket['id'] }
}

let notes = 0

/** Returns a note with an id of its own. */
export function makeNote(reason: string): Decision {
  const id = `01JX${String(++notes).padStart(22, '0')}`
  return { at: '2026-06-08T11:30:00.000Z', by: 'tester', id, kind: 'note', reason }
}

/** Writes a Ticket file in canonical form, and returns its path from the root. `subfolder` is below the tickets folder. */
export function putTicket(root: string, id: string, fields: Partial<Ticket> = {}, subfolder = ''): string {
  const path = join('tickets', subfolder, `${id}.json`)
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), encodeTicket(makeTicket(id, fields)))
  return path
}

/** Writes a Ticket file as git and editors do: under another name, then renamed over the old one. */
export function replaceTicket(root: string, id: string, fields: Partial<Ticket> = {}): void {
  const temporary = join(root, 'tickets', `.${id}.new`)
  writeFileSync(temporary, encodeTicket(makeTicket(id, fields)))
  renameSync(temporary, join(root, 'tickets', `${id}.json`))
}

/** Reads the Ticket in a file, without any code under test. */
export function readTicketJson(root: string, path: string): Ticket {
  return JSON.parse(readFileSync(join(root, path), 'utf8')) as Ticket
}

/** Reads a Ticket file that must be readable. */
export function readTicket(root: string, path: string): ReadTicket {
  const file = findTicketFile(root, path)
  if (!file?.readable) throw new Error(`${path} cannot be read: ${file?.message}`)
  return file
}
