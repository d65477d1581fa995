/**
 * Writes the phrases of a brief: names, times, quotes and the reason that holds a Ticket.
 *
 * Pure. Text from Tickets is put in quotes that it cannot close, on one line, cut and escaped, so that it cannot pass for a
 * line of the brief or steer a terminal.
 */
import { escapeText } from '../model/escape-text.ts'
import type { ChainLink, Reason } from '../model/reasons.ts'
import { isoTime } from '../model/text.ts'
import type { BriefFacts } from './brief-facts.ts'

/** Writes times and states as the facts have them. */
export interface Phrases {
  /** Returns a time in UTC; only the hour if it is of today. */
  time(iso: string): string
  /** Returns the state of a Ticket that the facts name. */
  state(ticket: string): string
}

/** Returns the phrases for these facts. */
export function phrasesOf({ nowMs, states }: BriefFacts): Phrases {
  const today = isoTime(nowMs).slice(0, 10)
  return {
    time: iso => `${iso.slice(0, 10) === today ? iso.slice(11, 16) : iso.slice(0, 16).replace('T', ' ')}Z`,
    state: ticket => stateWord(states.get(ticket)),
  }
}

/** Returns the first reason that holds a Ticket, and how many more there are; for one that may be accepted, its first warning. */
export function whyText(
  { verdict, reasons, waiting }: BriefFacts['queue'][number],
  phrases: Phrases,
  width: number,
): string {
  const relevant = reasons.filter(({ severity }) => severity === (verdict === 'hold' ? 'hold' : 'warn'))
  const first = relevant[0]
  if (!first) return ''
  const more = relevant.length > 1 ? `, +${relevant.length - 1} more` : ''
  const note = first.code === 'waiting_for_capacity' && waiting ? ` ${quoted(waiting, width)}` : ''
  return `${verdict === 'hold' ? '' : 'note: '}${reasonText(first, phrases)}${note}${more}`
}

function reasonText(reason: Reason, { time, state }: Phrases): string {
  switch (reason.code) {
    case 'not_queued':
    case 'newer_format':
    case 'stale_token':
      return reason.code
    case 'unknown_kind':
      return `has a decision of the unknown kind ${word(reason.kind)}`
    case 'elsewhere':
      return `${word(reason.state)} in the worktree ${quoted(reason.worktree, 60)}`
    case 'elsewhere_unread':
      return `unreadable in the worktree ${quoted(reason.worktree, 60)}`
    case 'behind':
      return `was released as ${word(reason.state)}; pull or merge`
    case 'parent_blocked':
      return `part of ${reason.ticket} (${state(reason.ticket)}), which is held`
    case 'on_hold':
      return reason.not_before === undefined ? 'on hold' : `on hold until ${time(reason.not_before)}`
    case 'area':
      return `works where ${reason.ticket} does (${state(reason.ticket)}): ${quoted(reason.other_pattern, 60)}`
    case 'unknown_area':
      return `unknown area ${word(reason.area)}`
    case 'unknown_state':
      return `unknown state ${word(reason.state)} of ${reason.ticket}`
    case 'blocked_by':
      return `blocked_by ${reason.ticket} (${state(reason.ticket)})${rootText(reason.chain)}`
    case 'quarantined':
      return `cannot be judged: ${quoted(reason.path, 60)} is unreadable`
    case 'claims_unknown':
      return 'the claims are unknown: the fleet cannot be reached'
    case 'claimed':
      return `claimed by ${word(reason.holder)} until ${time(reason.expires_at)}`
    case 'cycle':
      return `waits for itself: ${firstOf(reason.cycle, 6, ' > ')}`
    case 'waiting_for_capacity':
      return [
        reason.severity === 'hold' ? 'waits for capacity' : 'has a capacity note',
        reason.pool && `of pool ${word(reason.pool)}`,
        reason.until && `until one of ${firstOf(reason.until, 4, ', ')} is out of play`,
      ]
        .filter(Boolean)
        .join(' ')
    case 'pool_full':
      return `pool ${word(reason.pool)} is full (${reason.taken} of ${reason.capacity})`
    case 'contested':
      return `contested ${word(reason.field)}`
    default:
      return `${reason.code} ${reason.ticket} (${state(reason.ticket)})`
  }
}

/** Returns the end of the first path down the chain: the Ticket that has to move first. */
function rootText(chain: readonly ChainLink[]): string {
  const root = chain.find((link, i) => (chain[i + 1]?.depth ?? 0) <= link.depth)
  return root && root.depth > 1 ? `, in the end by ${root.ticket} (${stateWord(root.state)})` : ''
}

function firstOf(ids: readonly string[], most: number, separator: string): string {
  return ids.slice(0, most).join(separator) + (ids.length > most ? `${separator}…` : '')
}

/** Returns one line of text from a Ticket, in quotes, of at most that many characters. */
export function quoted(text: string, maxCharacters: number): string {
  const start = text.slice(0, maxCharacters * 4)
  const characters = [...start.replace(/\s+/g, ' ').trim()]
  const isCut = characters.length > maxCharacters || text.length > start.length
  const kept = isCut ? `${characters.slice(0, maxCharacters - 1).join('')}…` : characters.join('')
  return `"${escapeText(kept.replace(/[\\"]/g, '\\$&'))}"`
}

/** Returns a short name as it is; anything that could be a sentence, in quotes. */
export function word(text: string): string {
  return /^[\w@./:+-]{1,64}$/.test(text) ? text : quoted(text, 40)
}

/** Returns the state of a Ticket, or that it has no readable file. */
export function stateWord(state: string | null | undefined): string {
  return state == null ? 'no readable file' : word(state)
}
