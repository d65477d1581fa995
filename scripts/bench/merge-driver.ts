/** Measures the merge driver as a process. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTicket } from '../../src/model/canonical-json.ts'
import type { Ticket } from '../../src/model/ticket.ts'
import { alternate, type Bench } from './measuring.ts'

/** Measures one merge of a Ticket that both sides decided about, as git starts it. */
export function measureMergeDriver({ dist, runs, note }: Bench, path: string): void {
  mkdirSync(path)
  const decision = (id: string) => ({ at: '2026-06-08T11:30:00.000Z', by: 'bench', id, kind: 'note', reason: 'a note' })
  const base = { format: 1, id: 'T-1', title: 'Ticket', state: 'queued' } as Omit<Ticket, 'decisions'>
  const version = (name: string, ...ids: string[]) => {
    writeFileSync(join(path, name), encodeTicket({ ...base, decisions: ids.map(decision) } as Ticket))
    return join(path, name)
  }
  const [common, ours, theirs] = [
    '01JX8Z3V7Q4T9K2M5N6P7R8S00',
    '01JX8Z3V7Q4T9K2M5N6P7R8S01',
    '01JX8Z3V7Q4T9K2M5N6P7R8S02',
  ]
  const program = join(dist, 'merge-driver.cjs')
  const run = (...args: string[]) => spawnSync(process.execPath, args, { stdio: 'ignore' })
  const files = [version('base', common), version('ours', common, ours), version('theirs', common, theirs)]
  const [measuredMs, floorMs] = alternate(
    runs * 5,
    () => {
      version('ours', common, ours)
      if (run(program, ...files, 'tickets/T-1.json').status !== 10) throw new Error('the merge failed')
    },
    () => run('-e', '0'),
  )
  note('merge driver, one Ticket', measuredMs!, 'node -e 0', floorMs!, 1.4)
}
