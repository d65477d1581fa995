/**
 * Finds a folder for compiled code that only this user can change.
 *
 * Node's default is a folder in the system's temporary folder, and what lies there is compiled code that Node trusts: the user
 * who creates that folder first decides what runs for the others. Invariant: a folder that another user can write to or replace
 * is never used; without a private one there is no cache. Imports nothing, because every start runs it, on an old Node too.
 */

/** Returns the folder for the cache, created if needed, in `$XDG_CACHE_HOME` or `~/.cache`; null where it is not private. */
export function privateCacheFolder({ XDG_CACHE_HOME, HOME }: NodeJS.ProcessEnv): string | null {
  const { lstatSync, mkdirSync, realpathSync } = process.getBuiltinModule('node:fs')
  const { dirname, isAbsolute, join } = process.getBuiltinModule('node:path')
  const uid = process.getuid?.()
  if (uid === undefined || !HOME) return null

  const statFolder = (path: string) => {
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found) return found
    mkdirSync(path, { mode: 0o700 })
    return lstatSync(path)
  }
  const isOurs = (path: string) => {
    const stat = statFolder(path)
    return stat.isDirectory() && stat.uid === uid && (stat.mode & 0o077) === 0
  }
  /** True where no other user can write to the folder, or replace it or one above it. */
  const isSafe = (path: string): boolean => {
    const { uid: owner, mode } = lstatSync(path)
    const isLocked = (owner === uid || owner === 0) && (mode & 0o022) === 0
    const isSticky = owner === 0 && (mode & 0o1000) !== 0
    return (isLocked || isSticky) && (dirname(path) === path || isSafe(dirname(path)))
  }

  try {
    const isNamed = XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME)
    const base = isNamed ? XDG_CACHE_HOME : join(HOME, '.cache')
    if (!isNamed) statFolder(base)
    const parent = realpathSync.native(base)
    const own = join(parent, 'ticketplan')
    const folder = join(own, 'compile-cache')
    return isSafe(parent) && isOurs(own) && isOurs(folder) ? folder : null
  } catch {
    return null // no such home folder, a read-only one, a full disk, another process that creates the folder
  }
}
