/** Makes a git history of a source of Tickets in random steps: states and relations change, records come and go. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { randomNumbers } from './random-numbers.ts'
import { runGit } from './temporary-repository.ts'

type Random = (bound: number) => number
type Records = Map<string, { state: string; relations: { kind: string; other: string; at: string }[] }>

/** Where the source is, from the root. */
const PLACES = { yoi: '.yoi/tickets', beads: '.beads/issues.jsonl' } as const
const STATES = {
  yoi: ['queued', 'queued', 'queued', 'planning', 'inprogress', 'in review', 'done', 'closed', 'wontfix'],
  beads: ['open', 'open', 'open', 'in_progress', 'hooked', 'blocked', 'closed', 'closed', 'pinned', 'tombstone'],
}
/** Those of relations.json first, then those of plan records. */
const RELATIONS = ['depends_on', 'blocks', 'related']
const PLANS = ['after', 'before', 'blocked_by', 'conflicts_with', 'do_not_parallelize', 'waiting_capacity_note']
const EDGES = ['blocks', 'blocks', 'waits-for', 'conditional-blocks', 'parent-child', 'related']
const TICKETS = 12

/** Creates a git repository with the given number of commits, each of which changes the source. The same seed gives the same files. */
export function makeHistory(
  root: string,
  system: keyof typeof PLACES,
  { seed, commits }: { seed: number; commits: number },
): void {
  const random = randomNumbers(seed)
  const records: Records = new Map()
  runGit(root, 'init', '--quiet', '--template=', '--initial-branch=main')
  for (let commit = 0; commit < commits; commit++) {
    // No two relations have one time: which of two capacity notes is the later one is never left open.
    const at = (second: number) => new Date(Date.UTC(2026, 5, 1) + commit * 60_000 + second * 1000).toISOString()
    const changes = commit === 0 ? 2 * TICKETS : 3
    for (let change = 0; change < changes; change++) {
      changeOne(records, system, { random, at: at(change) })
    }
    const place = join(root, PLACES[system])
    rmSync(place, { recursive: true, force: true })
    for (const [name, text] of Object.entries(filesOf(records, system, at(changes)))) {
      mkdirSync(dirname(join(place, name)), { recursive: true })
      writeFileSync(join(place, name), text)
    }
    runGit(root, 'add', '--all')
    runGit(root, 'commit', '--quiet', '--message', `Step ${commit + 1}`)
  }
}

function changeOne(
  records: Records,
  system: keyof typeof PLACES,
  { random, at }: { random: Random; at: string },
): void {
  const idOf = (n: number) => (system === 'yoi' ? `Y${n}` : `bd-${n}`)
  const pick = <T>(list: readonly T[]) => list[random(list.length)]!
  const id = idOf(random(TICKETS))
  const record = records.get(id)
  if (!record) records.set(id, { state: pick(STATES[system]), relations: [] })
  else if (random(12) === 0) records.delete(id)
  else if (random(2) === 0) record.state = pick(STATES[system])
  else if (record.relations.length > 0 && random(3) === 0) record.relations.splice(random(record.relations.length), 1)
  else {
    const kind = pick(system === 'yoi' ? [...RELATIONS, ...PLANS, 'accepted_plan'] : EDGES)
    const other = idOf(random(TICKETS + 1))
    if (other !== id) record.relations.push({ kind, other, at })
  }
}

function filesOf(records: Records, system: keyof typeof PLACES, at: string): Record<string, string> {
  if (system === 'beads') return { '': [...records].map(([id, record]) => beadsLine(id, record, at)).join('') }
  const tickets = Object.fromEntries(
    [...records].flatMap(([id, { state, relations }]) => {
      const own = relations.filter(({ kind }) => RELATIONS.includes(kind))
      const plans = relations.filter(({ kind }) => !RELATIONS.includes(kind))
      const lines = plans.map(({ kind, other, at }) =>
        JSON.stringify({
          ticket_id: id,
          kind,
          author: 'tester',
          at,
          ...(kind === 'accepted_plan' ? { accepted_plan: { summary: `Plan of ${id}` } } : { related_ticket: other }),
        }),
      )
      return [
        [
          `${id}/item.md`,
          `---\ntitle: 'Item ${id}'\nstate: "${state}"\ncreated_at: '2026-05-01T08:00:00Z'\n---\n\nText\n`,
        ],
        [`${id}/artifacts/orchestration-plan.jsonl`, lines.map(line => `${line}\n`).join('')],
        [
          `${id}/artifacts/relations.json`,
          JSON.stringify({
            relations: own.map(({ kind, other, at }) => ({ kind, target: other, at, author: 'tester' })),
          }),
        ],
      ]
    }),
  )
  // A file that is no Ticket keeps each commit from being empty.
  return { ...tickets, 'changed.txt': `${at}\n` }
}

type BeadsState = Records extends Map<string, infer R> ? R : never
function beadsLine(id: string, { state, relations }: BeadsState, at: string): string {
  const dependencies = relations.map(({ kind, other, at }) => ({
    issue_id: id,
    depends_on_id: other,
    type: kind,
    created_at: at,
  }))
  const times: Record<number, string> = { 2: '2020-01-01T00:00:00Z', 3: '2099-01-01T00:00:00Z' }
  const defer_until = times[relations.length % 4]
  const common = { id, title: `Item ${id}`, status: state, created_at: '2026-05-01T08:00:00Z', updated_at: at }
  return `${JSON.stringify({ ...common, defer_until, dependencies })}\n`
}
