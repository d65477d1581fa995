/** Measures a durable write. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { alternate, type Bench } from './measuring.ts'

/** Measures `record` against the calls of the system that make one file durable. */
export function measureRecord({ sdk, ticketCount, note }: Bench, repository: string): void {
  using plan = sdk.openPlan({ root: repository, actor: 'bench' })
  plan.sync()
  const bytes = Buffer.alloc(1000, 'x')
  const directory = join(repository, 'tickets')
  const durableWrite = () => {
    const temp = join(directory, '.bench.tmp')
    const file = openSync(temp, 'w')
    writeSync(file, bytes)
    fsyncSync(file)
    closeSync(file)
    renameSync(temp, join(directory, '.bench'))
    const open = openSync(directory, 'r')
    fsyncSync(open)
    closeSync(open)
  }
  let n = 0
  const record = () =>
    plan.record({ ticket: `T-${String(n++ % ticketCount).padStart(6, '0')}`, kind: 'note', reason: `note ${n}` })
  const [measuredMs, floorMs] = alternate(200, record, durableWrite)
  note('record, SDK', measuredMs!, 'write, fsync, rename, fsync of the folder', floorMs!, 2.1)
}
