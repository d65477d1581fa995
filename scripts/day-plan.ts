/**
 * The plan of the day that `npm run demo:day` plays: 40 Tickets with areas, conflicts, blockers, an order and a hold.
 *
 * Plain data, which the check reads too. Pure.
 */

export interface Area {
  pattern: string
  /** True for work that only adds: two shared areas do not exclude each other. */
  shared: boolean
}

export interface DayTicket {
  id: string
  title: string
  areas: Area[]
}

export interface DayPlan {
  tickets: DayTicket[]
  /** Pairs that must not run side by side. */
  conflicts: [string, string][]
  /** The first waits until the second is done. */
  blockers: [string, string][]
  /** The first comes after the second, while both are in play. */
  orders: [string, string][]
  /** On hold until the person lifts it. */
  hold: { ticket: string; by: string }
  /** Tickets whose first worker is killed, or only the command that it runs. */
  deaths: { ticket: string; of: 'worker' | 'command' }[]
}

const FOLDERS = ['menu', 'cart', 'pay', 'ship', 'mail', 'auth', 'search', 'admin', 'stock', 'report']

const id = (n: number) => `D-${String(n).padStart(2, '0')}`
const pairs = (...numbers: [number, number][]) => numbers.map(([a, b]): [string, string] => [id(a), id(b)])

export const dayPlan: DayPlan = {
  tickets: Array.from({ length: 40 }, (_, n) => ticket(n + 1)),
  conflicts: pairs([3, 15], [5, 26], [8, 39], [17, 32]),
  blockers: pairs([11, 1], [12, 2], [21, 11], [31, 21], [36, 30]),
  orders: pairs([9, 6], [28, 19], [40, 33]),
  hold: { ticket: id(20), by: 'maria' },
  deaths: [
    { ticket: id(4), of: 'worker' },
    { ticket: id(7), of: 'worker' },
    { ticket: id(13), of: 'command' },
  ],
}

function ticket(n: number): DayTicket {
  // Neighbours in the queue want the same folder.
  const folder = FOLDERS[Math.floor(n / 2) % FOLDERS.length]!
  const own = n % 3 === 0 ? `src/${folder}/list/**` : `src/${folder}/**`
  const areas: Area[] = [{ pattern: own, shared: false }]
  if (n % 4 === 0) areas.push({ pattern: 'docs/changes.md', shared: true })
  if (n === 18 || n === 34) areas.push({ pattern: 'docs/**', shared: false })
  return { id: id(n), title: `Work on ${folder}, part ${1 + (n % 2) + 2 * Math.floor(n / 2 / FOLDERS.length)}`, areas }
}
