/**
 * Replays the history of a source of Tickets: imports each commit of it into a repository of its own, and compares the verdict on
 * each queued Ticket with that of an oracle that reads the source itself.
 *
 * Every commit is imported afresh: what an import keeps against its source when it follows it is not compared.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openPlan, type Plan } from '../src/index.ts'
import { isPlanError } from '../src/model/errors.ts'
import { BEADS_STATES, beadsVerdicts } from '../src/test-support/beads-oracle.ts'
import { temporaryFolder, temporaryRepository } from '../src/test-support/temporary-repository.ts'
import { yoiVerdicts } from '../src/test-support/yoi-oracle.ts'
import {
  checkoutRoot,
  historyCopy,
  listCommits,
  listPaths,
  type ReplayCommit,
  ReplayProblem,
} from './replay-history.ts'

export type ReplaySystem = 'yoi' | 'beads'
type Verdicts = Map<string, string>
/** Returns the verdict on each queued Ticket of the source at a path. */
export type Oracle = (path: string, commit: ReplayCommit) => Verdicts

interface ReplaySource {
  what: string
  oracle: Oracle
  config: object
  /** Returns where the source can be, given the paths of all files, the best first. */
  places(paths: readonly string[]): string[]
  isPart(path: string): boolean
}

export const REPLAY_SOURCES: Record<ReplaySystem, ReplaySource> = {
  yoi: {
    what: 'a folder of <id>/item.md',
    oracle: yoiVerdicts,
    config: {},
    places(paths) {
      const counts = new Map<string, number>()
      for (const path of paths) {
        const folder = /^(.+)\/[^/]+\/item\.md$/.exec(path)?.[1]
        if (folder !== undefined) counts.set(folder, (counts.get(folder) ?? 0) + 1)
      }
      return [...counts].sort((a, b) => b[1] - a[1]).map(([folder]) => folder)
    },
    isPart: path => /\/(item\.md|artifacts\/(orchestration-plan\.jsonl|relations\.json))$/.test(path),
  },
  beads: {
    what: 'a file .beads/*.jsonl',
    oracle: (path, { at }) => beadsVerdicts(path, at),
    config: { states: BEADS_STATES },
    places: paths =>
      ['issues', 'beads', '[^/]+'].flatMap(name =>
        paths.filter(path => new RegExp(`(^|/)\\.beads/${name}\\.jsonl$`).test(path)),
      ),
    isPart: () => true,
  },
}

export interface Difference {
  commit: string
  id: string
  /** What was asked. */
  asked: 'queue' | 'consult'
  /** "absent" where it has no verdict. */
  program: string
  oracle: string
}

export interface Replay {
  /** The source, from the root of the checkout. */
  path: string
  commits: number
  /** Commits in which the source is not there. */
  without: number
  /** Commits that the import refused, and why. */
  refused: { commit: string; message: string }[]
  /** Tickets imported, over all commits. */
  tickets: number
  /** Parts of records that the imports reported as not imported. */
  dropped: number
  verdicts: number
  accepts: number
  differences: Difference[]
}

export interface ReplayOptions {
  system: ReplaySystem
  checkout: string
  /** The source, from the root of the checkout; without it, where such a source is in HEAD. */
  path?: string | undefined
  /** The number of newest commits to replay; without it, all of them. */
  last?: number | undefined
  oracle?: Oracle
  onCommit?: (done: number, all: number) => void
}

/** Replays a history. @throws ReplayProblem where there is none. */
export function replay({ system, checkout, last, onCommit = () => {}, ...options }: ReplayOptions): Replay {
  const source = REPLAY_SOURCES[system]
  const root = checkoutRoot(checkout)
  const path = options.path?.replace(/\/+$/, '') ?? source.places(listPaths(root))[0]
  if (path === undefined) {
    const hint = 'name its path from the root with --path if it is elsewhere'
    throw new ReplayProblem(`${checkout} has no ${system} source (${source.what}) in HEAD; ${hint}`)
  }
  if (/^\/|(^|\/)\.\.?(\/|$)|^$/.test(path))
    throw new ReplayProblem('--path takes a path from the root of the checkout')
  const commits = listCommits(root, path, last)
  if (commits.length === 0)
    throw new ReplayProblem(`no commit of ${checkout} has ${path}; name what git has with --path`)
  const result: Replay = {
    path,
    commits: commits.length,
    without: 0,
    refused: [],
    tickets: 0,
    dropped: 0,
    verdicts: 0,
    accepts: 0,
    differences: [],
  }
  using folder = temporaryFolder()
  const target = join(folder.path, 'source')
  const copy = historyCopy(root, path, target, source.isPart)
  for (const [position, commit] of commits.entries()) {
    if (copy.move(commit.id) === 0) result.without++
    else replayCommit(result, { system, target, commit, oracle: options.oracle ?? source.oracle })
    onCommit(position + 1, commits.length)
  }
  return result
}

interface CommitToReplay {
  system: ReplaySystem
  target: string
  commit: ReplayCommit
  oracle: Oracle
}

function replayCommit(result: Replay, { system, target, commit, oracle }: CommitToReplay): void {
  using repository = temporaryRepository()
  writeFileSync(join(repository.root, 'ticketplan.json'), JSON.stringify(REPLAY_SOURCES[system].config))
  using plan = openPlan({ root: repository.root, actor: 'replay', now: () => Date.parse(commit.at) })
  try {
    const { tickets, dropped } = plan.import({ system, path: target })
    result.tickets += tickets
    result.dropped += dropped.length
  } catch (error) {
    if (!isPlanError(error, 'import_source')) throw error
    result.refused.push({ commit: commit.id, message: error.message.replaceAll(target, result.path) })
    return
  }
  compare(result, commit, plan, oracle(target, commit))
}

function compare(result: Replay, { id: commit }: ReplayCommit, plan: Plan, expected: Verdicts): void {
  const queue = new Map(plan.queue().queue.map(({ ticket, verdict }) => [ticket.id as string, verdict as string]))
  for (const id of new Set([...expected.keys(), ...queue.keys()])) {
    const oracle = expected.get(id) ?? 'absent'
    const answers = {
      queue: queue.get(id) ?? 'absent',
      consult: queue.has(id) ? plan.consult({ ticket: id }).verdict : 'absent',
    }
    result.verdicts++
    if (oracle === 'accept') result.accepts++
    for (const asked of ['queue', 'consult'] as const)
      if (answers[asked] !== oracle) result.differences.push({ commit, id, asked, program: answers[asked], oracle })
  }
}
