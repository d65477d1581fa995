/** Lists every operation, by its name in the SDK and on the command line. */
import { accept } from './accept.ts'
import { add } from './add.ts'
import { brief } from './brief.ts'
import { claim, claims, release, renew } from './claim.ts'
import { consult } from './consult.ts'
import { db } from './db.ts'
import { doctor } from './doctor.ts'
import { exportPlan } from './export.ts'
import { graph } from './graph.ts'
import { importTickets } from './import.ts'
import { init } from './init.ts'
import { list } from './list.ts'
import { log } from './log.ts'
import { mergeDriver } from './merge-driver.ts'
import { overview } from './overview.ts'
import { queue } from './queue.ts'
import { record } from './record.ts'
import { recordAll } from './record-all.ts'
import { relations } from './relations.ts'
import { resolve } from './resolve.ts'
import { retract } from './retract.ts'
import { scope } from './scope.ts'
import { set } from './set.ts'
import { show } from './show.ts'
import { sql } from './sql.ts'
import { rebuild, sync } from './sync.ts'
import { undo } from './undo.ts'
import { verify } from './verify.ts'

export const operations = {
  init,
  add,
  set,
  record,
  recordAll,
  retract,
  undo,
  list,
  queue,
  consult,
  accept,
  claim,
  renew,
  release,
  claims,
  show,
  relations,
  graph,
  log,
  scope,
  overview,
  brief,
  sql,
  db,
  sync,
  rebuild,
  verify,
  resolve,
  doctor,
  import: importTickets,
  export: exportPlan,
  'merge-driver': mergeDriver,
}

export type Operations = typeof operations
export type OperationName = keyof Operations
