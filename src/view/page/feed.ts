/**
 * Where the page has its data from: the server of this start, or a document in the page itself (`export html`).
 *
 * The token comes once, in the fragment, which is never sent. It is kept for this origin and sent as Authorization; it dies with
 * the server. The stream of changes is read with fetch, because EventSource cannot send a header.
 */

import type { Overview } from '../../operations/overview-shape.ts'
import type { PageDocument } from '../../operations/page-documents.ts'
import { inlineSource } from './inline-source.ts'
import type { Source } from './source.ts'

export type State = 'connecting' | 'live' | 'lost' | 'ended' | 'file'

export interface Feed {
  overview: Overview | null
  state: State
  failure: string | null
  /** What changed last, for a screen reader. */
  said: string
  /** Tickets that have just changed. */
  fresh: ReadonlySet<string>
  /** Grows with each overview. */
  turn: number
  source: Source
  subscribe(listener: () => void): () => void
}

const TOKEN_KEY = 'ticketplan token'
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 5000

export function openFeed(): Feed {
  const listeners = new Set<() => void>()
  const feed: Feed = {
    ...{ overview: null, state: 'connecting', failure: null, said: '', fresh: new Set<string>(), turn: 0 },
    source: serverSource(),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const emit = () => {
    for (const listener of listeners) listener()
  }
  const inline = document.getElementById('document')
  if (inline) {
    const page = JSON.parse(inline.textContent!) as PageDocument
    return Object.assign(feed, { overview: page.overview, state: 'file', source: inlineSource(page) })
  }
  takeToken()
  follow(feed, emit)
  return feed
}

function takeToken(): void {
  const given = /^#token=([\w-]+)$/.exec(location.hash)?.[1]
  if (given === undefined) return
  localStorage.setItem(TOKEN_KEY, given)
  history.replaceState(null, '', '#/')
}

function ask(path: string, signal?: AbortSignal): Promise<Response> {
  const token = localStorage.getItem(TOKEN_KEY) ?? ''
  return fetch(`/api/${path}`, { headers: { Authorization: `Bearer ${token}` }, ...(signal && { signal }) })
}

async function load<T>(path: string): Promise<T> {
  const answer = await ask(path).catch(() => {
    throw new Error('The server does not answer. Is "ticketplan view" still running?')
  })
  const body = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Error(body.error?.message ?? `status ${answer.status}`)
  return body as T
}

function serverSource(): Source {
  const query = (values: Record<string, string | number>) =>
    new URLSearchParams(Object.entries(values).map(([name, value]) => [name, String(value)]))
  return {
    ticket: id => load(`ticket?${query({ id })}`),
    tickets: given => load(`tickets?${query(given)}`),
    log: given => load(`log?${query(given)}`),
    around: focus => load(`overview?${query({ focus })}`),
  }
}

/** Keeps the feed's overview current, until the page is closed. */
function follow(feed: Feed, emit: () => void): void {
  const pull = puller(feed, emit)
  let stream: AbortController | undefined
  let retryMs = FIRST_RETRY_MS
  const listen = async (): Promise<void> => {
    stream?.abort()
    const mine = new AbortController()
    stream = mine
    try {
      const answer = await ask('events', mine.signal)
      if (answer.status === 401) {
        end(feed)
        return emit()
      }
      if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`)
      retryMs = FIRST_RETRY_MS
      if (feed.state === 'lost') void pull()
      feed.state = 'live'
      emit()
      await readEvents(answer.body, data => {
        note(feed, data)
        void pull()
      })
    } catch {
      // The server has ended, or the tab was hidden.
    }
    if (mine.signal.aborted) return
    feed.state = 'lost'
    emit()
    setTimeout(listen, retryMs)
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
  }
  // A hidden page keeps no stream: a browser has six connections for each host.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      stream?.abort()
      return
    }
    void listen()
    void pull()
  })
  void pull()
  void listen()
}

/** Returns a function that loads the overview; a call during a load leads to one more. */
function puller(feed: Feed, emit: () => void): () => Promise<void> {
  let isPulling = false
  let isOutdated = false
  const pull = async (): Promise<void> => {
    if (isPulling) {
      isOutdated = true
      return
    }
    isPulling = true
    isOutdated = false
    try {
      const answer = await ask('overview')
      if (answer.status === 401) end(feed)
      else if (answer.ok) {
        Object.assign(feed, { overview: await answer.json(), failure: null, turn: feed.turn + 1 })
      } else feed.failure = (await answer.json()).error?.message ?? `status ${answer.status}`
    } catch {
      feed.failure ??= 'The server does not answer. Is "ticketplan view" still running?'
    }
    isPulling = false
    emit()
    if (isOutdated) await pull()
  }
  return pull
}

function end(feed: Feed): void {
  feed.state = 'ended'
  feed.failure = 'Open the link that "ticketplan view" printed: it has the token of this start.'
}

interface Change {
  tickets: string[]
  verdicts: { ticket: string; to: 'accept' | 'hold' | null }[]
}

function note(feed: Feed, { tickets, verdicts }: Change): void {
  const words = { accept: 'may run now', hold: 'is held' }
  feed.fresh = new Set([...tickets, ...verdicts.map(({ ticket }) => ticket)])
  feed.said = verdicts
    .slice(0, 5)
    .map(({ ticket, to }) => `${ticket} ${to === null ? 'left the queue' : words[to]}`)
    .join(', ')
}

/** Calls the function with the data of each event; ends with the stream. */
async function readEvents(body: ReadableStream<Uint8Array>, onChange: (change: Change) => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let text = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    text += value
    const events = text.split('\n\n')
    text = events.pop()!
    for (const event of events) {
      const data = /^event: changed\ndata: (.*)$/m.exec(event)?.[1]
      if (data !== undefined) onChange(JSON.parse(data))
    }
  }
}
