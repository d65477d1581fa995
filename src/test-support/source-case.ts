/** The form of a source as a writer, and what the writers have in common. */

/** A piece of work, before it is in the form of any source. */
export interface Item {
  n: number
  title?: string
  state: 'todo' | 'doing' | 'done' | 'dropped'
  blockedBy: number[]
  parent?: number | undefined
  /** The id as the source writes it, in place of the one that follows from `n`. */
  id?: string
  /** True for another record of the same id: in a folder it gets a file of its own. */
  isCopy?: true
  /** The place in the order of creation; `n` where it is not given. */
  made?: number
  /** A day of June 2026. */
  day: number
}

export interface SourceCase {
  system: 'yoi' | 'beads' | 'github' | 'linear' | 'jira' | 'backlog' | 'task-master' | 'claude-tasks' | 'json'
  /** Files by their path below the source; one with the empty path is the source itself. */
  files(items: readonly Item[]): Record<string, string>
  idOf(n: number): string
  options: Record<string, unknown>
  /** What a source says of its own on an abandoned item; null where it has no such state. */
  dropped: string | null
  hasParents: boolean
  /** True where records have times of creation; else their order in the source says which came first. */
  hasCreationTimes: boolean
  /** Which of two records with one id counts; null where an id is the name of a file or folder, so that there is one record of it. */
  ofTwo: 'newer' | 'one' | null
  /** An id that no Ticket can have. */
  badId: string
}

/** A day of June 2026. */
export const at = (day: number) => `2026-06-${String(day).padStart(2, '0')}T08:00:00.000Z`
/** The title of an item. */
export const title = ({ n, title }: Item) => title ?? `Item ${n}`
/** A day for each record, because some sources have no time of day. */
export const created = ({ n, made = n }: Item) => new Date(Date.UTC(1990, 0, 1, 8) + made * 86_400_000).toISOString()
/** The greater the number the higher the priority: against the order of creation. */
export const priority = ({ n }: Item) => ['critical', 'high', 'medium', 'low'][3 - (n % 4)]!
/** A JSON file. */
export const json = (value: unknown) => `${JSON.stringify(value, null, 1)}\n`
/** The numbers of the items that wait for one. */
export const blockedByOthers = (items: readonly Item[], n: number) =>
  items.filter(({ blockedBy }) => blockedBy.includes(n)).map(({ n }) => n)
