/** Defines `ticketplan view`, which serves the page until it is stopped. */
import { createRequire } from 'node:module'
import { ioError } from '../files/io-error.ts'
import { PlanError } from '../model/errors.ts'
import { jsonLine } from '../model/json-line.ts'
import { log } from '../operations/log.ts'
import { parseInput } from '../operations/operation.ts'
import { OVERVIEW_CLAIMS, overviewOf } from '../operations/overview.ts'
import type { Judge } from '../operations/overview-facts.ts'
import { decisionEntry } from '../operations/overview-lists.ts'
import { searchTickets, ticketDocument } from '../operations/page-documents.ts'
import { viewCommand } from '../operations/view.ts'
import type { Store } from '../store/store.ts'
import type { PlanSource } from '../view/plan-source.ts'
import { type KnownState, knownVerdicts, watchTickets } from '../watch/watch.ts'
import { ownOutput, printNotice } from './command-output.ts'
import { openBrowser } from './open-browser.ts'
import { print } from './print.ts'
import { type StreamingCommand, untilStopped } from './watch.ts'

/** Entries of each list that the page gets; it finds the rest by search. */
const LIST_LIMIT = 300

export const view: StreamingCommand = {
  isResident: true,
  ...viewCommand,
  follows: OVERVIEW_CLAIMS,
  async stream(store, { json }, given) {
    const { port, host, open } = viewCommand.input.parse(given)
    // dist/view.cjs, which the build bundles from view/view.ts; it has no store of its own.
    const { serveView } = createRequire(import.meta.url)('./view.cjs') as typeof import('../view/view.ts')
    const note = (message: string) => printNotice(message, json, ownOutput)
    if (host !== undefined && host !== '127.0.0.1')
      note(
        `${host} can be reached by other machines, and nothing is encrypted: anybody who sees the traffic sees the token`,
      )
    const server = await serveView(planSource(store), { port, host }).catch(error => {
      throw listenError(error, port)
    })
    print(1, json ? jsonLine({ url: server.url }) : `${server.url}\n`)
    const removeFile = open ? openBrowser(server.url, note) : () => {}
    note('the page is served until ctrl-c; keep the link to yourself')
    const status = await untilStopped(() => ({ close() {}, [Symbol.dispose]() {} }))
    removeFile()
    await server.close()
    return status
  },
}

function listenError(error: unknown, port: number | undefined): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    const message =
      port === undefined
        ? 'view: no free port was found; give another one with --port, or 0 for any'
        : `view: port ${port} is in use; give another one, or 0 for any`
    return new PlanError('invalid_input', message, { field: 'port' })
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    const message = `view: this address cannot be listened on (${code}); check --host and --port`
    return new PlanError('invalid_input', message, { field: code === 'EACCES' ? 'port' : 'host' })
  }
  return code?.startsWith('E') ? ioError(error, 'the page') : error
}

/** The watch has judged every queued Ticket for its event; its verdicts serve the question that follows, and no later one. */
const VERDICTS_MS = 2000

/** Returns what the server asks, over a store. */
function planSource(store: Store): PlanSource {
  let known: { state: KnownState; readAt: number } | undefined
  const judge: Judge = view =>
    known && performance.now() - known.readAt < VERDICTS_MS ? knownVerdicts(store, view, known.state) : undefined
  return {
    root: store.repository.root,
    overview: ({ focus, noPast = false }) => overviewOf(store, { focus, noPast, limit: LIST_LIMIT }, judge),
    ticket: name => ticketDocument(store, name),
    tickets: query => searchTickets(store, query),
    log: query => readLog(store, query),
    watch: listener =>
      watchTickets(
        store,
        ({ ticket, verdicts }) => listener({ ticket: ticket ?? '', verdicts }),
        {},
        state => {
          // No event of a Ticket says that claims are unknown, or known again.
          if (known && known.state.areClaimsUnknown !== state.areClaimsUnknown) listener({ ticket: '', verdicts: [] })
          known = { state, readAt: performance.now() }
        },
      ),
  }
}

function readLog(
  store: Store,
  { kind, by, since, limit }: Parameters<PlanSource['log']>[0],
): ReturnType<PlanSource['log']> {
  const filter = { ...(kind && { kind }), ...(by && { by }), ...(since && { since }), limit }
  const { decisions = [], more } = log.run(store, parseInput(log, filter))
  const rows = decisions.map(({ ticket, status, ...decision }) =>
    decisionEntry({ id: decision.id, ticket_id: ticket, kind: decision.kind, status, body: JSON.stringify(decision) }),
  )
  return { decisions: rows, more }
}
