/**
 * Finds what the next commit would lose: decisions that exist in its parents and are changed or missing in what is staged.
 *
 * The same rules as for the commits of a history, so that a commit which passes here passes later too.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Repository } from '../files/repository.ts'
import { findCommit } from '../git/git.ts'
import { listTicketFolders, readStaged } from './commit-history.ts'
import { filesOf, findMissing, lossText, type Missing, pathInParent, showCommand } from './missing-decisions.ts'
import { findReverts, suspectOf } from './reverts.ts'
import { readContents } from './ticket-content.ts'
import { isRemovedByBranch, ticketHistory } from './ticket-history.ts'

/** A decision or Ticket that the next commit would lose. */
export interface StagedLoss {
  code: 'changed_decision' | 'dropped_decision' | 'deleted_ticket'
  path: string
  message: string
}

/** Compares what is staged with HEAD and, in a merge, with the other parents. @throws PlanError git_failed. */
export function findStagedLosses(repository: Repository, indexFile: string | undefined): StagedLoss[] {
  const { root, gitDir } = repository
  const head = findCommit(root, 'HEAD') // undefined before the first commit
  const parents = [...(head === undefined ? [] : [head]), ...readMergeHeads(gitDir!)]
  if (parents.length === 0) return []
  const read = (folders: readonly string[]) => readStaged(root, parents, folders, indexFile)
  const plain = read([repository.config.ticketsDir])
  const folders = listTicketFolders(repository, [plain])
  const staged = folders.length > 1 ? read(folders) : plain
  const contentOf = readContents(root, filesOf(staged))
  const missing = findMissing(staged, contentOf)
  const lost = parents.length === 1 ? withoutReverts(missing) : withoutRemovals(missing)
  return [...Map.groupBy(lost, ({ id }) => id)].flatMap(([id, group]) => {
    const { inCommit, inParents } = staged.changed.get(id)!
    const isDeleted = inCommit.length === 0
    return (isDeleted ? group.slice(0, 1) : group).map((one): StagedLoss => {
      const path = pathInParent(one, staged, contentOf)
      const decisions = isDeleted ? contentOf(inParents[one.parent]!).decisions.size : 0
      const source = one.parent === 0 ? 'HEAD' : parents[one.parent]!.slice(0, 10)
      const what = lossText(one, 'present', decisions)
      const message = `the next commit ${what}; restore it (${showCommand(source, path)}), and record a retraction or a new decision instead`
      const code = isDeleted ? 'deleted_ticket' : one.how === 'changed' ? 'changed_decision' : 'dropped_decision'
      return { code, path, message }
    })
  })

  function withoutReverts(all: readonly Missing[]): Missing[] {
    const ids = [...new Set(all.map(({ id }) => id))]
    const reverts = findReverts(
      repository,
      ids.map(id => suspectOf(staged, id, contentOf)),
      folders,
    )
    const reverted = new Set([...reverts].map(({ id }) => id))
    return all.filter(({ id }) => !reverted.has(id))
  }

  function withoutRemovals(all: readonly Missing[]): Missing[] {
    const history = ticketHistory(
      root,
      all.map(({ id }) => id),
      folders,
    )
    return all.filter(one => !isRemovedByBranch(one, parents, history))
  }
}

/** Returns the other parents of the merge that is going on. */
function readMergeHeads(gitDir: string): string[] {
  try {
    return readFileSync(join(gitDir, 'MERGE_HEAD'), 'utf8')
      .split('\n')
      .filter(line => /^[0-9a-f]{40,64}$/.test(line))
  } catch {
    return []
  }
}
