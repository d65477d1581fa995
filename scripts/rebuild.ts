/**
 * Rebuilds the index of a checkout from its Ticket files, for use after `git pull`.
 *
 * Usage: npm run rebuild [-- folder]. The same as `ticketplan rebuild`, straight from the sources.
 */
import { openPlan } from '../src/index.ts'

using plan = openPlan({
  root: process.argv[2] ?? process.cwd(),
  onNotice: message => console.error(`note: ${message}`),
})
const { tickets, decisions, quarantined, ms } = plan.rebuild()
console.log(`${tickets} Tickets, ${decisions} decisions, ${quarantined} files that cannot be read, ${ms} ms`)
process.exitCode = quarantined > 0 ? 4 : 0
