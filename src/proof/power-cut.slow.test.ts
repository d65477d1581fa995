/** Power cuts while two processes write: what was acknowledged is on the disk, and every file is whole. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlan } from '../sdk.ts'
import { type Acknowledged, checkAfterFault } from '../test-support/check-after-fault.ts'
import { loopDisk, loopDiskObstacle } from '../test-support/loop-disk.ts'
import { proofCount, proofSeed, reportProof, tally } from '../test-support/proof-numbers.ts'
import { randomNumbers } from '../test-support/random-numbers.ts'
import { startPlanChild } from '../test-support/run-cli.ts'
import { putTicket, runGit } from '../test-support/temporary-repository.ts'

const TICKETS = ['A', 'B', 'C', 'D']
/** The number of cuts before the disk is created again: Ticket files grow with each cut. */
const CUTS_A_DISK = 25

const obstacle = loopDiskObstacle()
const cuts = proofCount({ short: 4, long: 1000 })
const seed = proofSeed()

test(`${cuts} power cuts lose nothing that was acknowledged (seed ${seed})`, { timeout: 7_200_000 }, async ({
  skip,
}) => {
  skip(obstacle !== null, obstacle ?? '')
  const random = randomNumbers(seed)
  const seen = tally()
  for (let left = cuts; left > 0; left -= CUTS_A_DISK) await cutOften(Math.min(left, CUTS_A_DISK), random, seen)
  expect(seen.counts['decisions acknowledged']).toBeGreaterThan(cuts)
  expect(seen.counts['tokens acknowledged']).toBeGreaterThan(cuts / 2)
  reportProof({ what: 'power cuts', count: cuts, seed, seen: seen.counts })
})

async function cutOften(
  times: number,
  random: (bound: number) => number,
  seen: ReturnType<typeof tally>,
): Promise<void> {
  using disk = loopDisk(64)
  const root = join(disk.folder, 'checkout')
  runGit(disk.folder, 'init', '--quiet', '--template=', '--initial-branch=main', root)
  for (const id of TICKETS) putTicket(root, id, { state: 'queued' })
  spawnSync('sync', ['--file-system', root]) // what the test itself has written is on the disk
  const acknowledged: Acknowledged[] = []
  let newestToken = 0
  for (let cut = 0; cut < times; cut++) {
    const writer = startPlanChild('record-on', root, ...TICKETS)
    const claimer = startPlanChild('claim-on', root, ...TICKETS)
    await Promise.all([writer.said(1 + random(20)), claimer.said(1)])
    disk.cutPower()
    for (const child of [writer, claimer]) child.process.kill('SIGKILL')
    await Promise.all([writer.ended, claimer.ended])
    const decisions = writer.lines.map(line => line.split(' ') as [string, string])
    acknowledged.push(...decisions.map(([ticket, decision]) => ({ ticket, decision })))
    const tokens = claimer.lines.map(Number)
    newestToken = Math.max(newestToken, ...tokens)
    seen.add('decisions acknowledged', decisions.length)
    seen.add('tokens acknowledged', tokens.length)
    disk.start()
    checkAfterFault(root, acknowledged)
    newestToken = expectNewToken(root, newestToken, cut % 2 === 1)
  }
}

/** Expects that the next token is greater than each before; also where local.db is gone. */
function expectNewToken(root: string, newest: number, withoutDatabase: boolean): number {
  if (withoutDatabase) rmSync(join(root, '.git/ticketplan/local.db'))
  using plan = openPlan({ root, actor: 'tester' })
  for (const { ticket } of plan.claims().claims) plan.release({ ticket, force: true, reason: 'the power was cut' })
  const { claim } = plan.claim({ ticket: 'A', holder: 'after the cut' })
  expect(claim!.token).toBeGreaterThan(newest)
  plan.release({ ticket: 'A', token: claim!.token! })
  return claim!.token!
}
