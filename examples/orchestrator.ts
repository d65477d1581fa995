/**
 * A small orchestrator that is killed and continues from what is recorded.
 *
 * It routes a queue of six Tickets to simulated workers, each in its own process. At the steps in --crash-at it exits at once;
 * the next orchestrator knows only what the repository and the claims say.
 *
 * Usage, in a clone after "npm ci": npx node examples/orchestrator.ts [--crash-at 9,5] [--folder <empty folder>]
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openPlan, type Plan } from 'ticketplan'

/** What the Ticket system knows of each Ticket: the part of the product that it changes, and the Ticket whose result it needs. */
const TICKETS: Record<string, { title: string; touches: string; needs?: string }> = {
  'T-1': { title: 'Record schema', touches: 'schema' },
  'T-2': { title: 'Plan tool', touches: 'menu', needs: 'T-1' },
  'T-3': { title: 'Plan view', touches: 'menu' },
  'T-4': { title: 'Menu colours', touches: 'menu' },
  'T-5': { title: 'Import', touches: 'files', needs: 'T-1' },
  'T-6': { title: 'Export', touches: 'files' },
}
const TTL_SECONDS = 3
const WORK_MS = 150
const CRASHED = 70

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'crash-at': { type: 'string', default: '9,5' }, folder: { type: 'string' } },
})
const [role, folder, ...rest] = positionals
if (role === 'orchestrate') await orchestrate(folder!, Number(rest[0]))
else if (role === 'work') await work(folder!, rest[0]!, Number(rest[1]))
else demonstrate(values.folder ?? mkdtempSync(join(tmpdir(), 'ticketplan-example-')), values['crash-at'])

/** Starts one orchestrator after the other until one finishes. */
function demonstrate(folder: string, crashes: string): void {
  const root = join(folder, 'repository')
  mkdirSync(root)
  execFileSync('git', ['init', '--quiet', root])
  writeFileSync(join(root, 'ticketplan.json'), '{"pools":{"default":2}}\n')
  const plan = openPlan({ root, actor: 'ticket-system' })
  plan.init()
  for (const [id, { title }] of Object.entries(TICKETS)) plan.add({ id, title, state: 'queued' })
  plan.close()
  const crashAt = crashes.split(',').filter(Boolean)
  for (let status: number | null = CRASHED; status === CRASHED; ) {
    const args = [import.meta.filename, 'orchestrate', folder, crashAt.shift() ?? '0']
    status = spawnSync(process.execPath, args, { stdio: 'inherit' }).status
    if (status === CRASHED) console.log('--- killed; the next one knows nothing\n')
    else process.exitCode = status ?? 1
  }
  console.log(`\nWhat the workers did:\n${readFileSync(join(folder, 'journal'), 'utf8')}`)
  if (values.folder === undefined) rmSync(folder, { recursive: true })
}

/** Runs an orchestrator until all Tickets are done, or until the step at which it is killed. */
async function orchestrate(folder: string, crashAt: number): Promise<void> {
  const root = join(folder, 'repository')
  const plan = openPlan({ root, actor: 'orchestrator' })
  let steps = 0
  const step = (what: string) => {
    console.log(`${String(++steps).padStart(3)}  ${what}`)
    if (steps === crashAt) process.exit(CRASHED)
  }
  console.log(plan.brief({ budget: 300 }).text)

  while (Object.keys(TICKETS).some(id => plan.show(id).ticket.phase !== 'terminal')) {
    recoverLost(plan, step)
    recordDecisions(plan, step)
    for (const { ticket, verdict } of plan.queue().queue) {
      // Accepted before a crash and not started: the same holder gets the same claim again.
      const own = plan.claims().claims.find(claim => claim.ticket === ticket.id && claim.live)
      if (verdict === 'hold' && !own) continue
      // The same name after each crash, so that the next orchestrator gets the claim back. This is right only for one orchestrator at a
      // time: two would get the same token. If two could run, make the name unique to the process, and wait until the claim expires.
      const holder = `worker-${ticket.id}`
      const { accepted, claim } = plan.accept({
        ticket: ticket.id,
        holder,
        ttl: TTL_SECONDS,
        plan: { summary: ticket.title! },
      })
      if (!accepted || !claim) continue // something changed since the verdict; the next round shows what
      step(`accepted ${ticket.id}, token ${claim.token}`)
      // First the state, then the worker: so a Ticket that is still queued has not been started.
      plan.set({ ticket: ticket.id, state: 'in_progress' })
      step(`${ticket.id} is in progress`)
      const args = [import.meta.filename, 'work', folder, ticket.id, String(claim.token)]
      spawn(process.execPath, args, { detached: true, stdio: 'ignore' }).unref()
      step(`started a worker on ${ticket.id}`)
    }
    await wait(50)
  }
  console.log('all Tickets are done')
}

/** Queues a Ticket again that is in progress without a live claim: its worker is gone, or was never started. */
function recoverLost(plan: Plan, step: (what: string) => void): void {
  const live = new Set(plan.claims().claims.flatMap(({ ticket, live }) => (live ? ticket : [])))
  for (const id of Object.keys(TICKETS)) {
    if (plan.show(id).ticket.phase !== 'active' || live.has(id)) continue
    plan.record({ ticket: id, kind: 'note', reason: 'its claim has expired: queued again' })
    plan.set({ ticket: id, state: 'queued' })
    step(`${id} has lost its worker, queued again`)
  }
}

/** Records each decision as soon as it is made; recording it again changes nothing. */
function recordDecisions(plan: Plan, step: (what: string) => void): void {
  const entries = Object.entries(TICKETS)
  for (const [position, [id, { touches, needs }]] of entries.entries()) {
    if (needs && plan.record({ ticket: id, kind: 'blocked_by', other: needs, reason: 'needs its result' }).created)
      step(`${id} is blocked by ${needs}`)
    for (const [other] of entries.slice(position + 1).filter(([, rival]) => rival.touches === touches)) {
      const reason = `both change ${touches}`
      if (plan.record({ ticket: id, kind: 'conflicts_with', other, reason }).created)
        step(`${id} conflicts with ${other}`)
    }
  }
}

/** Works on a Ticket; renews the claim before each step that counts. */
async function work(folder: string, ticket: string, token: number): Promise<void> {
  const plan = openPlan({ root: join(folder, 'repository'), actor: `worker-${ticket}` })
  const note = (event: string) => appendFileSync(join(folder, 'journal'), `${event} ${ticket} ${token}\n`)
  if (plan.renew({ ticket, token }).refused) return
  note('begin')
  await wait(WORK_MS)
  if (plan.renew({ ticket, token }).refused) return note('lost')
  note('end')
  plan.set({ ticket, state: 'done' })
  plan.release({ ticket, token })
}
