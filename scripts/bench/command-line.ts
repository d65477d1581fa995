/** Measures commands as processes; the floor is the start of Node. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { alternate, type Bench } from './measuring.ts'

/** Measures a `consult`. */
export function measureCli({ cli, runs, note }: Bench, repository: string, size: string): void {
  const last = readdirSync(join(repository, 'tickets'))
    .filter((_, n) => n % 10 === 0)
    .at(-1)!
    .replace('.json', '')
  const run = (...args: string[]) => spawnSync(process.execPath, args, { stdio: 'ignore' })
  run(cli, '-C', repository, 'sync')
  const [measuredMs, floorMs] = alternate(
    runs * 3,
    () => run(cli, '-C', repository, 'consult', last, '--json'),
    () => run('-e', '0'),
  )
  note(`CLI consult, cold, ${size} Tickets`, measuredMs!, 'node -e 0', floorMs!, size === '1,000' ? 2 : 3)
}

/** Measures what a shell runs at each press of the tab key: the start of a name that a hundred Tickets have. */
export function measureCompletion({ cli, runs, ticketCount, note }: Bench, repository: string): void {
  const name = readdirSync(join(repository, 'tickets')).sort().at(-1)!.replace('.json', '')
  const words = ['-C', repository, 'consult', name.slice(0, -2)]
  const complete = () => spawnSync(process.execPath, [cli, '__complete', 'fish', ...words], { encoding: 'utf8' })
  if (!complete().stdout.includes(`\n${name}\t`)) throw new Error(`the completion does not list ${name}`)
  const [measuredMs, floorMs] = alternate(runs * 3, complete, () => spawnSync(process.execPath, ['-e', '0']))
  const tickets = `${ticketCount.toLocaleString('en')} Tickets`
  note(`completion of a Ticket's name, cold, ${tickets}`, measuredMs!, 'node -e 0', floorMs!, 5)
}
