/** What the files of yoi Tickets say about each queued one, by the rules of docs/deciding.md, with no code of the program. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface PlanLine {
  kind: string
  ticket_id?: string
  related_ticket?: string | null
  at?: string
}
interface YoiFiles {
  state: string
  created: string
  /** What its artifacts say, with the kinds of relations.json as they are. */
  lines: PlanLine[]
}
/** A relation in one direction: the first Ticket waits for the second, or conflicts with it. */
type YoiEdge = [from: string, kind: 'blocked_by' | 'after' | 'conflicts_with', to: string]

const PHASES: Record<string, string[]> = {
  queued: ['queued'],
  active: ['inprogress', 'inreview', 'review', 'started', 'doing'],
  completed: ['closed', 'completed', 'done', 'merged', 'resolved'],
  abandoned: ['abandoned', 'canceled', 'cancelled', 'duplicate', 'notplanned', 'rejected', 'wontfix'],
}

/** Returns the verdict on each queued Ticket of a folder. */
export function yoiVerdicts(folder: string): Map<string, 'accept' | 'hold'> {
  const tickets = readTickets(folder)
  const edges = [...tickets].flatMap(([id, { lines }]) => lines.flatMap(line => edgesOf(id, line)))
  const phaseOf = (id: string) => {
    const state = tickets.get(id)?.state.toLowerCase().replace(/[-_ ]/g, '')
    if (state === undefined) return 'missing'
    return Object.keys(PHASES).find(phase => PHASES[phase]!.includes(state)) ?? 'open'
  }
  const isOver = (id: string) => ['completed', 'abandoned'].includes(phaseOf(id))
  const isInPlay = (id: string) => ['queued', 'active'].includes(phaseOf(id))
  const isHeldBy = ([, kind, to]: YoiEdge) =>
    kind === 'blocked_by' ? phaseOf(to) !== 'completed' : kind === 'after' ? isInPlay(to) : phaseOf(to) === 'active'
  const waits = edges.filter(([from, kind, to]) => kind !== 'conflicts_with' && !isOver(from) && !isOver(to))
  const waitsForItself = (id: string) => {
    const reached = new Set(waits.filter(([from]) => from === id).map(([, , to]) => to))
    for (const next of reached) for (const [from, , to] of waits) if (from === next) reached.add(to)
    return reached.has(id)
  }
  const queued = [...tickets.keys()].filter(id => phaseOf(id) === 'queued')
  return new Map(
    queued.map(id => {
      const awaited = capacityWait(id, tickets.get(id)!)
      const isHeld = edges.some(edge => edge[0] === id && isHeldBy(edge)) || waitsForItself(id)
      return [id, isHeld || (awaited !== undefined && isInPlay(awaited)) ? 'hold' : 'accept']
    }),
  )
}

function readTickets(folder: string): Map<string, YoiFiles> {
  const tickets = new Map<string, YoiFiles>()
  for (const id of readdirSync(folder)) {
    if (!existsSync(join(folder, id, 'item.md'))) continue
    const front = /^---\r?\n(.*?)^---\s*$/ms.exec(readFileSync(join(folder, id, 'item.md'), 'utf8'))?.[1] ?? ''
    const field = (name: string) => new RegExp(`^${name}: *(['"]?)(.*?)\\1\\s*$`, 'm').exec(front)?.[2] ?? ''
    if (field('state') === '' || !/^title:/m.test(front)) continue
    const artifact = (name: string) => {
      const path = join(folder, id, 'artifacts', name)
      return existsSync(path) ? readFileSync(path, 'utf8') : ''
    }
    const plans = artifact('orchestration-plan.jsonl')
      .split('\n')
      .flatMap(parsed<PlanLine>)
    const relations = parsed<{ relations: (PlanLine & { target: string })[] }>(artifact('relations.json'))
    const lines = [
      ...plans,
      ...relations.flatMap(({ relations }) => relations.map(line => ({ ...line, related_ticket: line.target }))),
    ].filter(({ ticket_id = id }) => ticket_id === id)
    tickets.set(id, { state: field('state'), created: field('created_at'), lines })
  }
  return tickets
}

/** A line that is no JSON says nothing; the import reports it. */
function parsed<T>(text: string): T[] {
  try {
    return [JSON.parse(text) as T]
  } catch {
    return []
  }
}

function edgesOf(id: string, { kind, related_ticket: other }: PlanLine): YoiEdge[] {
  if (typeof other !== 'string' || other === id) return []
  if (kind === 'depends_on' || kind === 'blocked_by') return [[id, 'blocked_by', other]]
  if (kind === 'blocks') return [[other, 'blocked_by', id]]
  if (kind === 'after') return [[id, 'after', other]]
  if (kind === 'before') return [[other, 'after', id]]
  if (kind !== 'conflicts_with' && kind !== 'do_not_parallelize') return []
  return [
    [id, 'conflicts_with', other],
    [other, 'conflicts_with', id],
  ]
}

/** Returns the Ticket that a Ticket waits for by its last capacity note, where no plan was accepted after that. */
function capacityWait(id: string, { lines, created }: YoiFiles): string | undefined {
  const timeOf = ({ at }: PlanLine) => Date.parse(at ?? created)
  const last = (kind: string) =>
    lines
      .filter(line => line.kind === kind)
      .sort((a, b) => timeOf(a) - timeOf(b))
      .at(-1)
  const [note, plan] = [last('waiting_capacity_note'), last('accepted_plan')]
  if (!note || (plan && timeOf(note) < timeOf(plan)) || note.related_ticket === id) return undefined
  return note.related_ticket || undefined
}
