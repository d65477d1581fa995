/**
 * Finds the main worktree of a clone from git's own files, given the folder that all its worktrees share.
 *
 * Limitation: git itself does not record it for a repository of `git init --separate-git-dir`; there it is unknown unless
 * core.worktree is set, as it is for submodules.
 */
import { readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isBare } from './bare-repository.ts'

/** Returns the root of the main worktree; undefined where there is none, because the repository is bare, or it is unknown. */
export function findMainRoot(commonDir: string): string | undefined {
  if (isBare(commonDir)) return undefined
  if (basename(commonDir) === '.git') return dirname(commonDir)
  // `git sparse-checkout` moves the setting of a submodule into the second file.
  const texts = ['config.worktree', 'config'].map(name => readText(join(commonDir, name)))
  const worktree = texts.map(coreWorktree).find(path => path !== undefined)
  return worktree === undefined ? undefined : resolve(commonDir, worktree)
}

/** Returns the value of core.worktree in a text of git's configuration. Included files are not read. */
function coreWorktree(text: string): string | undefined {
  let section = ''
  let path: string | undefined
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[(.*)\]/.exec(line)
    if (header) section = header[1]!.trim().toLowerCase()
    const value = /^\s*worktree\s*=\s*(.*)$/i.exec(line)?.[1]
    if (section === 'core' && value) path = unquote(value)
  }
  return path
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', b: '\b' }

/** Returns a value without quotes, escapes and the comment after it, as `parse_value` of git reads it. */
function unquote(value: string): string {
  let text = ''
  let end = 0
  let isQuoted = false
  for (const [, escaped, character = ''] of value.matchAll(/\\(.)|(.)/g)) {
    if (escaped === undefined && character === '"') isQuoted = !isQuoted
    else if (escaped === undefined && !isQuoted && /[#;]/.test(character)) break
    else text += escaped === undefined ? character : (ESCAPES[escaped] ?? escaped)
    if (isQuoted || character.trim() !== '' || escaped !== undefined) end = text.length
  }
  return text.slice(0, end)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
