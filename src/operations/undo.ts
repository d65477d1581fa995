import * as z from 'zod/mini'
import { PlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import type { NotedChange } from '../store/change-notes.ts'
import type { Store } from '../store/store.ts'
import { flag, operation } from './operation.ts'
import { planUndo, type UndoStep } from './undo-plan.ts'

const undone = lazy(() =>
  z.object({
    /** False with `dryRun`. */
    undone: z.boolean(),
    /** The change that is taken back. */
    change: z.object({ command: z.string(), at: z.string(), by: z.string() }),
    files: z.array(
      z.object({
        path: z.string(),
        ticket: z.string(),
        /** The file has its earlier bytes again, is gone again, or has retractions and earlier fields in it. */
        how: z.enum(['restored', 'removed', 'retracted']),
        /** The decisions that are no longer in the file, or are retracted. */
        decisions: z.array(z.string()),
        /** The fields that have their earlier values. */
        fields: z.array(z.string()),
      }),
    ),
  }),
)

/** Takes back the last change of this author in this worktree. */
export const undo = operation({
  name: 'undo',
  summary: 'Take back your last record, retract, set or add',
  details:
    'Takes back the last change that this actor made in this worktree. A file that is not committed yet, and that nobody has changed since, has its earlier bytes again. Otherwise what was recorded is retracted, what was retracted is active again, and fields have their earlier values; an add is then refused. Run again, it takes back the change before that. An undo is not undone: repeat the command instead. Claims, git, imports and accepted plans are never touched.',
  writes: true,
  fields: { dryRun: { schema: flag, help: 'only say what would be taken back' } },
  output: undone,
  examples: ['ticketplan undo --dry-run', 'ticketplan undo'],
  run(store, { dryRun }) {
    return store.locked(() => {
      const { by } = store.stamp()
      const found = lastChange(store, by)
      if (!found) throw nothingToUndo(by)
      const { change, steps } = found
      if (!dryRun) takeBack(store, change, steps)
      const { command, at } = change
      const files = steps.map(({ file, how, decisions, fields }) => {
        return { path: file.path, ticket: file.ticket.id, how, decisions, fields }
      })
      return { undone: !dryRun, change: { command, at, by }, files }
    })
  },
})

/** Returns the last change of the author of which something is in the files, and how to take that back. */
function lastChange(store: Store, by: string): { change: NotedChange; steps: UndoStep[] } | undefined {
  for (const change of store.changes.list()) {
    if (change.by !== by) continue
    const steps = planUndo(store, change)
    if (steps.length > 0) return { change, steps }
  }
  return undefined
}

function nothingToUndo(by: string): PlanError {
  const message = `there is no change by "${by}" to undo in this worktree; "ticketplan log" lists decisions, and "ticketplan retract" withdraws one`
  return new PlanError('nothing_to_undo', message, { by })
}

function takeBack(store: Store, { id }: NotedChange, steps: readonly UndoStep[]): void {
  const written: string[] = []
  try {
    for (const { file, run } of steps) {
      if (!run()) {
        const message = `${file.path}: another program changed the file meanwhile; run "ticketplan undo" again`
        throw new PlanError('contended', message, { path: file.path })
      }
      written.push(file.path)
    }
    store.changes.markUndone(id)
  } catch (error) {
    if (written.length === 0 || !(error instanceof PlanError)) throw error
    const message = `${error.message}; taken back before that: ${written.join(', ')}`
    throw new PlanError(error.code, message, { ...error.data, written }, error)
  } finally {
    store.indexWritten(written)
  }
}
