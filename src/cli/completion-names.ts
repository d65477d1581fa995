/**
 * Reads the names that a shell completes: Tickets and decisions from the index as it is, states and pools from the
 * configuration.
 *
 * Checks no Ticket file, unless the index is missing or empty: an answer must come while somebody types, and a name that was
 * added a moment ago is worth less than that.
 */
import { existsSync } from 'node:fs'
import { escapeText } from '../model/escape-text.ts'
import { STATE_LISTS } from '../model/states.ts'
import { openStore, type Store } from '../store/store.ts'
import type { IndexQueries } from '../ticket-index/query.ts'
import { commandNames, loadCommand } from './commands.ts'
import { type Candidate, MAX_CANDIDATES, type Names } from './complete-line.ts'
import { TOPICS } from './help-topics.ts'
import { cut } from './terminal.ts'

/** How long a lock is waited for. */
const TIMEOUT_MS = 300
/** The columns of a description. */
const ABOUT_WIDTH = 60

/** Returns the names of the checkout around a folder, which is opened when the first of its names is needed. */
export function namesIn(folder: string | undefined): Names & Disposable {
  let opened: Store | undefined
  const open = () => {
    opened ??= openStore({ root: folder, busyTimeoutMs: TIMEOUT_MS })
    return opened
  }
  const ask = <T>(query: (queries: IndexQueries) => T): T => {
    const { index, read } = open()
    // A read creates nothing where no Tickets are; a look at the index would.
    if (!existsSync(index.path) || index.peek(queries => queries.counts().tickets) === 0) read(() => {})
    return index.peek(query)
  }
  const commands = () =>
    Promise.all(commandNames.map(async value => ({ value, about: (await loadCommand(value)).summary })))
  return {
    command: commands,
    async topic() {
      const topics = Object.entries(TOPICS).map(([value, { summary }]) => ({ value, about: summary }))
      return [...(await commands()), ...topics]
    },
    ticket: prefix =>
      ask(queries => queries.namesFrom(prefix, MAX_CANDIDATES)).map(({ name, id, title }) =>
        candidate(name, name === id ? title : `${id}: ${title}`),
      ),
    decision: prefix =>
      ask(queries => queries.activeFrom(prefix, MAX_CANDIDATES)).map(row =>
        candidate(
          row.id,
          `${row.ticket_id} ${row.kind}${row.target_id ? ` ${row.target_id}` : ''}${row.reason ? `: ${row.reason}` : ''}`,
        ),
      ),
    state() {
      const { lists } = open().states
      return STATE_LISTS.flatMap(list => lists[list].map(state => candidate(state, list)))
    },
    area: () => Object.entries(open().repository.config.areas).map(([area, paths]) => candidate(area, paths.join(' '))),
    pool: () =>
      Object.entries(open().repository.config.pools).map(([pool, slots]) => candidate(pool, `${slots} slots`)),
    [Symbol.dispose]: () => opened?.close(),
  }
}

function candidate(value: string, about: string): Candidate {
  return { value, about: cut(escapeText(about), ABOUT_WIDTH) }
}
