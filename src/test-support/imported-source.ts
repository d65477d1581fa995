/** A repository beside a source that a test writes, and imports as often as it wants to. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { OpenOptions } from '../store/store.ts'
import { checkedPlan, testClock } from './checked-plan.ts'
import type { Item, SourceCase } from './source-case.ts'
import { writeFiles } from './source-cases.ts'
import { readTicketJson, temporaryRepository } from './temporary-repository.ts'

/** Writes the items as a source; its `run` imports it. */
export function imported(source: SourceCase, items: readonly Item[], open: OpenOptions = {}) {
  const repository = temporaryRepository()
  const path = join(repository.root, '.git', 'source')
  const plan = checkedPlan(repository.root, testClock(), open)
  const { system, options, idOf } = source
  const write = (items: readonly Item[], day = Math.max(1, ...items.map(({ day }) => day))) =>
    writeFiles(path, source.files(items), day)
  write(items)
  return {
    root: repository.root,
    path,
    plan,
    write,
    run: (more: object = {}) => plan.import({ system, path, ...options, ...more } as never),
    ticket: (n: number) => readTicketJson(repository.root, `tickets/${idOf(n)}.json`),
    edges: (kind: string) =>
      plan
        .relations({ status: 'all' })
        .relations.filter(relation => relation.kind === kind && relation.status !== 'retracted')
        .map(({ ticket, other }) => `${ticket} ${other}`)
        .sort(),
    [Symbol.dispose]() {
      plan[Symbol.dispose]()
      repository[Symbol.dispose]()
    },
  }
}

/** Returns each file of a source with its bytes and the time of its last change. */
export function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [`${path} ${statSync(path).mtimeMs} ${readFileSync(path, 'hex')}`]
  return readdirSync(path).flatMap(name => filesOf(join(path, name)))
}
