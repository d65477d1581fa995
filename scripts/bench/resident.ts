/** Measures a `consult` that a running watch answers, by the number of Tickets. The floor is the start of Node. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { alternate, type Bench } from './measuring.ts'

/** Limit of a consult with a resident, at any size, as a multiple of `node -e 0`. */
const LIMIT = 1.4

/** Measures one repository while a watch runs in it. Fails where the watch has not answered nearly every time. */
export async function measureResident({ cli, runs, note }: Bench, repository: string, size: number): Promise<void> {
  const socket = join(repository, '.git', 'ticketplan', 'resident', 'socket')
  const names = readdirSync(join(repository, 'tickets'))
  const last = names.filter((_, n) => n % 10 === 0).at(-1)!
  const ticket = last.replace('.json', '')
  const watch = spawn(process.execPath, [cli, '-C', repository, 'watch'], { stdio: 'ignore' })
  try {
    while (!existsSync(socket)) await sleep(50)
    await sleep(500) // the first checks of the watch
    const times = runs * 5
    const before = await answered(socket)
    const [measuredMs, floorMs] = alternate(
      times,
      () => spawnSync(process.execPath, [cli, '-C', repository, 'consult', ticket, '--json'], { stdio: 'ignore' }),
      () => spawnSync(process.execPath, ['-e', '0'], { stdio: 'ignore' }),
    )
    const count = (await answered(socket)) - before
    if (count < times * 0.9) throw new Error(`the resident answered ${count} of ${times} commands`)
    const tickets = `${size.toLocaleString('en')} Tickets`
    note(`CLI consult with a resident, ${tickets}`, measuredMs!, 'node -e 0', floorMs!, LIMIT)
  } finally {
    watch.kill()
  }
}

/** Returns how many commands the resident has answered. */
function answered(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(path)
    socket.on('data', data => {
      text += data
    })
    socket.on('end', () => resolve(JSON.parse(text.slice(1)).answered)).on('error', reject)
    socket.write('{"ping":true}\n')
  })
}
