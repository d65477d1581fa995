/** The keys of the whole page. The arrow keys within a map are its own. */
import { useEffect } from 'preact/hooks'
import { hrefTo } from './route.ts'

const VIEWS: Record<string, string> = { n: '', m: 'map', l: 'log', t: 'tickets' }
/** How long a key may come after `g`. */
const SECOND_KEY_MS = 1200

export function useKeys(): void {
  useEffect(() => {
    let goAt = Number.NEGATIVE_INFINITY
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      const target = event.target as HTMLElement
      if (target.matches('input, textarea, select')) {
        if (event.key === 'Escape') target.blur()
        return
      }
      const view = VIEWS[event.key]
      if (view !== undefined && event.timeStamp - goAt < SECOND_KEY_MS) {
        location.hash = hrefTo(view)
        goAt = Number.NEGATIVE_INFINITY
      } else if (event.key === 'g') goAt = event.timeStamp
      else if (event.key === '/') {
        event.preventDefault()
        document.querySelector<HTMLInputElement>('.find input')?.focus()
      } else if (event.key === '?') document.querySelector<HTMLDialogElement>('#keys')?.showModal()
      else if (event.key === 'j') step(1)
      else if (event.key === 'k') step(-1)
      else if (event.key === 'Escape' && location.hash.startsWith('#/ticket/')) history.back()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}

/** Moves the focus to the next or the previous Ticket of the lists. */
function step(by: 1 | -1): void {
  const links = [
    ...document.querySelectorAll<HTMLElement>('[data-nav] .line > .id:first-child, [data-nav] td > .id:first-child'),
  ]
  const at = links.indexOf(document.activeElement as HTMLElement)
  links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus()
}
