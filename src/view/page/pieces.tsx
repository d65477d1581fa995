/** Small parts that views are made of. */
import type { ComponentChildren, RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Mark } from '../drawing/mark.tsx'
import { cleanText, LOOK_WORDS, type Look } from '../drawing/words.ts'
import { type Context, lookIn, titleIn } from './context.ts'
import { ticketHref } from './route.ts'

export function Icon({ look }: { look: Look }) {
  return (
    <svg class="icon" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">
      <Mark look={look} />
    </svg>
  )
}

/** A Ticket by its id, with its mark; a link to its view. */
export function TicketLink({ context, id, look = lookIn(context, id) }: { context: Context; id: string; look?: Look }) {
  return (
    <a class={`id ${look}`} href={ticketHref(id)} title={cleanText(titleIn(context, id))}>
      <Icon look={look} />
      <span class="spoken">{LOOK_WORDS[look]} </span>
      <b>{cleanText(id)}</b>
    </a>
  )
}

/** Text of a Ticket. It is isolated, so that it cannot reorder the text around it. */
export function Said({ children }: { children: string | null | undefined }) {
  return <bdi>{cleanText(children ?? '')}</bdi>
}

interface CardProps {
  id: string
  title: ComponentChildren
  count?: number | undefined
  aside?: ComponentChildren
  kind?: string
  children?: ComponentChildren
}

export function Card({ id, title, count, aside, kind = '', children }: CardProps) {
  return (
    <section class={`card ${kind}`} id={id} aria-labelledby={`${id}-title`}>
      <div class="head">
        <h2 id={`${id}-title`} tabIndex={-1}>
          {title}
          {count !== undefined && <span class="n">{count.toLocaleString('en')}</span>}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  )
}

interface ListCardProps<T> extends CardProps {
  entries: readonly T[]
  /** How many entries there are beyond these. */
  leftOut?: number | undefined
  /** How many are shown at first. */
  step: number
  row(entry: T): ComponentChildren
}

/** A card with a list; nothing where the list is empty. */
export function ListCard<T>({ entries, leftOut = 0, step, row, ...card }: ListCardProps<T>) {
  const [shown, more] = useMore(step, entries.length, leftOut)
  if (entries.length === 0) return null
  return (
    <Card {...card} count={entries.length + leftOut}>
      <ul class="rows tight">{entries.slice(0, shown).map(row)}</ul>
      {more}
    </Card>
  )
}

/**
 * Returns how many entries to show, and a button for more of them. Where all are shown, it says how many the document has left
 * out, or is null.
 */
export function useMore(step: number, total: number, leftOut = 0): [number, ComponentChildren] {
  const [shown, show] = useState(step)
  const next = Math.min(total - shown, step * 4)
  if (next <= 0) return [total, leftOut > 0 ? <p class="none">and {leftOut.toLocaleString('en')} more</p> : null]
  return [
    shown,
    <button class="more" type="button" onClick={() => show(shown + next)}>
      {next === total - shown ? `${next} more` : `${next} more of ${(total - shown).toLocaleString('en')}`}
    </button>,
  ]
}

/** A command to copy. The page itself never changes anything. */
export function Copy({ text }: { text: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = () => {
    void navigator.clipboard?.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <button type="button" class="copy" title={`copy: ${text}`} aria-label={`copy: ${text}`} onClick={copy}>
      {isCopied ? (
        <span>copied</span>
      ) : (
        <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
          <rect x="4.5" y="4.5" width="8" height="8" rx="1.5" />
          <path d="M9.5 4.5V3A1.5 1.5 0 0 0 8 1.5H3A1.5 1.5 0 0 0 1.5 3v5A1.5 1.5 0 0 0 3 9.5h1.5" />
        </svg>
      )}
    </button>
  )
}

/** Returns a place to measure, and how wide it is; 0 before it is drawn. */
export function useWidth(): [RefObject<HTMLDivElement | null>, number] {
  const ref = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const element = ref.current!
    const measure = () => setWidth(element.clientWidth)
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [ref, width]
}

export type Loaded<T> = { status: 'loading' } | { status: 'failed'; message: string } | { status: 'loaded'; value: T }

/** Loads a document, and again whenever one of the keys changes; what was loaded stays until then. */
export function useLoaded<T>(load: () => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ status: 'loading' })
  useEffect(() => {
    let isCurrent = true
    load().then(
      value => isCurrent && setLoaded({ status: 'loaded', value }),
      (error: Error) => isCurrent && setLoaded({ status: 'failed', message: error.message }),
    )
    return () => {
      isCurrent = false
    }
  }, keys)
  return loaded
}

/** A choice among the values of a filter; the chosen one is marked. */
export function Chip({ isChosen, href, children }: { isChosen: boolean; href: string; children: ComponentChildren }) {
  return (
    <a class="chip" aria-current={isChosen ? 'true' : undefined} href={href}>
      {children}
    </a>
  )
}
