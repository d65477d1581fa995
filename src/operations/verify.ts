import { lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { listOrphans } from '../files/ticket-listing.ts'
import { unmergedTickets } from '../merging/conflict-versions.ts'
import { findMergeLosses } from '../merging/merge-losses.ts'
import { verifyStaged } from '../merging/staged-tickets.ts'
import type { AnyFields } from '../model/decision.ts'
import { isPlanError, PlanError } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import type { IndexQueries } from '../ticket-index/query.ts'
import { problemsOf } from './answers.ts'
import { flag, operation } from './operation.ts'
import { type Problem, problemShape } from './shapes.ts'
import { homePathWarnings } from './warnings.ts'

/** A temporary file this old belongs to no running writer, and this much older to no sleeping one. */
const ORPHAN_MS = { reported: 60_000, removed: 3_600_000 }

/** Every Ticket file, checked. */
export const verify = operation({
  name: 'verify',
  summary: 'Check every Ticket file, and the index against them',
  details:
    'Exit status 4 where there is an error; warnings alone (a relation to a Ticket that has not arrived, a home path in a text) leave it 0. --fix writes valid files that are not in canonical form anew, makes a differing index anew, and removes temporary files that a crash left over an hour ago; it never touches a file that cannot be read.',
  writes: true,
  fields: {
    fix: { schema: flag, help: 'mend what can be mended without a decision' },
    staged: {
      schema: flag,
      help: 'check the Ticket files that are staged for the next commit, not those of the work tree',
    },
    since: {
      schema: z.optional(z.string().check(z.minLength(1))),
      help: 'check the merges after this commit too: none may have lost a decision of either side',
      value: 'rev',
    },
  },
  output: () =>
    z.object({
      ok: z.boolean(),
      problems: z.array(problemShape()),
      /** Paths that --fix has mended. */
      fixed: z.array(z.string()),
      checked: z.object({
        tickets: z.int(),
        decisions: z.int(),
        /** Merges of the history that was asked for. */
        merges: z.optional(z.int()),
      }),
    }),
  examples: [
    'ticketplan verify',
    'ticketplan verify --fix',
    'ticketplan verify --staged',
    'ticketplan verify --since origin/main',
  ],
  run(store, { fix, staged, since }) {
    if (staged && since !== undefined) {
      const message = 'verify: --staged looks at the next commit, --since at merges of the past: give one of them'
      throw new PlanError('invalid_input', message, { field: 'since' })
    }
    if (staged) return verifyStaged(store.repository, fix)
    const history = since === undefined ? null : findMergeLosses(store.repository, since, store.progress)
    store.read(() => {})
    const fixed = fix ? mend(store) : []
    const mismatch = store.index.findMismatch()
    if (mismatch && fix) {
      store.rebuild()
      fixed.push(store.index.path)
    }
    const problems = store.read(({ queries }) => [...fileProblems(queries), ...homePaths(queries)])
    for (const path of orphansOlderThan(store, ORPHAN_MS.reported)) {
      const message = 'a temporary file that an interrupted write left; nothing reads it'
      problems.push({ code: 'orphan_temp', path, message, severity: 'warning' })
    }
    if (mismatch && !fix) {
      const message = `${mismatch}; "ticketplan rebuild" makes it anew`
      problems.push({ code: 'index_mismatch', path: store.index.path, message, severity: 'error' })
    }
    for (const path of unmerged(store)) {
      const message = 'git has not merged it: what it holds may be one side alone; "ticketplan resolve" finishes it'
      problems.push({ code: 'unmerged', path, message, severity: 'error' })
    }
    for (const loss of history?.losses ?? []) problems.push({ code: 'lost_in_merge', ...loss, severity: 'error' })
    const ok = problems.every(({ severity }) => severity === 'warning')
    const { tickets, decisions } = store.index.peek(queries => queries.counts())
    return { ok, problems, fixed, checked: { tickets, decisions, ...(history && { merges: history.merges }) } }
  },
  exitStatus: ({ ok }) => (ok ? 0 : 4),
})

/** Where git cannot be asked, there is nothing to say. */
function unmerged({ repository }: Store): string[] {
  try {
    return unmergedTickets(repository)
  } catch (error) {
    if (isPlanError(error)) return []
    throw error
  }
}

function mend(store: Store): string[] {
  return store.locked(() => {
    const fixed: string[] = []
    for (const path of store.read(({ queries }) => queries.notCanonical())) {
      store.edit(path, ticket => ({ ticket: { ...ticket } })) // the same content, written anew
      fixed.push(path)
    }
    for (const path of orphansOlderThan(store, ORPHAN_MS.removed)) {
      rmSync(join(store.repository.root, path), { force: true })
      fixed.push(path)
    }
    return fixed
  })
}

function orphansOlderThan({ repository }: Store, ageMs: number): string[] {
  return listOrphans(repository).filter(path => {
    const stat = lstatSync(join(repository.root, path), { throwIfNoEntry: false })
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
        error('not_canonical', path, 'valid, but not in canonical form; "ticketplan verify --fix" writes it anew'),
      ),
    ...queries
      .sharedSlugs()
      .map(({ slug, ids }) =>
        error('duplicate_slug', '', `the slug "${slug}" belongs to more than one Ticket: ${ids}`),
      ),
    ...queries
      .repeatedDecisions()
      .map(({ id, tickets }) =>
        error('duplicate_decision', '', `the decision ${id} stands in more than one file: ${tickets}`),
      ),
  ]
}

function homePaths(queries: IndexQueries): Problem[] {
  const problems: Problem[] = []
  for (const { ticket_id, path, body } of queries.bodiesLike('%/home/%', '%/Users/%', '%/root/%', '%:\\\\Users%')) {
    const { id, reason, plan } = JSON.parse(body) as AnyFields
    const found = homePathWarnings({
      reason,
      summary: plan?.summary,
      branch: plan?.branch,
      role_plan: plan?.role_plan,
    })
    for (const message of found)
      problems.push({
        code: 'home_path',
        path,
        message: `${ticket_id}, decision ${id}: ${message}`,
        severity: 'warning',
      })
  }
  return problems
}
