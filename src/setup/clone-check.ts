/**
 * Checks what git does with Ticket files in this clone: the merge driver, ignore rules, filters, and whether git works at all.
 *
 * The answer costs a few runs of git, so commands that write keep it beside the index until one of git's files that decide
 * it changes. It is advice: a check that fails never fails a command.
 */
import { lstatSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { replaceFile } from '../files/atomic-write.ts'
import { statKey } from '../files/file-system.ts'
import { isInside } from '../files/is-inside.ts'
import type { Repository } from '../files/repository.ts'
import { findGitConfig, runGit, tryGit, whyRefused } from '../git/git.ts'
import { isPlanError } from '../model/errors.ts'
import { attributesLine } from './attributes.ts'
import { readLatin1 } from './changes.ts'

/** What git does with Ticket files that it should not, and what to do. */
export interface CloneProblem {
  code: 'refused' | 'no_driver' | 'ignored' | 'filtered' | 'converted'
  message: string
}

/** Returns what is wrong in this clone; nothing outside git, and where git cannot be started. @throws PlanError git_failed. */
export function checkClone({ root, gitDir, config }: Repository): CloneProblem[] {
  if (!gitDir) return []
  const refusal = whyRefused(root)
  if (refusal !== null) return [{ code: 'refused', message: refusal }]
  const path = `${config.ticketsDir}/x.json`
  const problems: CloneProblem[] = []
  const lineAdvice = (attribute: string) => {
    const line = `${Buffer.from(attributesLine(config.ticketsDir), 'latin1')}`.replace(/ .*/s, ` ${attribute}`)
    return `add the line "${line}" at the end of .gitattributes`
  }
  const words = runGit(root, ['check-attr', '-z', 'merge', 'filter', 'working-tree-encoding', '--', path])
    .toString()
    .split('\0')
  const [merge, filter, encoding] = [words[2]!, words[5]!, words[8]!]
  if (merge === 'ticketplan' && findGitConfig(root, 'merge.ticketplan.driver') === undefined) {
    const message =
      'this clone has no merge driver, so git merges Ticket files as text; run "ticketplan init" once in each clone'
    problems.push({ code: 'no_driver', message })
  }
  const rule = ignoreRule(root, path)
  if (rule !== null) {
    const message = `git ignores new files in ${config.ticketsDir}/ (${rule}), so their decisions are in no commit; remove that rule, or add the line "!/${config.ticketsDir}/**" to .gitignore`
    problems.push({ code: 'ignored', message })
  }
  if (!['unspecified', 'unset'].includes(filter)) {
    const message = `git stores ${path} through the filter "${filter}", so commits have no readable Ticket files to merge and check; ${lineAdvice('-filter')}`
    problems.push({ code: 'filtered', message })
  }
  // Git converts nothing from and to UTF-8, and refuses the values true and false.
  if (encoding !== 'unspecified' && !/^utf-?8$/i.test(encoding)) {
    const message = `git converts ${path} to the working-tree-encoding "${encoding}", so a checkout has no readable Ticket files, which are UTF-8; ${lineAdvice('!working-tree-encoding')}`
    problems.push({ code: 'converted', message })
  }
  return problems
}

/** Returns the rule by which git ignores a path, as "file:line: pattern"; null where it does not. */
function ignoreRule(root: string, path: string): string | null {
  const { status, stdout } = tryGit(root, ['check-ignore', '--verbose', '--', path])
  if (status !== 0) return null
  const rule = stdout.toString().split('\t')[0]!
  return /:\d+:!/.test(rule) ? null : rule.replace(/^(.*?:\d+):/, '$1: ')
}

const CACHE_FILE = 'clone-check.json'
const CACHE_MS = 3_600_000

/** Returns the messages of `checkClone`, kept until git's files change, for an hour at most. Never throws. */
export function cloneWarnings(repository: Repository, nowMs = Date.now()): string[] {
  if (!repository.gitDir) return []
  try {
    const path = join(repository.indexDir, CACHE_FILE)
    const key = keyOf(repository)
    const known = isPlainFile(path) ? parseCache(readLatin1(path)) : null
    if (known?.key === key && Math.abs(nowMs - known.checkedAt) < CACHE_MS) return known.messages
    const messages = checkClone(repository).map(({ message }) => message)
    writeCache(path, `${JSON.stringify({ key, checkedAt: nowMs, messages })}\n`)
    return messages
  } catch (error) {
    if (isPlanError(error)) return []
    throw error
  }
}

/** Returns a text that changes with the files in which git finds attributes, ignore rules and its configuration. */
function keyOf({ root, gitDir, commonDir, ticketsDir }: Repository): string {
  const folders = [root]
  for (let folder = ticketsDir; isInside(folder, root); folder = dirname(folder)) folders.push(folder)
  const files = [
    ...['config', 'info/attributes', 'info/exclude'].map(name => join(commonDir!, name)),
    ...folders.flatMap(folder => ['.gitattributes', '.gitignore'].map(name => join(folder, name))),
  ]
  const keys = files.map(path => statKey(statSync(path, { throwIfNoEntry: false })))
  const owners = [root, gitDir!].map(path => statSync(path, { throwIfNoEntry: false })?.uid)
  return [ticketsDir, process.getuid?.(), ...owners, ...keys].join('|')
}

/** False for a link, which is not followed, and a FIFO, for which a reader would wait. */
function isPlainFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true
}

/** A file that cannot be written means that git is asked again. */
function writeCache(path: string, text: string): void {
  try {
    replaceFile(path, text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
  }
}

function parseCache(text: string | null): { key: string; checkedAt: number; messages: string[] } | null {
  try {
    const { key, checkedAt, messages } = JSON.parse(Buffer.from(text ?? '', 'latin1').toString())
    const isValid = typeof key === 'string' && typeof checkedAt === 'number' && Array.isArray(messages)
    return isValid ? { key, checkedAt, messages: messages.map(String) } : null
  } catch {
    return null
  }
}
