/**
 * Measures plans of unusual shapes (plan-shapes.ts): what rebuild, sync, queue, brief, verify and one change seen by a watch
 * cost, as a multiple of what they cost in an ordinary plan of as many Tickets and relations (of as many Tickets, if that is
 * more).
 *
 * Usage: npm run bench:plans [-- --scale 0.1] [--runs 3] [--shape chain] [--action queue]. Scale 1, the default, has 10,000
 * Tickets in the ordinary plan. Figures are the least CPU time of some runs in turns, because a machine is shared; a multiple
 * above LIMIT is measured again with as many more runs, at most twice. Exit status 1 where one is still above it. `.ci/run` runs
 * it with a tenth of the size. docs/performance.md has the table.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openPlan } from '../src/sdk.ts'
import { type PlanShape, planShapes, writePlan } from './plan-shapes.ts'

const LIMIT = 2

const { values: options } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    shape: { type: 'string', default: '' },
    action: { type: 'string', default: '' },
  },
})
const runs = Number(options.runs)

type Plan = ReturnType<typeof openPlan>

/** A plan that is open, and the least CPU time of each action so far. */
interface Measured {
  shape: PlanShape
  root: string
  plan: Plan
  /** Tickets and relations. */
  units: number
  ms: Map<Action, number>
}

interface Action {
  what: string
  /** Comes before each run and is not measured. */
  prepare?(measured: Measured): void
  run(plan: Plan): unknown
}

const ALL_ACTIONS: Action[] = [
  { what: 'rebuild', run: plan => plan.rebuild() },
  { what: 'sync', run: plan => plan.sync() },
  { what: 'sync, a tenth changed', prepare: changeTenth, run: plan => plan.sync() },
  { what: 'queue', run: plan => JSON.stringify(plan.queue()) },
  { what: 'brief', run: plan => plan.brief() },
  { what: 'verify', run: plan => plan.verify() },
  { what: 'watch, one change', run: changeWatched },
]
const ACTIONS = ALL_ACTIONS.filter(({ what }) => what.includes(options.action))

const folder = mkdtempSync(join(tmpdir(), 'ticketplan-plans-'))
const plans: Measured[] = []
try {
  for (const [place, shape] of planShapes(Number(options.scale)).entries())
    if (place < 2 || shape.what.includes(options.shape)) plans.push(open(shape))
  const [one, ordinary] = plans as [Measured, Measured]
  for (const action of ACTIONS) {
    await measure(action, plans)
    for (let again = 0; again < 2; again++) {
      const over = plans.filter(plan => multipleOf(action, plan, one, ordinary) > LIMIT)
      if (over.length > 0) await measure(action, [one, ordinary, ...over])
    }
    process.stderr.write('.')
  }
  print(one, ordinary)
} finally {
  for (const { plan } of plans) plan.close()
  rmSync(folder, { recursive: true, force: true })
}

function open(shape: PlanShape): Measured {
  const root = mkdtempSync(join(folder, 'plan-'))
  const units = writePlan(root, shape)
  const plan = openPlan({ root, actor: 'bench' })
  plan.sync()
  return { shape, root, plan, units, ms: new Map() }
}

/** Runs an action on some plans in turns, and keeps the least CPU time of each. */
async function measure(action: Action, some: readonly Measured[]): Promise<void> {
  for (let run = 0; run < runs; run++) {
    for (const measured of some) {
      action.prepare?.(measured)
      const before = process.cpuUsage()
      await action.run(measured.plan)
      const { user, system } = process.cpuUsage(before)
      measured.ms.set(action, Math.min(measured.ms.get(action) ?? Number.POSITIVE_INFINITY, (user + system) / 1000))
    }
  }
}

/**
 * Returns how many times more an action costs than in an ordinary plan of the size. A plan without relations still has a file
 * to look at for each Ticket, so the size is that in Tickets, where this is more.
 */
function multipleOf(action: Action, { shape, units, ms }: Measured, one: Measured, ordinary: Measured): number {
  const size = Math.max(shape.tickets / ordinary.shape.tickets, units / ordinary.units)
  const oneMs = one.ms.get(action)!
  return ms.get(action)! / (oneMs + Math.max(0, ordinary.ms.get(action)! - oneMs) * size)
}

/** Gives every tenth Ticket another title, as a pull does. */
function changeTenth({ root, shape }: Measured): void {
  for (let n = 0; n < shape.tickets; n += 10) {
    const path = join(root, 'tickets', `T-${n}.json`)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(/"title": ".*"/, `"title": "Ticket ${n}, ${performance.now()}"`))
  }
}

/** From the start of a watch, with a write of a Ticket, to the event of it: the verdicts before and after it are computed. */
async function changeWatched(plan: Plan): Promise<void> {
  const title = `changed ${performance.now()}`
  await new Promise<void>(resolve => {
    const watching = plan.watch(({ ticket }) => {
      if (ticket !== 'T-0') return
      watching.close()
      resolve()
    })
    plan.set({ ticket: 'T-0', title })
  })
}

function print(one: Measured, ordinary: Measured): void {
  const rows = plans.map(plan => {
    const cells = ACTIONS.map(action => {
      const multiple = multipleOf(action, plan, one, ordinary)
      if (multiple > LIMIT) process.exitCode = 1
      return `${plan.ms.get(action)!.toFixed(1)} (${multiple.toFixed(1)}${multiple > LIMIT ? ', OVER' : ''})`
    })
    return `| ${[plan.shape.what, plan.units.toLocaleString('en'), ...cells].join(' | ')} |`
  })
  console.log(`
Node ${process.version}; CPU ms, least of ${runs} runs. In brackets: the multiple of what the ordinary plan costs for as
many Tickets and relations (or as many Tickets, if that is more), beside a plan of one Ticket; the limit is ${LIMIT}.

| plan | Tickets and relations | ${ACTIONS.map(({ what }) => what).join(' | ')} |
|${'---|'.repeat(ACTIONS.length + 2)}
${rows.join('\n')}`)
}
