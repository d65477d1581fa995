/**
 * What merges lost: decisions of either parent that a merge dropped without a trace.
 *
 * A trace is a revert (the parents' common version had the decision and one parent has removed it) or a retraction that
 * names it. What is back in the latest commit is not lost. Reads git's history alone, never the work tree.
 */
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Repository } from '../files/repository.ts'
import { readBlobs } from '../git/blobs.ts'
import { runGit, tryGit } from '../git/git.ts'
import { shellWord } from '../git/shell-word.ts'
import { PlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'

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

/** What a Ticket holds in one commit. */
interface Held {
  isThere: boolean
  /** Ids, with the text of each. */
  decisions: Map<string, string>
  retracted: Set<string>
}

/** A file of a commit. */
interface File {
  path: string
  blob: string
}

/** A merge, and the Tickets that it changed against any of its parents, by id. */
interface Merge {
  merge: string
  parents: string[]
  changed: Map<string, { result: File[]; sides: File[][] }>
}

/** So many merges are looked at in one run of git. */
const BATCH = 50

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
  checkWhole(root, start)
  const merges = lines(root, ['rev-list', '--merges', '--parents', `${start}..HEAD`]).map(line => line.split(' '))
  const losses = new Map<string, Loss>()
  const latest = lazy(() => ticketFiles(root, 'HEAD', config.ticketsDir))
  for (let done = 0; done < merges.length; done += BATCH) {
    progress?.(done, merges.length)
    const batch = listChanges(root, merges.slice(done, done + BATCH), config.ticketsDir)
    const read = holdings(
      root,
      batch.flatMap(({ changed }) => [...changed.values()].flatMap(({ result, sides }) => [result, ...sides].flat())),
    )
    for (const { merge, parents, changed } of batch) {
      const missing = [...changed].flatMap(([id, { result, sides }]) => missingOf(id, read(result), sides.map(read)))
      if (missing.length === 0) continue
      const ids = [...new Set(missing.map(({ id }) => id))]
      const heldIn = (files: ReadonlyMap<string, File[]>) => {
        const readThese = holdings(
          root,
          ids.flatMap(id => files.get(id) ?? []),
        )
        return (id: string) => readThese(files.get(id) ?? [])
      }
      const now = heldIn(latest())
      const known = new Map<string, ((id: string) => Held)[]>()
      const commonOf = (one: string, other: string) => {
        const common =
          known.get(`${one} ${other}`) ??
          commonVersions(root, [one, other]).map(base => heldIn(ticketFiles(root, base, config.ticketsDir)))
        known.set(`${one} ${other}`, common)
        return common
      }
      for (const { id, decision, text, position, missingIn } of missing) {
        const isIn = (held: Held) => (decision === null ? held.isThere : has(held, decision))
        if (isIn(now(id))) continue
        const parent = parents[position]!
        // Removed knowingly: a branch has not what its common version with this parent had, and this parent has as it was.
        const wasIn = (held: Held) => (decision === null ? held.isThere : held.decisions.get(decision) === text)
        if (missingIn.some(other => commonOf(parent, parents[other]!).some(held => wasIn(held(id))))) continue
        const { path } = changed.get(id)!.sides[position]!.find(file => isIn(read([file])))!
        const what = decision === null ? `Ticket ${id}` : `decision ${decision} of ${id}`
        const message = `the merge ${merge.slice(0, 10)} dropped the ${what}, which its parent ${parent.slice(0, 10)} has: see git show ${shown(`${parent.slice(0, 10)}:${path}`)}`
        losses.set(`${id} ${decision}`, { path, message })
      }
    }
  }
  return { merges: merges.length, losses: [...losses.values()] }
}

/** What a merge has not, and one of its parents has: a decision or, where that is null, the Ticket. */
interface Missing {
  id: string
  decision: string | null
  /** The decision's text in that parent. */
  text: string | undefined
  position: number
  /** The other parents that have it not. */
  missingIn: number[]
}

function missingOf(id: string, result: Held, sides: readonly Held[]): Missing[] {
  return sides.flatMap((side, position) => {
    const lost: (string | null)[] = [...side.decisions.keys()].filter(decision => !has(result, decision))
    if (side.isThere && side.decisions.size === 0 && !result.isThere) lost.push(null)
    return lost.map(decision => {
      const isIn = (other: Held) => (decision === null ? other.isThere : other.decisions.has(decision))
      const missingIn = sides.flatMap((other, at) => (at === position || isIn(other) ? [] : [at]))
      const text = decision === null ? undefined : side.decisions.get(decision)
      return { id, decision, text, position, missingIn }
    })
  })
}

/** The Ticket files that each merge changed, and the same Tickets' files in its parents. */
function listChanges(root: string, merges: readonly string[][], ticketsDir: string): Merge[] {
  const pairs = merges.flatMap(([merge, ...parents]) => parents.map(parent => `${merge} ${parent}\n`))
  const compare = [
    'diff-tree',
    '--stdin',
    '--always',
    '-r',
    '-z',
    '--raw',
    '--no-abbrev',
    '--no-renames',
    '--',
    ticketsDir,
  ]
  const words = runGit(root, ['--literal-pathspecs', ...compare], pairs.join(''))
    .toString()
    .split('\0')
  // Before what a merge changed against a parent stands its own id.
  let at = 0
  const changesOf = (): Map<string, [before: string, after: string]> => {
    const changes = new Map<string, [before: string, after: string]>()
    for (at++; words[at]?.startsWith(':'); at += 2) {
      const [, , before, after] = words[at]!.split(' ')
      const path = words[at + 1]!
      if (path.endsWith('.json')) changes.set(path, [before!, after!])
    }
    return changes
  }
  return merges.map(([merge, ...parents]) => {
    const changes = parents.map(changesOf)
    const changed: Merge['changed'] = new Map()
    for (const path of new Set(changes.flatMap(change => [...change.keys()]))) {
      const id = basename(path, '.json')
      const files = changed.get(id) ?? { result: [], sides: parents.map(() => []) }
      changed.set(id, files)
      const after = changes.find(change => change.has(path))!.get(path)![1]
      const add = (list: File[], blob: string) => /^0+$/.test(blob) || list.push({ path, blob })
      add(files.result, after)
      for (const [position, change] of changes.entries()) add(files.sides[position]!, change.get(path)?.[0] ?? after)
    }
    return { merge: merge!, parents, changed }
  })
}

/** The Ticket files of a commit, by id. */
function ticketFiles(root: string, commit: string, ticketsDir: string): Map<string, File[]> {
  const files = new Map<string, File[]>()
  const list = ['--literal-pathspecs', 'ls-tree', '-r', '-z', '--full-tree', commit, '--', ticketsDir]
  for (const entry of runGit(root, list).toString().split('\0')) {
    const [, blob, path] = /^100\d+ blob (\w+)\t([\s\S]+\.json)$/.exec(entry) ?? []
    if (!blob || !path) continue
    const id = basename(path, '.json')
    files.set(id, [...(files.get(id) ?? []), { path, blob }])
  }
  return files
}

/** Reads files; gives what those of one Ticket hold: it has one, or two while it moves between folders. */
function holdings(root: string, files: readonly File[]): (files: readonly File[]) => Held {
  const names = files.map(({ blob }) => blob)
  const held = new Map([...readBlobs(root, names)].map(([blob, bytes]) => [blob, heldBy(bytes)]))
  return files => {
    const all = files.flatMap(({ blob }) => held.get(blob) ?? [])
    return {
      isThere: all.length > 0,
      decisions: new Map(all.flatMap(({ decisions }) => [...decisions])),
      retracted: new Set(all.flatMap(({ retracted }) => [...retracted])),
    }
  }
}

function has({ decisions, retracted }: Held, decision: string): boolean {
  return decisions.has(decision) || retracted.has(decision)
}

/** As a word of a shell, where it needs to be. */
function shown(word: string): string {
  return /^[\w./:@-]+$/.test(word) ? word : shellWord(word)
}

/** Fails where the history between `start` and HEAD is not all there: what is cut off cannot be checked. */
function checkWhole(root: string, start: string): void {
  if (!isShallow(root)) return
  const [path] = lines(root, ['rev-parse', '--git-path', 'shallow'])
  const cut = new Set(readFileSync(resolve(root, path!), 'utf8').split('\n'))
  if (lines(root, ['rev-list', `${start}..HEAD`]).some(commit => cut.has(commit))) throw cutOff()
}

function isShallow(root: string): boolean {
  return lines(root, ['rev-parse', '--is-shallow-repository'])[0] === 'true'
}

function cutOff(): PlanError {
  const message =
    'the history of this clone is cut off (it is shallow), so its merges cannot be checked: run "git fetch --unshallow" first'
  return new PlanError('git_failed', message, { command: 'rev-list', status: 0, stderr: '' })
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
  const hint = isShallow(root) ? '; this clone is shallow: "git fetch --unshallow" gets the rest' : ''
  throw new PlanError('invalid_input', `verify: --since: git knows no commit ${JSON.stringify(revision)}${hint}`, {
    field: 'since',
  })
}

/** The commits from which the parents' branches parted; none where their histories share nothing, or are cut off. */
function commonVersions(root: string, parents: readonly string[]): string[] {
  const { status, stdout, stderr } = tryGit(root, ['merge-base', '--all', ...parents])
  if (status === 0) return stdout.toString().trim().split('\n')
  if (status !== 1) throw new PlanError('git_failed', stderr, { command: 'merge-base', status, stderr })
  if (isShallow(root)) throw cutOff()
  return []
}

function heldBy(bytes: Buffer | 'too_large'): Held {
  const decisions = decisionsIn(bytes === 'too_large' ? '' : bytes.toString())
  const retractions = decisions.filter(({ kind, retracts }) => kind === 'retraction' && retracts !== undefined)
  return {
    isThere: true,
    decisions: new Map(decisions.map(decision => [decision.id, JSON.stringify(decision)])),
    retracted: new Set(retractions.map(({ retracts }) => retracts!)),
  }
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
