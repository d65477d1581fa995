/** Words, times and cut texts for drawings and the page. Pure. */
import type { Overview } from '../../operations/overview-shape.ts'

/** How a Ticket looks in every list and drawing, shown by its shape as well as by its colour. */
export type Look = 'accept' | 'hold' | 'active' | 'open' | 'done' | 'gone' | 'missing'

export const LOOK_WORDS: Record<Look, string> = {
  accept: 'may run',
  hold: 'held',
  active: 'running',
  open: 'not queued',
  done: 'settled',
  gone: 'abandoned',
  missing: 'no file',
}

type Named = Overview['tickets'][string] | undefined

/** Returns the look of a Ticket; one that has a live claim runs. */
export function lookOf(ticket: Named, isClaimed = ticket?.claimed === true): Look {
  if (!ticket || ticket.phase === null) return 'missing'
  if (ticket.phase === 'terminal') return ticket.abandoned ? 'gone' : 'done'
  if (ticket.phase === 'active' || isClaimed) return 'active'
  if (ticket.phase === 'open') return 'open'
  return ticket.verdict === 'accept' ? 'accept' : 'hold'
}

/** Returns a span of time: `45 s`, `28 min`, `3.2 h`, `4 d`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  const hours = minutes / 60
  if (hours < 10) return `${Number(hours.toFixed(1))} h`
  if (hours < 36) return `${Math.round(hours)} h`
  return `${Math.round(hours / 24)} d`
}

/** Returns how long ago a time was; empty where there is none. */
export function agoText(at: string | null | undefined, nowMs: number): string {
  return at ? `${spanText(nowMs - Date.parse(at))} ago` : ''
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Returns a time of day, in the zone of the reader. */
export function clockText(timeMs: number): string {
  const time = new Date(timeMs)
  return `${String(time.getHours()).padStart(2, '0')}:${String(time.getMinutes()).padStart(2, '0')}`
}

/** Returns a day, such as `4 Mar`. */
export function dayText(timeMs: number): string {
  const time = new Date(timeMs)
  return `${time.getDate()} ${MONTHS[time.getMonth()]}`
}

/** Returns a day and a time of day. */
export function momentText(timeMs: number): string {
  return `${dayText(timeMs)} ${clockText(timeMs)}`
}

export function countText(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`
}

const KIND_WORDS: Record<string, string> = {
  accepted_plan: 'accepted',
  after: 'comes after',
  before: 'comes before',
  blocked_by: 'is blocked by',
  blocks: 'blocks',
  conflicts_with: 'must not run beside',
  contains: 'contains',
  contested: 'contested by a merge',
  hold: 'on hold',
  note: 'note',
  part_of: 'is part of',
  related: 'is related to',
  retraction: 'retracted a decision',
  touches: 'touches',
  waiting_for_capacity: 'waits for capacity',
}

/** Returns a kind of decision as a verb between two Tickets. */
export function kindText(kind: string): string {
  return KIND_WORDS[kind] ?? kind.replaceAll('_', ' ')
}

/** Returns text without characters that control or reverse it, each as a visible mark. */
export function cleanText(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\p{Cs}/gu,
    character => (/\s/.test(character) ? ' ' : '\ufffd'),
  )
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Returns about how many pixels a character is wide, rather more than less. */
function widthOf(grapheme: string, size: number): number {
  if (WIDE.test(grapheme)) return size * 1.05
  if (/^[mwMW@%]/.test(grapheme)) return size * 0.9
  if (/^[A-Z0-9&#_+<>=~]/.test(grapheme)) return size * 0.68
  if (/^[ilj.,:;'|!()[\]ft /-]/.test(grapheme)) return size * 0.38
  return size * (grapheme.codePointAt(0)! < 0x250 ? 0.58 : 0.75)
}

/** Returns text cut to a width in pixels at a font size. Nothing is cut within a character that is made of several. */
export function fitText(text: string, width: number, size: number): string {
  const parts = partsOf(text, size)
  if (total(parts) <= width) return cleanText(text)
  let used = size
  let shown = ''
  for (const { text, width: one } of parts) {
    used += one
    if (used > width) break
    shown += text
  }
  return `${shown.trimEnd()}…`
}

/** Returns an id cut in its middle: its end distinguishes ids as much as its beginning. */
export function fitId(id: string, width: number, size: number): string {
  const parts = partsOf(id, size)
  if (total(parts) <= width) return cleanText(id)
  const half = (width - size) / 2
  const take = (list: typeof parts) => {
    let used = 0
    return list
      .filter(({ width: one }) => {
        used += one
        return used <= half
      })
      .map(({ text }) => text)
  }
  return `${take(parts).join('')}…${take(parts.toReversed()).reverse().join('')}`
}

function partsOf(text: string, size: number): { text: string; width: number }[] {
  // No box has room for more, and a title can be a kilobyte.
  const shown = cleanText(text.length > 400 ? text.slice(0, 400) : text)
  return [...graphemes.segment(shown)].map(({ segment }) => ({ text: segment, width: widthOf(segment, size) }))
}

function total(parts: readonly { width: number }[]): number {
  return parts.reduce((sum, { width }) => sum + width, 0)
}
