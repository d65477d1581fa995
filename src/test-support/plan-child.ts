/** A second process for tests: holds the lock, records in a loop, rebuilds the index in a loop, watches. */
import { existsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { openPlan as OpenPlan } from '../sdk.ts'
import { PACKAGE_ROOT } from './run-cli.ts'

// The built SDK starts in a fraction of the time.
const { openPlan } = (await import(join(PACKAGE_ROOT, 'dist', 'index.js'))) as { openPlan: typeof OpenPlan }

const [task, root, ...args] = process.argv.slice(2)
const say = (line: string) => writeSync(1, `${line}\n`)

if (task === 'hold-lock') {
  const { openStore } = await import('../store/store.ts')
  openStore({ root, actor: 'child' }).locked(() => {
    say('locked')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
} else if (task === 'record-on') {
  const plan = openPlan({ root, actor: 'child' })
  for (let number = 0; ; number++) {
    const ticket = args[Math.floor(Math.random() * args.length)]!
    const { decision } = plan.record({ ticket, kind: 'note', reason: `child ${process.pid}, note ${number}` })
    say(`${ticket} ${decision.id}`)
  }
} else if (task === 'claim-on') {
  const plan = openPlan({ root, actor: 'child' })
  for (let number = 0; ; number++) {
    const ticket = args[number % args.length]!
    const { claim } = plan.claim({ ticket, holder: `child ${process.pid}`, ttl: 600 })
    say(String(claim!.token))
    plan.release({ ticket, token: claim!.token! })
  }
} else if (task === 'record-all-on') {
  const plan = openPlan({ root, actor: 'child' })
  for (let number = 0; ; number++) {
    const reason = `child ${process.pid}, note ${number}`
    const { recorded } = plan.recordAll({ decisions: args.map(ticket => ({ ticket, kind: 'note', reason })) })
    for (const { ticket, decision } of recorded) say(`${ticket} ${decision.id}`)
  }
} else if (task === 'rebuild') {
  const plan = openPlan({ root, actor: 'child' })
  for (let times = Number(args[0]); times > 0; times--) say(JSON.stringify(plan.rebuild()))
  plan.close()
} else if (task === 'open-at') {
  const [signal, ticket] = args as [string, string]
  say('ready')
  while (!existsSync(signal)); // all children start at the same moment
  const notices: string[] = []
  const plan = openPlan({ root, actor: 'child', onNotice: notice => notices.push(notice) })
  const { tickets } = plan.sync()
  const { created } = plan.record({ ticket, kind: 'note', reason: 'x' })
  say(JSON.stringify({ tickets, created, notices }))
  plan.close()
} else if (task === 'throw-in-listener') {
  const plan = openPlan({ root })
  process.on('uncaughtException', error => say(error.message))
  plan.watch(({ ticket }) => {
    throw new Error(`about ${ticket}`)
  })
  say('watching')
} else throw new Error(`no such task: ${task}`)
