/**
 * The same Ticket in the other worktrees of a clone.
 *
 * Reads their Ticket files, never their indexes. Git's own files say where the worktrees are, because starting git costs as
 * much as a query.
 */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readConfig } from '../files/config.ts'
import { readGitPath } from '../files/git-folder.ts'
import { findMainRoot } from '../files/main-worktree.ts'
import { CONFIG_FILE, type Repository } from '../files/repository.ts'
import { isPlanError } from '../model/errors.ts'
import type { InWorktree } from '../model/facts.ts'
import { lazy } from '../model/lazy.ts'
import { ticketFinder } from './ticket-elsewhere.ts'

/** Returns a function that finds a Ticket, given by id and path from the root, in each other worktree that has it. */
export function worktreeReader(repository: Repository): (id: string, path: string) => InWorktree[] {
  const finders = lazy(() => otherRoots(repository).map(worktree => ({ worktree, find: ticketFinder(worktree) })))
  return (id, path) =>
    finders().flatMap(({ worktree, find }) =>
      find(id, path).map(found => {
        if (!('ticket' in found)) return { worktree, path: found.unread, message: found.message }
        return { worktree, state: found.ticket.state, state_at: found.ticket.state_at ?? null }
      }),
    )
}

/** Returns the roots of all worktrees of a clone, the given one first. */
export function worktreeRoots(repository: Repository): string[] {
  return [repository.root, ...otherRoots(repository)]
}

/** Returns the root of another worktree that has a tickets folder, the main one first; undefined where none has. */
export function findOtherPlan(repository: Repository): string | undefined {
  return otherRoots(repository).find(root => {
    try {
      return existsSync(join(root, readConfig(join(root, CONFIG_FILE)).ticketsDir))
    } catch (error) {
      if (isPlanError(error)) return false // its configuration cannot be used
      throw error
    }
  })
}

/** The roots of the clone's other worktrees; a worktree whose folder is gone is left out. */
function otherRoots({ root, commonDir }: Repository): string[] {
  if (!commonDir) return []
  const linked = `${commonDir}/worktrees`
  if (!existsSync(linked)) return [] // a clone without linked worktrees: the usual case, and one system call
  const roots = readdirSync(linked).flatMap(name => {
    const file = join(linked, name, 'gitdir')
    return existsSync(file) ? [dirname(resolve(linked, name, readGitPath(file)))] : []
  })
  const main = findMainRoot(commonDir)
  return [...(main === undefined ? [] : [main]), ...roots].filter(other => other !== root && existsSync(other))
}
