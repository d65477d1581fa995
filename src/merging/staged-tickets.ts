/**
 * `verify --staged`: the Ticket files as the next commit would hold them.
 *
 * Looks at git's own index and its blobs, never at the work tree. In a hook git may name a temporary index (a commit of
 * some paths only); that one is what will be committed.
 */
import { realpathSync } from 'node:fs'
import { sep } from 'node:path'
import type { Repository } from '../files/repository.ts'
import { idFromPath } from '../files/ticket-files.ts'
import { readBlobs } from '../git/blobs.ts'
import { runGit } from '../git/git.ts'
import { decodeTicket } from '../model/canonical-json.ts'
import { PlanError } from '../model/errors.ts'
import { FORMAT } from '../model/format.ts'
import { Refusal } from '../model/strict-json.ts'
import { LIMITS } from '../model/text.ts'

const LINK = '120000'
const SUBMODULE = '160000'

interface StagedFile {
  path: string
  mode: string
  blob: string
  unmerged: boolean
}

/** Something that is wrong with a staged file. */
export interface StagedProblem {
  code: string
  path: string
  message: string
  severity: 'error' | 'warning'
}

/** What was found in the staged files. */
export interface StagedReport {
  ok: boolean
  problems: StagedProblem[]
  fixed: string[]
  checked: { tickets: number; decisions: number; merges?: number | undefined }
}

/** Checks what is staged. @throws PlanError invalid_input, no_git, git_failed. */
export function verifyStaged(repository: Repository, fix: boolean): StagedReport {
  const { root, gitDir } = repository
  if (fix) {
    const message = 'verify: --fix mends files of the work tree, --staged looks at what is staged: give one of them'
    throw new PlanError('invalid_input', message, { field: 'fix' })
  }
  if (!gitDir) throw new PlanError('no_git', `${root} is not in a git repository: nothing is staged`, { folder: root })
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
  return { ok: problems.every(({ severity }) => severity === 'warning'), problems, fixed: [], checked }
}

/** The staged files that are or should be Tickets, and links, as `listTicketPaths` would find them in the work tree. */
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
    // What lies in a folder with the name of a Ticket file stands for that one.
    const at = below.findIndex(name => name.endsWith('.json'))
    if (at === -1 && mode !== LINK) continue
    const isFolder = at !== -1 && at < below.length - 1
    const named = isFolder ? [config.ticketsDir, ...below.slice(0, at + 1)].join('/') : path
    const unmerged = status === 'U' || files.get(named)?.unmerged === true
    files.set(named, { path: named, mode: isFolder ? 'folder' : mode, blob, unmerged })
  }
  return [...files.values()]
}

/** The index that git handed to the hook which started this; it counts only for the repository that we are run in. */
function indexOfHook(root: string): string | undefined {
  const cwd = realpathSync(process.cwd())
  return cwd === root || cwd.startsWith(root + sep) ? process.env.GIT_INDEX_FILE : undefined
}

/** What is wrong with a file whatever its bytes. */
function placeProblem({ mode, unmerged }: StagedFile): { code: string; message: string } | null {
  if (unmerged) {
    return { code: 'unmerged', message: 'a conflict that is not resolved yet: resolve it, and stage the file' }
  }
  if (mode === LINK) return { code: 'symbolic_link', message: 'a symbolic link: links are not followed' }
  if (mode === SUBMODULE) return { code: 'not_a_regular_file', message: 'a submodule in place of a Ticket file' }
  if (mode === 'folder') return { code: 'not_a_regular_file', message: 'a folder in place of a Ticket file' }
  return null
}

function contentProblem(
  { path }: StagedFile,
  bytes: Buffer | 'too_large' | null,
  checked: StagedReport['checked'],
): (Pick<StagedProblem, 'code' | 'message'> & Partial<StagedProblem>) | null {
  if (bytes === null) return { code: 'unreadable', message: 'git does not have the blob that is staged' }
  if (bytes === 'too_large') return { code: 'too_large', message: `larger than ${LIMITS.fileBytes} bytes` }
  try {
    const { ticket, canonical } = decodeTicket(bytes, idFromPath(path))
    checked.tickets++
    checked.decisions += ticket.decisions.length
    if (ticket.format > FORMAT) {
      const message = `has format ${ticket.format}, this version knows ${FORMAT}: what it adds is not checked`
      return { code: 'newer_format', message, severity: 'warning' }
    }
    if (canonical) return null
    const message = 'valid, but not in canonical form; "ticketplan verify --fix" writes it anew: stage it again then'
    return { code: 'not_canonical', message }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const place = error.place ? `line ${error.place.line}, column ${error.place.column}: ` : ''
    return { code: error.code, message: `${place}${error.message}` }
  }
}
