/**
 * What merges lost: decisions of either parent that a merge dropped without a trace.
 *
 * A trace is a revert (the parents' common version had the decision and one parent has removed it) or a retraction that
 * names it. What is back in the latest commit is not lost. Reads git's history alone, never the work tree.
 */
import { basename } from 'node:path'
import { runGit, tryGit } from '../files/git.ts'
import { readBlobs } from '../files/git-blobs.ts'
import type { Repository } from '../files/repository.ts'
import { PlanError } from '../model/errors.ts'

/** A decision, or a Ticket without decisions, that a merge dropped. */
export interface Loss {
  path: string
  message: string
}

/** What of the history was looked at. */
export interface MergeCheck {
  merges: number
  losses: Loss[]
}

/** A path that a merge changed against one of its parents. */
interface Changed {
  path: string
  id: string
}

/** What a Ticket holds in one commit. */
interface Held {
  isThere: boolean
  decisions: Set<string>
  retracted: Set<string>
}

/**
 * Checks every merge that HEAD has and `since` has not.
 * @throws PlanError invalid_input where `since` names no commit; no_git, git_failed.
 */
export function findMergeLosses(
  { root, gitDir, config }: Repository,
  since: string,
  progress?: (done: number, total: number) => void,
): MergeCheck {
  if (!gitDir) throw new PlanError('no_git', `${root} is not in a git repository: it has no history`, { folder: root })
  const start = commitOf(root, since)
  const merges = lines(root, ['rev-list', '--merges', '--parents', `${start}..HEAD`]).map(line => line.split(' '))
  const losses = new Map<string, Loss>()
  for (const [done, [merge, ...parents]] of merges.entries()) {
    progress?.(done, merges.length)
    const changed = new Map<string, Changed>()
    for (const parent of parents) {
      const compared = ['diff-tree', '-r', '-z', '--no-renames', '--name-only', parent, merge!, '--', config.ticketsDir]
      for (const path of runGit(root, ['--literal-pathspecs', ...compared])
        .toString()
        .split('\0')) {
        if (path.endsWith('.json') && !path.includes('\n')) changed.set(path, { path, id: basename(path, '.json') })
      }
    }
    if (changed.size === 0) continue
    const bases = commonVersions(root, parents)
    const commits = [...new Set([merge!, 'HEAD', ...parents, ...bases])]
    const blobs = readBlobs(
      root,
      commits.flatMap(commit => [...changed.keys()].map(path => `${commit}:${path}`)),
    )
    const held = (commit: string, id: string) =>
      heldBy([...changed.values()].filter(file => file.id === id).map(({ path }) => blobs.get(`${commit}:${path}`)))
    for (const id of new Set([...changed.values()].map(({ id }) => id))) {
      const [result, latest] = [held(merge!, id), held('HEAD', id)]
      const common = bases.map(base => held(base, id))
      const sides = parents.map(parent => held(parent, id))
      const path = [...changed.values()].find(file => file.id === id)!.path
      for (const [position, side] of sides.entries()) {
        const others = sides.filter((_, other) => other !== position)
        const where = `${merge!.slice(0, 10)} dropped`
        const from = `${parents[position]!.slice(0, 10)}; "git show ${parents[position]!.slice(0, 10)}:${path}" has it`
        for (const decision of side.decisions) {
          if (result.decisions.has(decision) || result.retracted.has(decision)) continue
          if (latest.decisions.has(decision) || latest.retracted.has(decision)) continue
          const reverted =
            common.some(base => base.decisions.has(decision)) && others.some(other => !other.decisions.has(decision))
          const message = `the merge ${where} the decision ${decision} of its parent ${from}`
          if (!reverted) losses.set(`${id} ${decision}`, { path, message })
        }
        if (!side.isThere || result.isThere || latest.isThere || side.decisions.size > 0) continue
        const deleted = common.some(base => base.isThere) && others.some(other => !other.isThere)
        const message = `the merge ${where} the Ticket ${id} of its parent ${from}`
        if (!deleted) losses.set(id, { path, message })
      }
    }
  }
  return { merges: merges.length, losses: [...losses.values()] }
}

function commitOf(root: string, revision: string): string {
  const { status, stdout } = tryGit(root, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${revision}^{commit}`,
  ])
  const commit = stdout.toString().trim().split('\n').at(-1)!
  if (status === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit
  const shallow = lines(root, ['rev-parse', '--is-shallow-repository'])[0] === 'true'
  const hint = shallow ? '; this clone is shallow: "git fetch --unshallow" gets the rest' : ''
  throw new PlanError('invalid_input', `verify: --since: git knows no commit ${JSON.stringify(revision)}${hint}`, {
    field: 'since',
  })
}

/** The commits from which the parents' branches parted; none where their histories share nothing, or are cut off. */
function commonVersions(root: string, parents: readonly string[]): string[] {
  const { status, stdout, stderr } = tryGit(root, ['merge-base', '--all', ...parents])
  if (status === 0) return stdout.toString().trim().split('\n')
  if (status !== 1) throw new PlanError('git_failed', stderr, { command: 'merge-base', status, stderr })
  if (lines(root, ['rev-parse', '--is-shallow-repository'])[0] !== 'true') return []
  const message = 'the history of this clone is cut off before the branches part: run "git fetch --unshallow" first'
  throw new PlanError('git_failed', message, { command: 'merge-base', status, stderr: message })
}

/** What the files of one Ticket hold: it has one, or two while it moves between folders. */
function heldBy(files: readonly (Buffer | 'too_large' | undefined)[]): Held {
  const held: Held = { isThere: false, decisions: new Set(), retracted: new Set() }
  for (const bytes of files) {
    if (bytes === undefined) continue
    held.isThere = true
    for (const { id, kind, retracts } of decisionsIn(bytes === 'too_large' ? '' : bytes.toString())) {
      held.decisions.add(id)
      if (kind === 'retraction' && retracts !== undefined) held.retracted.add(retracts)
    }
  }
  return held
}

/** The decisions of a text; of one that cannot be read (a merge that was committed with its markers), what looks like one. */
function decisionsIn(text: string): { id: string; kind?: string; retracts?: string }[] {
  try {
    const { decisions } = JSON.parse(text) as { decisions?: { id: string }[] }
    if (Array.isArray(decisions)) return decisions.filter(decision => typeof decision?.id === 'string')
  } catch {}
  return [...text.matchAll(/"id"\s*:\s*"([0-7][0-9A-HJKMNP-TV-Z]{25})"/g)].map(match => ({ id: match[1]! }))
}

function lines(root: string, args: readonly string[]): string[] {
  return runGit(root, args).toString().split('\n').filter(Boolean)
}
