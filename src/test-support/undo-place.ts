/** A committed checkout with two authors, to test `undo`, and what is in effect by the rules of the format alone. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plan } from '../sdk.ts'
import { checkedPlan, type TestClock, testClock } from './checked-plan.ts'
import {
  putTicket,
  readTicketJson,
  runGit,
  type TemporaryRepository,
  temporaryRepository,
} from './temporary-repository.ts'

export interface UndoPlace {
  plan: Plan
  /** The same checkout, for the author "other". */
  other: Plan
  root: string
  clock: TestClock
  repository: TemporaryRepository
  bytes(id: string): string
  commit(): void
}

/** A plan with the queued Tickets A, B and C, committed. */
export function withUndoPlace(use: (place: UndoPlace) => void, git = true): void {
  using repository = temporaryRepository({ git })
  const { root } = repository
  for (const id of ['A', 'B', 'C']) putTicket(root, id, { state: 'queued', queued_at: '2026-06-08T10:00:00.000Z' })
  const commit = () => {
    runGit(root, 'add', 'tickets')
    runGit(root, 'commit', '--quiet', '--allow-empty', '--message=tickets')
  }
  if (git) commit()
  const clock = testClock()
  using plan = checkedPlan(root, clock)
  using other = checkedPlan(root, clock, { actor: 'other' })
  const bytes = (id: string) => readFileSync(join(root, `tickets/${id}.json`), 'utf8')
  use({ plan, other, root, clock, repository, bytes, commit })
}

/** A decision as a file has it. */
export interface Stored {
  id: string
  kind: string
  retracts?: string
  supersedes?: string[]
  by: string
}

/** The ids of the decisions that are in effect, by the rules of the format alone. */
export function inEffect(decisions: Stored[]): string[] {
  const isRetracted = (id: string): boolean => decisions.some(one => one.retracts === id && !isRetracted(one.id))
  const isReplaced = (id: string) => decisions.some(one => one.supersedes?.includes(id) && !isRetracted(one.id))
  return decisions.flatMap(({ id, kind }) => (kind === 'retraction' || isRetracted(id) || isReplaced(id) ? [] : [id]))
}

/** Returns the decisions in a Ticket's file. */
export const stored = (root: string, id: string) =>
  readTicketJson(root, `tickets/${id}.json`).decisions as unknown as Stored[]
