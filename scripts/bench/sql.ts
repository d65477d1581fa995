/** Measures SQL over the views of the index. */
import Database from 'better-sqlite3'
import { type Bench, medianUs } from './measuring.ts'

/** Measures two prepared queries of relations, each time about another Ticket. */
export function measureSql({ sdk, note }: Bench, repository: string): void {
  using plan = sdk.openPlan({ root: repository })
  const db = new Database(plan.db().path, { readonly: true })
  const byTicket = db.prepare('select * from relations where ticket_id = ?')
  const byKind = db.prepare('select * from relations where kind = ? and ticket_id = ?')
  const ids = db.prepare('select id from tickets').pluck().all() as string[]
  let next = 0
  const id = () => {
    next = (next + 7919) % ids.length
    return ids[next]!
  }
  note(
    'relations of a Ticket, prepared SQL, us',
    medianUs(() => byTicket.all(id())),
    'the goal of 25 us',
    25,
    1,
  )
  note(
    'relations of a kind and a Ticket, prepared SQL, us',
    medianUs(() => byKind.all('blocked_by', id())),
    'the goal of 25 us',
    25,
    1,
  )
  db.close()
}
