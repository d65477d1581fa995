/** What every view is drawn from. */
import type { Overview } from '../../operations/overview-shape.ts'
import { type Look, lookOf } from '../drawing/words.ts'
import type { Where } from './route.ts'
import type { Source } from './source.ts'

export interface Context {
  overview: Overview
  /** The clock of the plan: of now, or of the file. */
  nowMs: number
  fresh: ReadonlySet<string>
  where: Where
  source: Source
  /** Changes with each overview. */
  turn: number
  isFile: boolean
}

export function lookIn({ overview }: Context, id: string): Look {
  return lookOf(overview.tickets[id])
}

export function titleIn({ overview }: Context, id: string): string {
  return overview.tickets[id]?.title ?? ''
}
