/** Where git looks for this checkout's hooks, and what is to become of each of them. */
import { lstatSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { commonDirOf, type Repository } from '../files/repository.ts'
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
import { isFile, isFolder, isLinkedOutside, notPlain, shownPath, statOf } from './paths.ts'

/** What was left as it is, and what to do about it by hand. */
export interface Skipped {
  path: string
  message: string
}

/** Where hooks go: a folder to write to, or one that is not this repository's own, with the reason. */
export interface HookFolder {
  folder: string
  /** Run by husky, whose own scripts are made anew: through `sh -e`, whatever their first line and mode. */
  husky: boolean
  /** Why nothing is written there. */
  foreign?: string
}

/** The folder of this checkout's hooks, by `core.hooksPath` and who set it. @throws PlanError no_git, git_failed. */
export function findHookFolder(repository: Repository, commonDir: string): HookFolder {
  const place = configuredHookFolder(repository, commonDir)
  if (place.foreign !== undefined || !isLinkedOutside(place.folder, [repository.root, commonDir])) return place
  return { ...place, foreign: `a link leads from ${place.folder} out of the repository` }
}

function configuredHookFolder({ root }: Repository, commonDir: string): HookFolder {
  const words = runGit(root, ['config', '--type=path', '--show-scope', '-z', '--get-all', 'core.hooksPath'])
    .toString()
    .split('\0')
  let set: { scope: string; value: string } | undefined
  // The scope "command" is that of our own arguments.
  for (let i = 0; i + 1 < words.length; i += 2) {
    if (words[i] !== 'command') set = { scope: words[i]!, value: words[i + 1]! }
  }
  if (!set) return { folder: join(commonDir, 'hooks'), husky: false }
  const folder = resolve(root, set.value)
  if (set.value === '')
    return {
      folder: join(commonDir, 'hooks'),
      husky: false,
      foreign: 'core.hooksPath is empty, which switches hooks off',
    }
  if (set.scope === 'global' || set.scope === 'system') {
    const foreign = `core.hooksPath is set in git's ${set.scope} configuration, for other repositories too`
    return { folder, husky: false, foreign }
  }
  if (basename(folder) === '_' && basename(dirname(folder)) === '.husky')
    return { folder: dirname(folder), husky: true }
  return { folder, husky: false }
}

/** The hook with its block, or why it is left as it is. */
export function planHook(
  hook: HookName,
  { folder, husky, foreign }: HookFolder,
): { path: string; after: string } | Skipped {
  const path = join(folder, hook)
  const skip = (why: string): Skipped => ({ path, message: `${why}; add the line ${lineByHand(hook)}` })
  if (statOf(folder) && !isFolder(folder)) return skip(`${folder} is not a folder`)
  const text = isFile(path) ? (readLatin1(path) ?? '') : ''
  if (callsTicketplan(text) && !hasMarks(text)) return { path, after: text } // somebody has added the line
  if (foreign !== undefined) return skip(foreign)
  const stat = statOf(path, lstatSync)
  if (!stat) return { path, after: newHook(hook) }
  const why = notPlain(path)
  if (why) return skip(why)
  if (!husky && !(stat.mode & 0o111)) return skip('it is not executable, so git does not run it')
  if (!isShellScript(text) && !(husky && !text.startsWith('#!'))) return skip('it is not a script of a shell')
  const after = withBlock(text, hook)
  return after === null ? skip('one of the two marks of its lines of ticketplan is gone') : { path, after }
}

/** True where the hook that checks staged Tickets has our lines: they are kept up to date without being asked for again. */
export function hasCheckHook({ folder, foreign }: HookFolder): boolean {
  const path = join(folder, CHECK_HOOK)
  return foreign === undefined && isFile(path) && hasMarks(readLatin1(path) ?? '')
}

/** Whether a hook calls ticketplan; for `doctor`. */
export function hookStates(repository: Repository): { path: string; calls: boolean; byHand: string }[] {
  const place = findHookFolder(repository, commonDirOf(repository.gitDir!))
  return SYNC_HOOKS.map(hook => {
    const path = join(place.folder, hook)
    const text = isFile(path) ? (readLatin1(path) ?? '') : ''
    const calls = callsTicketplan(text) && (place.husky || (statOf(path)!.mode & 0o111) !== 0)
    return { path: shownPath(repository.root, path), calls, byHand: lineByHand(hook) }
  })
}
