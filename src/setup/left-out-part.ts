/** What `init` must not create: files and folders that git has and a sparse checkout leaves out. */
import { existsSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { isInside } from '../files/is-inside.ts'
import type { Repository } from '../files/repository.ts'
import { checkOutCommand, findSparseIndex, listLeftOutFiles } from '../git/left-out-files.ts'
import type { Plan, Skipped } from './part.ts'

/** Returns the plan without new files that git's index has, nor folders that only these need. @throws PlanError no_git, git_failed, io. */
export function withoutLeftOut({ root, gitDir, ticketsDir }: Repository, plan: Required<Plan>): Required<Plan> {
  if (!gitDir || !findSparseIndex(gitDir)) return plan
  const inGit = (path: string) => relative(root, path).split(sep).join('/')
  const created = plan.files
    .filter(({ path, before }) => before === null && isInside(path, root))
    .map(({ path }) => path)
  const leftOut = listLeftOutFiles(root, [...created, ticketsDir].map(inGit)).map(({ path }) => join(root, path))
  const isLeftOut = (path: string) => leftOut.includes(path)
  const hasHiddenTickets = !existsSync(ticketsDir) && leftOut.some(path => isInside(path, ticketsDir))
  const isDropped = (path: string) => isLeftOut(path) || (hasHiddenTickets && isInside(path, ticketsDir))
  const dropped = [...created.filter(isDropped), ...(hasHiddenTickets ? [ticketsDir] : [])]
  const files = plan.files.filter(({ path, before }) => before !== null || !isDropped(path))
  const isNeeded = (folder: string) => files.some(({ path }) => isInside(path, folder))
  const isGone = (folder: string) => dropped.some(path => path === folder || isInside(path, folder))
  const skipped = dropped
    .filter(path => !hasHiddenTickets || !isInside(path, ticketsDir))
    .map((path): Skipped => {
      const command = checkOutCommand(root, inGit(path), path !== ticketsDir)
      return { path, message: `git has it, but the sparse checkout leaves it out; "${command}" checks it out` }
    })
  return {
    ...plan,
    files,
    folders: plan.folders.filter(folder => isNeeded(folder) || !isGone(folder)),
    skipped: [...plan.skipped, ...skipped],
  }
}
