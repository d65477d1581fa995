/**
 * The same Ticket in the other worktrees of a clone.
 *
 * Reads their Ticket files, never their indexes. Git's own files say where the worktrees are, because starting git costs as
 * much as a query.
 */
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { readGitPath } from '../files/git-folder.ts'
import type { Repository } from '../files/repository.ts'
import { findTicketFile } from '../files/ticket-files.ts'
import { lazy } from '../model/lazy.ts'

/** A Ticket as another worktree has it. */
export interface OtherWorktree {
  /** The root of the worktree. */
  worktree: string
  state: string
  state_at: string | null
}

/** Returns a function that reads a Ticket, given by id and path from the root, in each other worktree that has it. */
export function worktreeReader(repository: Repository): (id: string, path: string) => OtherWorktree[] {
  const roots = lazy(() => otherRoots(repository))
  return (id, path) =>
    roots().flatMap(worktree => {
      const file = findTicketFile(worktree, path)
      if (!file?.readable || file.ticket.id !== id) return []
      return [{ worktree, state: file.ticket.state, state_at: file.ticket.state_at ?? null }]
    })
}

/** Returns the roots of all worktrees of a clone, the given one first. */
export function worktreeRoots(repository: Repository): string[] {
  return [repository.root, ...otherRoots(repository)]
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
  const main = basename(commonDir) === '.git' ? [dirname(commonDir)] : []
  return [...main, ...roots].filter(other => other !== root && existsSync(other))
}
