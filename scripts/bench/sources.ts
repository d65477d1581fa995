/** Measures imports for `npm run bench`: one that has nothing to do, and how long others wait for the write lock meanwhile. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Plan } from '../../src/index.ts'
import { alternate, type Bench } from './measuring.ts'

/** Imports a beads file with a record for each Ticket of the large repository, two thirds of them blocked by the one before. */
export async function measureSources(bench: Bench, folder: string): Promise<void> {
  const { cli, sdk, note, runs, ticketCount: records } = bench
  mkdirSync(folder)
  spawnSync('git', ['init', '-q', folder])
  const path = join(folder, 'issues.jsonl')
  writeFileSync(path, Array.from({ length: records }, (_, n) => `${JSON.stringify(beadsRecord(n))}\n`).join(''))
  using plan = sdk.openPlan({ root: folder, actor: 'bench' })
  plan.init()
  const size = records.toLocaleString('en')
  note(`import of ${size}, us a Ticket`, firstImport(bench, `${folder}-first`, path), 'the goal of 1.5 ms', 1500, 1)
  note(
    `longest renew while ${size} records are imported`,
    await longestRenew(plan, folder, path, cli),
    'the goal of 1 s',
    1000,
    1,
  )
  plan.import({ system: 'beads', path })
  const [measuredMs, floorMs] = alternate(
    runs,
    () => plan.import({ system: 'beads', path }),
    () => plan.sync(),
  )
  note(`import of ${size} unchanged records`, measuredMs!, 'sync with nothing to do', floorMs!, 3)
}

/** Imports the file into a repository without Tickets; returns the time for each, in us. */
function firstImport({ sdk, ticketCount: records }: Bench, folder: string, path: string): number {
  mkdirSync(folder)
  spawnSync('git', ['init', '-q', folder])
  using plan = sdk.openPlan({ root: folder, actor: 'bench' })
  plan.init()
  const startedAt = performance.now()
  const { written } = plan.import({ system: 'beads', path })
  if (written !== records) throw new Error(`${written} of ${records} Tickets were imported`)
  return ((performance.now() - startedAt) * 1000) / records
}

function beadsRecord(n: number): object {
  const id = `bd-${n}`
  return {
    id,
    title: `An issue of the usual length, number ${n}`,
    status: 'open',
    created_at: '2026-05-01T08:00:00Z',
    updated_at: '2026-06-01T08:00:00Z',
    priority: n % 4,
    dependencies: n % 3 ? [{ issue_id: id, depends_on_id: `bd-${n - 1}`, type: 'blocks' }] : [],
  }
}

/** Renews a claim in a loop while another process imports; returns the longest call in ms. */
async function longestRenew(plan: Plan, folder: string, path: string, cli: string): Promise<number> {
  plan.add({ id: 'held', title: 'Held', state: 'queued' })
  const { token } = plan.accept({ ticket: 'held', holder: 'bench', summary: 'renewed during the import' }).claim!
  const importing = spawn(process.execPath, [cli, '-C', folder, '--actor', 'bench', 'import', 'beads', path])
  const ended = new Promise<number | null>(resolve => importing.once('exit', resolve))
  let longest = 0
  let isOver = false
  const status = ended.then(code => {
    isOver = true
    return code
  })
  while (!isOver) {
    const startedAt = performance.now()
    plan.renew({ ticket: 'held', token: token! })
    longest = Math.max(longest, performance.now() - startedAt)
    await wait(5)
  }
  if ((await status) !== 0) throw new Error('the import failed')
  return longest
}
