import * as z from 'zod/mini'
import type { ChangeNote } from '../files/change-notes.ts'
import { idFromPath } from '../files/ticket-files.ts'
import { count } from '../model/count.ts'
import { PlanError } from '../model/errors.ts'
import { activeAgain, takeBack } from '../model/take-back.ts'
import type { Store } from '../store/store.ts'
import { flag, operation } from './operation.ts'
import { decisionShape } from './shapes.ts'
import { checkUnused } from './undo-checks.ts'
import { type FileUndo, planUndo } from './undo-plan.ts'

/** Takes back the actor's last change in this worktree. */
export const undo = operation({
  name: 'undo',
  summary: 'Take back your last change in this worktree',
  details: `The last record, retract, set or add by the actor, all files of it, as this worktree has noted it. A file that has not changed since, and whose change is not committed, gets its earlier bytes back; an added Ticket's file is removed. Elsewhere a retraction is added to each decision, or fields are set back, and what others have said or set since is kept. Retracting a decision makes the ones active again that it replaced.

Run it again to go one change further back: an undo is not undone by the next one. It does not know accepts, releases, imports and merges, and never changes a claim, git's index or a commit. It is refused where a claim was taken since, and for an added Ticket that is committed, changed since, or named by others; --skip then goes on to the change before it.`,
  writes: true,
  fields: {
    dryRun: { schema: flag, help: 'print what would be taken back, and change nothing' },
    skip: { schema: flag, help: 'keep the last change and forget it: the next undo takes the one before' },
  },
  output: () =>
    z.object({
      /** False where nothing was left to take back, and with `skip`. */
      undone: z.boolean(),
      dryRun: z.boolean(),
      skipped: z.boolean(),
      /** What was run, by whom and when. */
      change: z.object({
        operation: z.enum(['record', 'retract', 'set', 'add']),
        by: z.string(),
        at: z.string(),
        /** The Tickets whose files it wrote. */
        tickets: z.array(z.string()),
      }),
      files: z.array(
        z.object({
          ticket: z.string(),
          path: z.string(),
          /** `restored` and `removed`: the bytes before; `retracted` and `set_back`: added to what the file has now. */
          how: z.enum(['restored', 'removed', 'retracted', 'set_back', 'nothing']),
          /** The decisions that were taken back. */
          decisions: z.array(decisionShape()),
          /** The retractions that were added for them. */
          retractions: z.array(decisionShape()),
          fields: z.array(z.object({ field: z.string(), from: z.nullable(z.string()), to: z.nullable(z.string()) })),
          /** Decisions that are active again. */
          active_again: z.array(decisionShape()),
        }),
      ),
      /** What was not taken back, and what a person may want to do. */
      warnings: z.array(z.string()),
    }),
  claims: () => ({}),
  needsClaims: true,
  examples: ['ticketplan undo', 'ticketplan undo --dry-run', 'ticketplan undo --skip'],
  check({ dryRun, skip }, nameOf) {
    return dryRun && skip
      ? { field: 'skip', message: `${nameOf('skip')} and ${nameOf('dryRun')} exclude each other` }
      : undefined
  },
  run(store, { dryRun, skip }) {
    return store.locked(() => {
      const { by } = store.stamp()
      const note = store.findLastChange(by)
      if (!note) throw nothingToUndo(by)
      const { operation, at, files } = note
      const change = { operation, by, at, tickets: files.map(({ path }) => idFromPath(path)) }
      if (skip) {
        store.forgetChange(note.name)
        return { undone: false, dryRun, skipped: true, change, files: [], warnings: [] }
      }
      const plans = planUndo(store, note)
      checkUnused(store, note, plans)
      if (!dryRun) applyAll(store, note, plans)
      const undone = plans.some(({ answer }) => answer.how !== 'nothing')
      return {
        undone,
        dryRun,
        skipped: false,
        change,
        files: plans.map(({ answer }) => answer),
        warnings: plans.flatMap(({ warnings }) => warnings),
      }
    })
  },
})

function nothingToUndo(by: string): PlanError<'nothing_to_undo'> {
  const message = `nothing to undo: this worktree has no note of a record, retract, set or add by ${by}; "ticketplan log" lists decisions, and "ticketplan retract <id>" takes one back`
  return new PlanError('nothing_to_undo', message, { by })
}

/** Takes the change back in all files, then forgets it. @throws PlanError; a note says what was taken back before. */
function applyAll(store: Store, note: ChangeNote, plans: readonly FileUndo[]): void {
  const changed = plans.filter(({ answer }) => answer.how !== 'nothing')
  const done: string[] = []
  try {
    for (const plan of changed) {
      apply(store, plan)
      done.push(plan.answer.path)
    }
  } catch (error) {
    if (done.length === 0 || !(error instanceof PlanError)) throw error
    const message = `${error.message}; ${count(done.length, 'file')} of ${changed.length} were taken back before that: ${done.join(', ')}; run the command again for the others`
    throw new PlanError(error.code, message, { ...error.data, written: done }, error)
  }
  store.forgetChange(note.name)
}

function apply(store: Store, { answer, file, bytes, noted, stamp }: FileUndo): void {
  const { how, path } = answer
  if (how === 'restored' || how === 'removed') {
    if (!store.restore(file!, bytes)) {
      const message = `${path}: another program has changed the file; it was left as it is; run the command again`
      throw new PlanError('contended', message, { path })
    }
    store.indexWritten([path])
    return
  }
  // The file may have changed since the plan was made, so what is taken back is decided once more.
  const { now, taken } = store.edit(path, now => {
    const taken = takeBack(now, noted!, stamp)
    return { now, taken, ticket: taken.ticket }
  })
  const { decisions, retractions, fields, ticket } = taken
  Object.assign(answer, { decisions, retractions, fields, active_again: activeAgain(now, ticket) })
}
