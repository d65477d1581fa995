/** The page: a header, the view that the address names, a live region, and the list of keys. */
import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { momentText } from '../drawing/words.ts'
import type { Context } from './context.ts'
import { type Feed, openFeed, type State } from './feed.ts'
import { useKeys } from './keys.ts'
import { LogPage } from './log-page.tsx'
import { MapPage } from './map-page.tsx'
import { NowPage } from './now-page.tsx'
import { currentPlace, hrefTo, ticketHref } from './route.ts'
import { TicketPage } from './ticket-page.tsx'
import { TicketsPage } from './tickets-page.tsx'

/** Times on the screen are drawn again after this long. */
const REDRAW_MS = 5000

function App({ feed }: { feed: Feed }) {
  const [, setTurn] = useState(0)
  const [where, setWhere] = useState(currentPlace)
  useEffect(() => feed.subscribe(() => setTurn(turn => turn + 1)), [])
  useEffect(() => {
    if (feed.state === 'file') return
    const timer = setInterval(() => setTurn(turn => turn + 1), REDRAW_MS)
    return () => clearInterval(timer)
  }, [])
  useEffect(() => {
    const onChange = () => {
      const next = currentPlace()
      setWhere(before => {
        if (before.path.join('/') !== next.path.join('/')) {
          scrollTo(0, 0)
          requestAnimationFrame(() => document.querySelector<HTMLElement>('main h1')?.focus())
        }
        return next
      })
    }
    addEventListener('hashchange', onChange)
    return () => removeEventListener('hashchange', onChange)
  }, [])
  useKeys()
  const { overview } = feed
  if (!overview) return <Waiting failure={feed.failure} />
  const isFile = feed.state === 'file'
  const context: Context = {
    overview,
    nowMs: isFile ? Date.parse(overview.at) : Date.now(),
    fresh: feed.fresh,
    where,
    source: feed.source,
    turn: feed.turn,
    isFile,
  }
  document.title = `${overview.counts.accept} may run, ${overview.counts.hold} held · ${overview.name}`
  return (
    <>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>('main h1')?.focus()}>
        To the content
      </button>
      <Header context={context} feed={feed} />
      <main id="main">
        <View context={context} />
      </main>
      <div class="spoken" aria-live="polite">
        {feed.said}
      </div>
      <Keys />
    </>
  )
}

function Waiting({ failure }: { failure: string | null }) {
  return (
    <main class="alone" aria-busy={failure === null}>
      <h1 tabIndex={-1}>{failure === null ? 'Reading the plan …' : 'No answer'}</h1>
      {failure !== null && <p>{failure}</p>}
    </main>
  )
}

function View({ context }: { context: Context }) {
  const [view, id = ''] = context.where.path
  if (view === 'ticket') return <TicketPage key={id} context={context} id={id} />
  if (view === 'map') return <MapPage context={context} />
  if (view === 'log') return <LogPage context={context} />
  if (view === 'tickets') return <TicketsPage context={context} />
  return <NowPage context={context} />
}

const TABS = [
  ['', 'Now'],
  ['map', 'Map'],
  ['log', 'Log'],
  ['tickets', 'Tickets'],
] as const

const STATE_WORDS: Record<State, string> = {
  connecting: 'connecting',
  live: 'live',
  lost: 'not connected',
  ended: 'restarted: open its new link',
  file: '',
}

function Header({ context, feed }: { context: Context; feed: Feed }) {
  const { overview, where } = context
  const [view = ''] = where.path
  const find = (event: SubmitEvent) => {
    event.preventDefault()
    const wanted = String(new FormData(event.currentTarget as HTMLFormElement).get('q')).trim()
    location.hash = overview.tickets[wanted] ? ticketHref(wanted) : hrefTo('tickets', { q: wanted })
  }
  return (
    <header class="top">
      <a class="brand" href="#/">
        <svg width="22" height="16" viewBox="0 0 22 16" aria-hidden="true">
          <circle cx="4" cy="4" r="3" />
          <circle cx="4" cy="12" r="3" />
          <circle cx="18" cy="8" r="3" class="to" />
          <path d="M7 4h3c3 0 2 4 5 4M7 12h3c3 0 2-4 5-4" />
        </svg>
        {overview.name}
      </a>
      <nav aria-label="Views">
        {TABS.map(([to, word]) => (
          <a key={to} href={hrefTo(to)} aria-current={view === to ? 'page' : undefined}>
            {word}
          </a>
        ))}
      </nav>
      <search>
        <form class="find" onSubmit={find}>
          <input type="search" name="q" aria-label="Find a Ticket" placeholder="Find a Ticket" autocomplete="off" />
          <span class="key" aria-hidden="true">
            /
          </span>
        </form>
      </search>
      <span class={`link ${feed.state}`} role="status">
        <i aria-hidden="true" />
        {context.isFile ? `as of ${momentText(context.nowMs)}` : STATE_WORDS[feed.state]}
      </span>
    </header>
  )
}

const KEYS: [keys: string[], does: string][] = [
  [['j', 'k'], 'next and previous Ticket in the lists'],
  [['Enter'], 'open it'],
  [['g n', 'g m', 'g l', 'g t'], 'Now, Map, Log, Tickets'],
  [['/'], 'find'],
  [['←', '↑', '→', '↓'], 'walk the map, once a Ticket there has the focus'],
  [['+', '-', '0'], 'zoom the map'],
  [['Esc'], 'back from a Ticket'],
  [['?'], 'these keys'],
]

function Keys() {
  return (
    <dialog id="keys" aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl>
        {KEYS.map(([keys, does]) => (
          <div key={does}>
            <dt>
              {keys.map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  )
}

render(<App feed={openFeed()} />, document.getElementById('app')!)
