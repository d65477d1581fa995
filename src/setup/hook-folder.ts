/**
 * Finds the folder of this checkout's hooks, and plans the change of each hook.
 *
 * Writes nothing. A hook that `init` must not change is reported with the line to add by hand.
 */
import { lstatSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Repository } from '../files/repository.ts'
import { runGit } from '../git/git.ts'
import { readLatin1 } from './changes.ts'
import {
  CHECK_HOOK,
  callsTicketplan,
  type HookName,
  hasMarks,
  isShellScript,
  lineByHand,
  newHook,
  SYNC_HOOKS,
  withBlock,
} from './hook-block.ts'
import { INCOMPLETE_BLOCK } from './marked-block.ts'
import type { Skipped } from './part.ts'
import { isFile, isFolder, isLinkedOutside, shownPath, statOf, whyNotPlain } from './paths.ts'

/** The folder of the hooks. */
export interface HookFolder {
  folder: string
  /** True where husky runs the hooks: with `sh -e`, whatever their first line and mode. It regenerates its own scripts. */
  husky: boolean
  /** Why nothing may be written there; absent where the folder is this repository's own. */
  foreign?: string
}

/** Finds the folder of this checkout's hooks, by `core.hooksPath` and where that is set. @throws PlanError no_git, git_failed. */
export function findHookFolder(repository: Repository, commonDir: string): HookFolder {
  const place = configuredHookFolder(repository, commonDir)
  if (place.foreign !== undefined || !isLinkedOutside(place.folder, [repository.root, commonDir])) return place
  return { ...place, foreign: `${place.folder} is a link out of the repository` }
}

function configuredHookFolder({ root }: Repository, commonDir: string): HookFolder {
  const words = runGit(root, ['config', '--type=path', '--show-scope', '-z', '--get-all', 'core.hooksPath'])
    .toString()
    .split('\0')
  let set: { scope: string; value: string } | undefined
  // The scope "command" is that of the arguments with which git is started here.
  for (let i = 0; i + 1 < words.length; i += 2) {
    if (words[i] !== 'command') set = { scope: words[i]!, value: words[i + 1]! }
  }
  const byDefault = { folder: join(commonDir, 'hooks'), husky: false }
  if (!set) return byDefault
  if (set.value === '') return { ...byDefault, foreign: 'core.hooksPath is empty, which disables hooks' }
  const folder = resolve(root, set.value)
  if (set.scope === 'global' || set.scope === 'system') {
    const foreign = `core.hooksPath is set in git's ${set.scope} configuration and applies to other repositories too`
    return { folder, husky: false, foreign }
  }
  const husky = basename(folder) === '_' && basename(dirname(folder)) === '.husky'
  return { folder: husky ? dirname(folder) : folder, husky }
}

/** Returns the hook with its block, or why it must not be changed. */
export function planHook(
  hook: HookName,
  { folder, husky, foreign }: HookFolder,
): { path: string; after: string } | Skipped {
  const path = join(folder, hook)
  const skip = (why: string): Skipped => ({ path, message: `${why}; add the line ${lineByHand(hook)}` })
  if (statOf(folder) && !isFolder(folder)) return skip(`${folder} is not a folder`)
  const text = isFile(path) ? (readLatin1(path) ?? '') : ''
  if (callsTicketplan(text) && !hasMarks(text)) return { path, after: text } // somebody added the line by hand
  if (foreign !== undefined) return skip(foreign)
  const stat = statOf(path, lstatSync)
  if (!stat) return { path, after: newHook(hook) }
  const why = whyNotPlain(path)
  if (why) return skip(why)
  if (!husky && !(stat.mode & 0o111)) return skip('it is not executable, so git does not run it')
  if (!isShellScript(text) && !(husky && !text.startsWith('#!'))) return skip('it is not a shell script')
  const after = withBlock(text, hook)
  return after === null ? skip(INCOMPLETE_BLOCK) : { path, after }
}

/** True where the hook that checks staged Tickets has our block, which every `init` then updates. */
export function hasCheckHook({ folder, foreign }: HookFolder): boolean {
  const path = join(folder, CHECK_HOOK)
  return foreign === undefined && isFile(path) && hasMarks(readLatin1(path) ?? '')
}

/** Lists the hooks that update the index, and whether each calls ticketplan; for `doctor`. */
export function hookStates(repository: Repository): { path: string; calls: boolean; byHand: string }[] {
  const place = findHookFolder(repository, repository.commonDir!)
  return SYNC_HOOKS.map(hook => {
    const path = join(place.folder, hook)
    const text = isFile(path) ? (readLatin1(path) ?? '') : ''
    const calls = callsTicketplan(text) && (place.husky || (statOf(path)!.mode & 0o111) !== 0)
    return { path: shownPath(repository.root, path), calls, byHand: lineByHand(hook) }
  })
}
