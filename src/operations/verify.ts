import { lstatSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import * as z from 'zod/mini'
import { ioError } from '../files/io-error.ts'
import { listOrphans } from '../files/ticket-listing.ts'
import { unmergedTickets } from '../merging/conflict-versions.ts'
import { findHistoryLosses } from '../merging/history-losses.ts'
import { verifyStaged } from '../merging/staged-tickets.ts'
import type { AnyFields } from '../model/decision.ts'
import { isPlanError } from '../model/errors.ts'
import type { States } from '../model/states.ts'
import { listSetupOrphans } from '../setup/setup-orphans.ts'
import type { Store } from '../store/store.ts'
import type { IndexQueries } from '../ticket-index/query.ts'
import { problemsOf } from './answers.ts'
import { limited, moreShape, optionalLimit } from './limit.ts'
import { filledLine, flag, operation } from './operation.ts'
import { type Problem, problemShape } from './shapes.ts'
import { decisionPathWarnings, unknownStateText } from './warnings.ts'

/** The age at which a temporary file no longer belongs to a running writer, and to a suspended one. */
const ORPHAN_MS = { reported: 60_000, removed: 3_600_000 }

/** Checks every Ticket file, and the index. */
export const verify = operation({
  name: 'verify',
  summary: 'Check every Ticket file, and that the index equals them',
  details:
    'Exit status 4 if there is an error, 0 if there are only warnings, such as a relation to a Ticket that has no file yet or a home path in a text. --fix rewrites valid files that are not in canonical form, rebuilds an index that differs from the files, and removes temporary files of a crash once they are an hour old; a file that it cannot repair is reported, and it goes on. It never changes a file that cannot be read. --since and --staged also report decisions that were dropped or changed under their ids, and deleted Ticket files, unless a retraction names them or the change exactly inverts an earlier one, as git revert does.',
  writes: true,
  fields: {
    fix: { schema: flag, help: 'repair what needs no decision by a person' },
    staged: {
      schema: flag,
      help: 'check the Ticket files staged for the next commit instead of those in the worktree',
    },
    since: {
      schema: z.optional(filledLine),
      help: 'also check that no commit after this one has lost or changed a decision',
      value: 'rev',
    },
    limit: optionalLimit('problems, errors first'),
  },
  output: () =>
    z.object({
      ok: z.boolean(),
      problems: z.array(problemShape()),
      more: moreShape,
      /** With a limit: how many problems there are. */
      total: z.optional(z.object({ errors: z.int(), warnings: z.int() })),
      /** Paths of repaired files. */
      fixed: z.array(z.string()),
      checked: z.object({
        tickets: z.int(),
        decisions: z.int(),
        /** Merges after `since`. */
        merges: z.optional(z.int()),
      }),
    }),
  examples: [
    'ticketplan verify',
    'ticketplan verify --fix',
    'ticketplan verify --staged',
    'ticketplan verify --since origin/main',
  ],
  check({ fix, staged, since }, nameOf) {
    if (staged && fix) {
      const message = `${nameOf('fix')} repairs the work tree, ${nameOf('staged')} checks git's index; give only one of them`
      return { field: 'fix', message }
    }
    if (!staged || since === undefined) return undefined
    const message = `${nameOf('staged')} checks the next commit, ${nameOf('since')} past merges; give only one of them`
    return { field: 'since', message }
  },
  run(store, { limit, ...input }): Verified {
    const found = findProblems(store, input)
    if (limit === undefined) return found
    const errors = found.problems.filter(({ severity }) => severity === 'error')
    const warnings = found.problems.filter(({ severity }) => severity !== 'error')
    const { entries, more } = limited([...errors, ...warnings], limit)
    return { ...found, problems: entries, more, total: { errors: errors.length, warnings: warnings.length } }
  },
  exitStatus: ({ ok }) => (ok ? 0 : 4),
})

type Verified = {
  ok: boolean
  problems: Problem[]
  fixed: string[]
  checked: { tickets: number; decisions: number; merges?: number | undefined }
  more?: boolean | undefined
  total?: { errors: number; warnings: number }
}

interface VerifyInput {
  fix: boolean
  staged: boolean
  since?: string | undefined
}

function findProblems(store: Store, { fix, staged, since }: VerifyInput): Verified {
  if (staged) return verifyStaged(store.repository)
  const history = since === undefined ? null : findHistoryLosses(store.repository, since, store.progress)
  store.read(() => {})
  const { fixed, failed } = fix ? repair(store) : { fixed: [], failed: [] }
  const mismatch = store.index.findMismatch()
  if (mismatch && fix) {
    store.rebuild()
    fixed.push(store.index.path)
  }
  const problems = store.read(({ queries }) => [
    ...fileProblems(queries),
    ...unknownStates(queries, store.states),
    ...homePaths(queries),
  ])
  problems.push(...failed)
  for (const path of orphansOlderThan(store, ORPHAN_MS.reported)) {
    const message = 'temporary file of an interrupted write; nothing reads it'
    problems.push({ code: 'orphan_temp', path, message, severity: 'warning' })
  }
  if (mismatch && !fix) {
    const message = `${mismatch}; run "ticketplan rebuild"`
    problems.push({ code: 'index_mismatch', path: store.index.path, message, severity: 'error' })
  }
  for (const path of unmerged(store)) {
    const message = 'unmerged in git, so it may have the decisions of one side only; run "ticketplan resolve"'
    problems.push({ code: 'unmerged', path, message, severity: 'error' })
  }
  for (const loss of history?.losses ?? []) problems.push({ ...loss, severity: 'error' })
  const ok = problems.every(({ severity }) => severity === 'warning')
  const { tickets, decisions } = store.index.peek(queries => queries.counts())
  return { ok, problems, fixed, checked: { tickets, decisions, ...(history && { merges: history.merges }) } }
}

/** Returns the Ticket files with merge conflicts in git; none if git cannot be run. */
function unmerged({ repository }: Store): string[] {
  try {
    return unmergedTickets(repository)
  } catch (error) {
    if (isPlanError(error)) return []
    throw error
  }
}

/** Repairs each file; one that cannot be repaired is reported, and the others are repaired nevertheless. */
function repair(store: Store): { fixed: string[]; failed: Problem[] } {
  const fixed: string[] = []
  const failed: Problem[] = []
  const attempt = (path: string, action: () => void) => {
    try {
      action()
      fixed.push(path)
    } catch (error) {
      const known = isPlanError(error) ? error : ioError(error, path)
      if (!isPlanError(known)) throw known
      failed.push({ code: 'not_fixed', path, message: `not repaired: ${known.message}`, severity: 'error' })
    }
  }
  store.locked(() => {
    for (const path of store.read(({ queries }) => queries.notCanonical())) {
      if (store.index.findLeftOut(path)) continue // only a file of the work tree is written
      // The same content, in canonical form.
      attempt(path, () => store.edit(path, ticket => ({ ticket: { ...ticket } })))
    }
    for (const path of orphansOlderThan(store, ORPHAN_MS.removed))
      attempt(path, () => rmSync(resolve(store.repository.root, path), { force: true }))
  })
  return { fixed, failed }
}

/** Lists temporary files of interrupted writes, of Tickets and of `init`. */
function orphansOlderThan({ repository }: Store, ageMs: number): string[] {
  return [...listOrphans(repository), ...listSetupOrphans(repository)].filter(path => {
    const stat = lstatSync(resolve(repository.root, path), { throwIfNoEntry: false })
    return stat !== undefined && Date.now() - stat.mtimeMs >= ageMs
  })
}

function fileProblems(queries: IndexQueries): Problem[] {
  const error = (code: string, path: string, message: string): Problem => ({ code, path, message, severity: 'error' })
  return [
    ...problemsOf(queries),
    ...queries
      .notCanonical()
      .map(path =>
        error('not_canonical', path, 'valid, but not in canonical form; "ticketplan verify --fix" rewrites it'),
      ),
    ...queries
      .sharedSlugs()
      .map(({ slug, ids }) => error('duplicate_slug', '', `the slug "${slug}" belongs to several Tickets: ${ids}`)),
    ...queries
      .repeatedDecisions()
      .map(({ id, tickets }) =>
        error('duplicate_decision', '', `the decision ${id} is in the files of several Tickets: ${tickets}`),
      ),
  ]
}

/** A warning for each Ticket whose state is in no list of the configuration. */
function unknownStates(queries: IndexQueries, states: States): Problem[] {
  const unknown = queries.statesInUse().filter(state => !states.isKnown(state))
  if (unknown.length === 0) return []
  return queries.ticketList({ states: unknown }, 'id').map(({ state, path }) => ({
    code: 'unknown_state',
    path,
    message: unknownStateText(states, state),
    severity: 'warning',
  }))
}

function homePaths(queries: IndexQueries): Problem[] {
  const problems: Problem[] = []
  for (const { ticket_id, path, body } of queries.eachBodyLike('%/home/%', '%/Users/%', '%/root/%', '%:\\\\Users%')) {
    const decision = JSON.parse(body) as AnyFields
    for (const warning of decisionPathWarnings(decision)) {
      const message = `${ticket_id}, decision ${decision.id}: ${warning}`
      problems.push({ code: 'home_path', path, message, severity: 'warning' })
    }
  }
  return problems
}
