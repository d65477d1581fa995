/**
 * Rebuilds the index of this checkout from its Ticket files, for use after `git pull`.
 *
 * Usage: npm run rebuild [-- folder]. It is `ticketplan rebuild`, run from the sources.
 */
import { openPlan } from '../src/index.ts'
import { count } from '../src/model/count.ts'

using plan = openPlan({
  root: process.argv[2] ?? process.cwd(),
  onNotice: message => console.error(`note: ${message}`),
})
const { tickets, decisions, quarantined, ms } = plan.rebuild()
console.log(
  `${count(tickets, 'Ticket')}, ${count(decisions, 'decision')}, ${count(quarantined, 'unreadable file')}, ${ms} ms`,
)
process.exitCode = quarantined > 0 ? 4 : 0
