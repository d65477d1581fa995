/**
 * Sets up a checkout, and takes that back.
 *
 * In the work tree and in git's folder nothing is lost: what is there is kept, and what cannot be kept is not touched but
 * reported. What `init` adds outside git's own folder is noted beside the index, so that `--undo` takes out what this
 * checkout's `init` put in and not what came with a commit. A Ticket, an index or a claim is never touched.
 */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkFolders, commonDirOf, PLAIN_DIR, type Repository } from '../files/repository.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import { agentFiles } from './agent-files.ts'
import { attributesLine, withAttributesLine, withoutAttributesLine } from './attributes.ts'
import {
  applyConfig,
  applyFiles,
  type Changes,
  emptiedFolders,
  type FileChange,
  readLatin1,
  readLocalConfig,
} from './changes.ts'
import { cliCommand, driverCommand, type Programs } from './driver-config.ts'
import { CHECK_HOOK, callsTicketplan, SYNC_HOOKS, withoutBlock } from './hook-block.ts'
import { findHookFolder, hasCheckHook, planHook, type Skipped } from './hook-folder.ts'
import { NOTE_FILE, noteChanges, notedInsertions, notedPaths } from './init-note.ts'
import { installedPrograms } from './installed-programs.ts'
import { isFolder, isInside, isLinkedOutside, notOurs, notPlain, shownPath } from './paths.ts'

/** What was done, or would be; paths from the root, where they lie below it. */
export interface SetUp {
  made: string[]
  changed: string[]
  removed: string[]
  skipped: Skipped[]
}

export interface InitOptions {
  dryRun?: boolean
  /** Also the hook that checks staged Tickets. */
  preCommit?: boolean
  /** Also what agents read: AGENTS.md, .mcp.json and hooks that print the digest. */
  agents?: boolean
  programs?: Programs
  lockTimeoutMs?: number
}

/**
 * Makes what is missing, and brings what is of another version or place up to date.
 * @throws PlanError io, unsafe_path, no_git, git_failed, busy, contended; a second run then finishes it.
 */
export function initRepository(repository: Repository, options: InitOptions = {}): SetUp {
  return withoutRival(() => initOnce(repository, options))
}

function initOnce(repository: Repository, options: InitOptions): SetUp {
  const { root, ticketsDir, gitDir } = repository
  if (!gitDir && ['HEAD', 'objects', 'refs'].every(name => existsSync(join(root, name)))) {
    const message = `${root} is a bare repository, or git's own folder: run "ticketplan init" in a clone of it, or in a worktree`
    throw new PlanError('unsafe_path', message, { path: root })
  }
  for (const folder of [ticketsDir, join(root, PLAIN_DIR)]) checkFolders(root, folder)
  const changes: Changes = { config: [], folders: [], files: [], emptied: [] }
  const skipped: Skipped[] = []
  const makeFolder = (folder: string) => {
    const missing: string[] = []
    for (let at = folder; !isFolder(at) && !changes.folders.includes(at); at = dirname(at)) missing.unshift(at)
    changes.folders.push(...missing)
  }
  const add = (path: string, after: string, more: Pick<FileChange, 'mode' | 'inserted'> = {}) => {
    const before = readLatin1(path)
    if (before !== after) changes.files.push({ path, before, after, ...more })
  }
  makeFolder(ticketsDir)
  // git keeps no empty folder, and a clone must know that this is one of ours.
  if (changes.folders.length > 0 || readdirSync(ticketsDir).length === 0) add(join(ticketsDir, '.gitkeep'), '')
  if (gitDir) {
    const commonDir = commonDirOf(gitDir)
    const line = attributesLine(repository.config.ticketsDir)
    for (const path of attributesPaths(root, commonDir)) {
      const outside = isLinkedOutside(dirname(path), [root, commonDir])
        ? 'its folder is a link out of the repository'
        : null
      const why = notPlain(path) ?? outside
      if (why) skipped.push({ path, message: `${why}; add the line ${Buffer.from(line, 'latin1')}` })
      else {
        const before = readLatin1(path)
        add(path, before === null ? `${line}\n` : withAttributesLine(before, line))
      }
    }
    const place = findHookFolder(repository, commonDir)
    const checks = options.preCommit || hasCheckHook(place)
    for (const hook of [...SYNC_HOOKS, ...(checks ? ([CHECK_HOOK] as const) : [])]) {
      const planned = planHook(hook, place)
      if ('message' in planned) skipped.push(planned)
      else {
        if (!isInside(planned.path, commonDir)) makeFolder(dirname(planned.path))
        add(planned.path, planned.after, { mode: 0o755 })
      }
    }
    const known = readLocalConfig(root)
    changes.config = Object.entries(settings(options.programs ?? installedPrograms(root)))
      .filter(([key, value]) => known.get(key) !== value)
      .map(([key, value]) => ({ key, value }))
  } else {
    makeFolder(join(root, PLAIN_DIR))
    if (readLatin1(join(root, PLAIN_DIR, '.gitignore')) === null) add(join(root, PLAIN_DIR, '.gitignore'), '*\n')
  }
  for (const file of options.agents ? agentFiles(repository.config.ticketsDir) : []) {
    const path = join(root, file.path)
    const why = notOurs(root, path)
    const planned = why ? { message: `${why}: left as it is` } : file.add(readLatin1(path))
    if ('message' in planned) skipped.push({ path, message: planned.message })
    else {
      makeFolder(dirname(path))
      add(path, planned.after, { inserted: planned.inserted })
    }
  }
  if (!options.dryRun) {
    const noted = noteChanges(repository, changes)
    applyConfig(root, changes.config, options.lockTimeoutMs)
    applyFiles({ ...changes, files: [...noted, ...changes.files] })
  }
  return summary(repository, changes, skipped)
}

/**
 * Takes out what `init` added, and nothing else.
 * @throws PlanError io, unsafe_path, no_git, git_failed, busy, contended; a second run then finishes it.
 */
export function undoInit(repository: Repository, options: InitOptions = {}): SetUp {
  return withoutRival(() => undoOnce(repository, options))
}

function undoOnce(repository: Repository, options: InitOptions): SetUp {
  const { root, ticketsDir, gitDir } = repository
  for (const folder of [ticketsDir, join(root, PLAIN_DIR)]) checkFolders(root, folder)
  const changes: Changes = { config: [], folders: [], files: [], emptied: [] }
  const skipped: Skipped[] = []
  const noted = notedPaths(repository)
  const remove = (path: string, takeOut: (text: string) => string | null) => {
    const places = gitDir ? [root, commonDirOf(gitDir)] : [root]
    if (notPlain(path) || (!noted.has(path) && isLinkedOutside(dirname(path), places))) return
    const before = readLatin1(path)
    const after = before === null ? null : takeOut(before)
    if (before === null || after === before) return
    if (gitDir && !isInside(path, commonDirOf(gitDir)) && !noted.has(path)) {
      const message = 'it was there before "ticketplan init" ran here (it came with a commit, perhaps): left as it is'
      skipped.push({ path, message })
    } else changes.files.push({ path, before, after })
  }
  if (gitDir) {
    const commonDir = commonDirOf(gitDir)
    for (const path of attributesPaths(root, commonDir)) {
      remove(path, text => (text.endsWith('\n') ? withoutAttributesLine(text) || null : withoutAttributesLine(text)))
    }
    const folders = new Set([join(commonDir, 'hooks'), findHookFolder(repository, commonDir).folder])
    for (const folder of folders) {
      for (const hook of [...SYNC_HOOKS, CHECK_HOOK]) remove(join(folder, hook), withoutBlock)
    }
    const known = readLocalConfig(root)
    changes.config = Object.keys(settings(installedPrograms(root)))
      .filter(key => known.has(key))
      .map(key => ({ key, value: null }))
  }
  const insertions = notedInsertions(repository)
  for (const file of agentFiles(repository.config.ticketsDir)) {
    const path = join(root, file.path)
    const inserted = insertions.get(path) ?? []
    const why = notOurs(root, path)
    if (!why) remove(path, text => file.remove(text, inserted))
    const isLeft = inserted.length > 0 && !changes.files.some(change => change.path === path)
    if (isLeft && (why || callsTicketplan(readLatin1(path) ?? ''))) {
      const message = `${why ?? 'what "ticketplan init" put in was changed since'}: left as it is; take it out by hand`
      skipped.push({ path, message })
    }
  }
  const keep = join(ticketsDir, '.gitkeep')
  if (noted.has(keep) && readLatin1(keep) === '') changes.files.push({ path: keep, before: '', after: null })
  const ignore = join(root, PLAIN_DIR, '.gitignore')
  // The databases are hidden from a git that comes later for as long as they are there.
  if (
    !gitDir &&
    noted.has(ignore) &&
    readdirSync(dirname(ignore)).every(name => ['.gitignore', NOTE_FILE].includes(name))
  ) {
    changes.files.push({ path: ignore, before: readLatin1(ignore), after: null })
  }
  const notePath = join(repository.indexDir, NOTE_FILE)
  const noteText = readLatin1(notePath)
  if (noteText !== null) changes.files.push({ path: notePath, before: noteText, after: null })
  const gone = changes.files.filter(({ after }) => after === null).map(({ path }) => path)
  changes.emptied = emptiedFolders([...noted, repository.indexDir].filter(isFolder), gone)
  if (!options.dryRun) {
    applyFiles(changes)
    applyConfig(root, changes.config, options.lockTimeoutMs)
  }
  return summary(repository, changes, skipped)
}

/** Others that set up worktrees of the same clone at the same moment get in the way this often at most. */
const ATTEMPTS = 20

/** Plans and applies anew where another program changed one of the files in between. */
function withoutRival(action: () => SetUp): SetUp {
  for (let attempt = 1; ; attempt++) {
    try {
      return action()
    } catch (error) {
      if (attempt === ATTEMPTS || !isPlanError(error, 'contended')) throw error
    }
  }
}

function attributesPaths(root: string, commonDir: string): string[] {
  return [join(root, '.gitattributes'), join(commonDir, 'info', 'attributes')]
}

/** The keys of git's configuration, and what they are for these programs. */
function settings(programs: Programs): Record<string, string> {
  return {
    'merge.ticketplan.name': 'Ticket files, merged by meaning',
    'merge.ticketplan.driver': driverCommand(programs),
    'ticketplan.command': cliCommand(programs),
  }
}

function summary(repository: Repository, changes: Changes, skipped: Skipped[]): SetUp {
  const { gitDir, indexDir } = repository
  const files = changes.files.filter(({ path }) => path !== join(indexDir, NOTE_FILE))
  const paths = (which: (change: Changes['files'][number]) => boolean) => files.filter(which).map(({ path }) => path)
  const config = changes.config.length ? [configPath(repository)] : []
  const show = (all: string[]) => all.map(path => shownPath(repository.root, path))
  const created = paths(({ before }) => before === null)
  const below = changes.folders.flatMap(folder => [folder, ...created.filter(path => dirname(path) === folder)])
  return {
    made: show([...new Set([...below, ...created])]),
    changed: show([...paths(({ before, after }) => before !== null && after !== null), ...config]),
    removed: show([
      ...paths(({ after }) => after === null),
      ...changes.emptied.filter(path => !gitDir || path !== indexDir),
    ]),
    skipped: skipped.map(({ path, message }) => ({ path: shownPath(repository.root, path), message })),
  }
}

function configPath({ gitDir }: Repository): string {
  return join(commonDirOf(gitDir!), 'config')
}
