/**
 * Checks the Ticket files that are staged for the next commit, for `verify --staged`.
 *
 * Reads git's index and its blobs, never the work tree. For a commit of some paths only, git passes a temporary index to the
 * hook; that index is what will be committed, so it is the one to check.
 */
import { realpathSync } from 'node:fs'
import { isInside } from '../files/is-inside.ts'
import type { Repository } from '../files/repository.ts'
import { idFromPath, WRONG_ENDING } from '../files/ticket-files.ts'
import { readBlobs } from '../git/blobs.ts'
import { notInGit, runGit } from '../git/git.ts'
import { decodeTicket } from '../model/canonical-json.ts'
import { FORMAT } from '../model/format.ts'
import { isTicketFileName } from '../model/names.ts'
import { Refusal } from '../model/strict-json.ts'
import { LIMITS } from '../model/text.ts'
import { findStagedLosses } from './staged-losses.ts'

const LINK = '120000'
const SUBMODULE = '160000'

interface StagedFile {
  path: string
  mode: string
  blob: string
  unmerged: boolean
}

/** A problem of a staged file. */
interface StagedProblem {
  code: string
  path: string
  message: string
  severity: 'error' | 'warning'
}

/** The result of a check of the staged files. */
export interface StagedReport {
  ok: boolean
  problems: StagedProblem[]
  fixed: string[]
  checked: { tickets: number; decisions: number; merges?: number | undefined }
}

/** Checks the staged Ticket files. @throws PlanError no_git, git_failed. */
export function verifyStaged(repository: Repository): StagedReport {
  const { root, gitDir } = repository
  if (!gitDir) throw notInGit(root, 'nothing is staged; run "ticketplan verify" without --staged')
  const files = listStaged(repository)
  const readable = files.filter(file => placeProblem(file) === null)
  const blobs = readBlobs(
    root,
    readable.map(({ blob }) => blob),
  )
  const problems: StagedProblem[] = []
  const checked = { tickets: 0, decisions: 0 }
  for (const file of files) {
    const found = placeProblem(file) ?? contentProblem(file, blobs.get(file.blob) ?? null, checked)
    if (found) problems.push({ severity: 'error', path: file.path, ...found })
  }
  for (const loss of findStagedLosses(repository, indexOfHook(root))) problems.push({ severity: 'error', ...loss })
  return { ok: problems.every(({ severity }) => severity === 'warning'), problems, fixed: [], checked }
}

/** Lists the staged files that are or should be Tickets, and links, as `listTicketPaths` finds them in the work tree. */
function listStaged({ root, config }: Repository): StagedFile[] {
  const args = [
    '--literal-pathspecs',
    'diff',
    '--cached',
    '--raw',
    '-z',
    '--no-abbrev',
    '--no-renames',
    '--no-ext-diff',
  ]
  const filter = ['--diff-filter=ACMRTU', '--ignore-submodules=dirty', '--', config.ticketsDir]
  const words = runGit(root, [...args, ...filter], undefined, { indexFile: indexOfHook(root) })
    .toString()
    .split('\0')
  const files = new Map<string, StagedFile>()
  for (let i = 0; i + 1 < words.length; i += 2) {
    const [, mode = '', , blob = '', status = ''] = words[i]!.split(' ')
    const path = words[i + 1]!
    const below = path.slice(config.ticketsDir.length + 1).split('/')
    if (below.some(name => name.startsWith('.'))) continue
    // A folder with the name of a Ticket file is reported once, whatever it contains.
    const at = below.findIndex(name => name.endsWith('.json'))
    if (at === -1 && mode !== LINK && !isTicketFileName(path)) continue
    const isFolder = at !== -1 && at < below.length - 1
    const named = isFolder ? [config.ticketsDir, ...below.slice(0, at + 1)].join('/') : path
    const unmerged = status === 'U' || files.get(named)?.unmerged === true
    files.set(named, { path: named, mode: isFolder ? 'folder' : mode, blob, unmerged })
  }
  return [...files.values()]
}

/** Returns the index that git passed to the running hook. It belongs to the repository of the working folder only. */
function indexOfHook(root: string): string | undefined {
  const cwd = workingFolder()
  return cwd === root || isInside(cwd, root) ? process.env.GIT_INDEX_FILE : undefined
}

/** Returns the working folder; empty where it no longer exists. */
function workingFolder(): string {
  try {
    return realpathSync(process.cwd())
  } catch {
    return ''
  }
}

/** Returns the problem of a path, whatever its content; null for a regular file. */
function placeProblem({ path, mode, unmerged }: StagedFile): { code: string; message: string } | null {
  if (unmerged) {
    return { code: 'unmerged', message: 'its merge conflict is not resolved; resolve it and stage the file' }
  }
  if (mode === LINK)
    return { code: 'symbolic_link', message: 'a symbolic link, which is not followed; stage a regular file' }
  if (mode === SUBMODULE)
    return { code: 'not_a_regular_file', message: 'a submodule in place of a Ticket file; move it' }
  if (mode === 'folder') return { code: 'not_a_regular_file', message: 'a folder in place of a Ticket file; move it' }
  if (!path.endsWith('.json')) return { code: 'id_mismatch', message: WRONG_ENDING }
  return null
}

/** Returns the problem of a file's content, null where there is none; counts valid Tickets and their decisions. */
function contentProblem(
  { path }: StagedFile,
  bytes: Buffer | 'too_large' | null,
  checked: StagedReport['checked'],
): (Pick<StagedProblem, 'code' | 'message'> & Partial<StagedProblem>) | null {
  if (bytes === null) return { code: 'unreadable', message: 'git lacks the staged content; stage the file again' }
  if (bytes === 'too_large') return { code: 'too_large', message: `larger than ${LIMITS.fileBytes} bytes` }
  try {
    const { ticket, canonical } = decodeTicket(bytes, idFromPath(path))
    checked.tickets++
    checked.decisions += ticket.decisions.length
    if (ticket.format > FORMAT) {
      const message = `format ${ticket.format} is newer than format ${FORMAT}, which this version knows, so only a part is checked; update ticketplan`
      return { code: 'newer_format', message, severity: 'warning' }
    }
    if (canonical) return null
    const message = 'valid, but not in canonical form; run "ticketplan verify --fix" and stage it again'
    return { code: 'not_canonical', message }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const place = error.place ? `line ${error.place.line}, column ${error.place.column}: ` : ''
    return { code: error.code, message: `${place}${error.message}` }
  }
}
