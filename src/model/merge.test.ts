import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { asDecision, loose } from '../test-support/loose-decision.ts'
import { phaseOf } from '../test-support/memory-facts.ts'
import { branchings, origins, textOf, works } from '../test-support/merge-histories.ts'
import { reportProof } from '../test-support/proof-numbers.ts'
import { decodeTicket, encodeTicket } from './canonical-json.ts'
import type { Decision } from './decision.ts'
import { fileStatuses } from './decision-status.ts'
import { mergeTickets } from './merge.ts'
import type { TicketId } from './names.ts'
import { type Ticket, ticketProblem } from './ticket.ts'

/** The number of random histories for the nine laws together; each history takes 1 to 40 merges. */
const HISTORIES = Number(process.env.TICKETPLAN_MERGES ?? 2500)
const RUNS = Math.ceil(HISTORIES / 9)
/** The seed that a failed run printed. */
const SEED = process.env.TICKETPLAN_SEED
const TIMEOUT = 20_000 + RUNS * 20

let histories = 0
afterAll(() => reportProof({ what: 'random histories of merges', count: histories }))

/** Tests a law on random histories. Shrinks a counterexample for a few seconds only. */
function always<T extends [unknown, ...unknown[]]>(
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  law: (...values: T) => void,
): void {
  fc.assert(fc.property<T>(...arbitraries, law), {
    numRuns: RUNS,
    ...(SEED && { seed: Number(SEED) }),
    interruptAfterTimeLimit: TIMEOUT / 2,
    markInterruptAsFailure: true,
  })
  histories += RUNS
}

const merge = (base: Ticket | null, ours: Ticket, theirs: Ticket): Ticket =>
  mergeTickets(base, ours, theirs, phaseOf).ticket

/** Merges sides in pairs until one is left, in the order of the numbers; every third picked side stays and is merged again. */
function mergeAll(base: Ticket | null, sides: readonly Ticket[], numbers: readonly number[]): Ticket {
  const left = [...sides]
  const pick = (number: number) =>
    number % 3 === 0 ? left[number % left.length]! : left.splice(number % left.length, 1)[0]!
  for (const [i, number] of numbers.entries()) {
    if (left.length < 2) break
    const first = pick(number)
    if (left.length > 0) left.push(merge(base, first, pick(numbers.at(-i - 1)!)))
    else left.push(first)
  }
  return left.reduce((merged, side) => merge(base, merged, side))
}

const orders = fc.array(fc.nat(999), { minLength: 8, maxLength: 8 })

describe('laws', () => {
  test('equal bytes, whichever side is ours', { timeout: TIMEOUT }, () => {
    always([branchings], ({ base, sides: [ours, theirs] }) => {
      expect(encodeTicket(merge(base, ours!, theirs!))).toBe(encodeTicket(merge(base, theirs!, ours!)))
    })
  })

  test('where one side changed nothing the result is the other side, removals included', { timeout: TIMEOUT }, () => {
    always([branchings], ({ base, sides: [side, other] }) => {
      expect(encodeTicket(merge(base ?? side!, base ?? side!, other!))).toBe(encodeTicket(other!))
      expect(encodeTicket(merge(side!, other!, side!))).toBe(encodeTicket(other!))
    })
  })

  test('merging again changes nothing', { timeout: TIMEOUT }, () => {
    always([branchings], ({ base, sides: [ours, theirs] }) => {
      expect(encodeTicket(merge(base, ours!, ours!))).toBe(encodeTicket(ours!))
      const merged = merge(base, ours!, theirs!)
      for (const again of [ours!, theirs!, merged])
        expect(encodeTicket(merge(base, merged, again))).toBe(encodeTicket(merged))
    })
  })

  test('any order and grouping of any number of sides, repetition included, returns equal bytes', {
    timeout: TIMEOUT,
  }, () => {
    always([branchings, orders, orders], ({ base, sides }, one, another) => {
      expect(encodeTicket(mergeAll(base, sides, one))).toBe(encodeTicket(mergeAll(base, sides, another)))
    })
  })

  test('the same over several rounds, each from the result of the last', { timeout: TIMEOUT }, () => {
    const rounds = fc.array(fc.tuple(fc.array(works, { minLength: 2, maxLength: 4 }), orders, orders), {
      minLength: 2,
      maxLength: 3,
    })
    always([origins, rounds], ({ ticket, worked }, rounds) => {
      let [here, there] = [ticket, ticket]
      for (const [work, one, another] of rounds) {
        const sidesOf = (base: Ticket) => work.map(one => worked(base, one))
        here = mergeAll(here, sidesOf(here), one)
        there = mergeAll(there, sidesOf(there).reverse(), another)
        expect(encodeTicket(there)).toBe(encodeTicket(here))
      }
    })
  })

  test('nothing of either side is lost, nothing is added, and the right value wins', { timeout: TIMEOUT }, () => {
    always([branchings], ({ base, sides: [ours, theirs] }) => {
      expect(violations(base, ours!, theirs!, merge(base, ours!, theirs!))).toEqual([])
    })
  })

  test('the result is a valid Ticket and survives encoding and decoding', { timeout: TIMEOUT }, () => {
    always([branchings, orders], ({ base, sides }, order) => {
      const merged = mergeAll(base, sides, order)
      expect(ticketProblem(merged)).toBeNull()
      const bytes = Buffer.from(encodeTicket(merged))
      expect(decodeTicket(bytes, merged.id)).toEqual({ ticket: merged, canonical: true })
    })
  })

  test('a revert of one side removes what it added, on every branch, and nothing else', { timeout: TIMEOUT }, () => {
    always([origins, works, works, works], ({ ticket: base, worked }, one, another, later) => {
      const [side, other] = [worked(base, one), worked(base, another)]
      const merged = merge(base, side, other)
      const reverted = merge(side, merged, base)
      const elsewhere = worked(merged, later)
      const result = merge(merged, reverted, elsewhere)
      for (const decision of side.decisions) {
        const same = (ticket: Ticket) => textOf(find(ticket, decision.id)) === textOf(decision)
        if (find(base, decision.id) || find(other, decision.id) || !same(elsewhere)) continue
        // A merge may derive the very decision that a side wrote by hand.
        if (decision.kind !== 'contested') expect(find(result, decision.id)).toBeUndefined()
      }
      for (const decision of elsewhere.decisions) {
        if (find(side, decision.id) || find(base, decision.id)) continue
        expect(find(result, decision.id), decision.id).toEqual(decision)
      }
    })
  })

  test('the merge of a whole branch, reverted, is the other branch', { timeout: TIMEOUT }, () => {
    always([branchings], ({ base, sides: [ours, theirs] }) => {
      const merged = merge(base, ours!, theirs!)
      expect(encodeTicket(merge(merged, merged, ours!))).toBe(encodeTicket(ours!))
    })
  })
})

const [EARLY, LATE] = ['2026-06-08T11:30:00.000Z', '2026-06-08T12:02:11.000Z']
const NOTE: Decision = { at: EARLY, by: 'a', id: '01JX8Z3V7Q4T9K2M5N6P7R8S00', kind: 'note' }

function ticket(fields: Partial<Ticket> = {}): Ticket {
  return { format: 1, id: 'T-1' as TicketId, title: 'a', state: 'open', decisions: [], ...fields }
}

describe('the state group', () => {
  const base = ticket({ state: 'queued', state_at: EARLY, queued_at: EARLY, queued_by: 'a' })
  const lostStates = (merged: Ticket) => merged.decisions.map(loose).map(({ field, lost }) => [field, lost])

  test('of the later state_at wins as a whole, also against a higher phase', () => {
    const earlier = ticket({ state: 'done', state_at: '2026-06-08T12:00:00.000Z', queued_at: EARLY, queued_by: 'b' })
    const later = ticket({ state: 'open', state_at: LATE, title: 'b' })
    const merged = merge(base, earlier, later)
    expect(merged).toMatchObject({ state: 'open', state_at: LATE, title: 'b' })
    expect(merged).not.toHaveProperty('queued_by')
    const { state, state_at, queued_at, queued_by } = earlier
    expect(lostStates(merged)).toEqual([['state', { state, state_at, queued_at, queued_by }]])
  })

  test.each([
    ['open', 'queued'],
    ['queued', 'in_progress'],
    ['in_progress', 'done'],
    ['zzz', 'queued'],
    ['cancelled', 'done'],
  ])('of the same time: %s loses to %s', (lesser, greater) => {
    const sides = [lesser, greater].map(state => ticket({ state, state_at: LATE })) as [Ticket, Ticket]
    const merged = merge(base, ...sides)
    expect(merged.state).toBe(greater)
    expect(lostStates(merged)).toEqual([['state', { state: lesser, state_at: LATE }]])
  })

  test('changed on one side alone is that side, whatever its time', () => {
    const older = ticket({ state: 'open' })
    expect(merge(base, older, ticket({ ...base, title: 'b' }))).toEqual(ticket({ state: 'open', title: 'b' }))
  })
})

describe('a contested decision', () => {
  const sides = [ticket({ title: 'b' }), ticket({ title: 'c' })] as [Ticket, Ticket]

  test('is the same in every clone: its id and time come from the Ticket, the field and the lost value alone', () => {
    const [contested] = merge(ticket(), ...sides).decisions
    expect(contested).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      by: 'ticketplan',
      field: 'title',
      id: '0000000000QH51XMWEASMA3A4K',
      kind: 'contested',
      lost: 'b',
    })
    const otherwise = merge(ticket({ title: '' }), ticket({ title: 'd', decisions: [NOTE] }), sides[0])
    expect(find(otherwise, contested!.id)).toEqual(contested)
    const ids = [
      contested!.id,
      merge(ticket(), ticket({ slug: 'b' }), ticket({ slug: 'c' })).decisions[0]!.id,
      merge(ticket(), sides[1], ticket({ title: 'd' })).decisions[0]!.id,
    ]
    const [left, right] = sides.map(side => ({ ...side, id: 'T-2' as TicketId })) as [Ticket, Ticket]
    ids.push(merge(null, left, right).decisions[0]!.id)
    expect(new Set(ids).size).toBe(4)
  })

  test('has the time of a state or a decision that lost', () => {
    const states = [ticket({ state: 'queued', state_at: EARLY }), ticket({ state: 'queued', state_at: LATE })] as const
    expect(merge(ticket(), ...states).decisions).toMatchObject([{ field: 'state', at: EARLY }])
    const [one, other] = ['x', 'y'].map(reason => ticket({ decisions: [{ ...NOTE, reason }] })) as [Ticket, Ticket]
    const merged = merge(null, one, other)
    expect(find(merged, NOTE.id)).toEqual({ ...NOTE, reason: 'y' })
    expect(merged.decisions).toMatchObject([NOTE, { field: `decisions.${NOTE.id}`, at: EARLY, lost: { reason: 'x' } }])
  })

  test('of a field that one side removed has no value', () => {
    const merged = merge(ticket({ slug: 'a' }), ticket(), ticket({ slug: 'b' }))
    expect(merged.slug).toBe('b')
    expect(merged.decisions).toMatchObject([{ field: 'slug', kind: 'contested' }])
    expect(merged.decisions[0]).not.toHaveProperty('lost')
  })

  test('that was retracted stays retracted, though the same value loses again', () => {
    const first = merge(ticket(), ...sides)
    const { id } = first.decisions[0]!
    const retraction: Decision = { ...NOTE, kind: 'retraction', retracts: id }
    const settled = { ...first, title: 'a', decisions: [...first.decisions, retraction] }
    const again = merge(settled, { ...settled, title: 'b' }, { ...settled, title: 'd' })
    expect(again.title).toBe('d')
    expect(fileStatuses(again.decisions).get(id)).toBe('retracted')
  })

  test('that every side removed is recorded again where the same value loses again', () => {
    const first = merge(ticket(), ...sides)
    const again = merge({ ...first, title: 'a' }, sides[0], ticket({ title: 'd' }))
    expect(again.decisions).toEqual(first.decisions)
  })

  test('about a decision stays where the same version of it loses again, in any order', () => {
    const versions = ['x', 'y', 'z'].map(reason => ticket({ decisions: [{ ...NOTE, reason }] })) as Ticket[]
    const lost = merge(ticket({ decisions: [NOTE] }), versions[0]!, versions[1]!)
    const base = { ...lost, decisions: lost.decisions.map(one => (one.id === NOTE.id ? NOTE : one)) }
    const [x, z] = [versions[0]!, versions[2]!].map(({ decisions }) => ({
      ...base,
      decisions: [...base.decisions.filter(({ id }) => id !== NOTE.id), ...decisions],
    })) as [Ticket, Ticket]
    const removed = ticket({ decisions: [NOTE] })
    expect(merge(base, merge(base, x, z), removed)).toEqual(merge(base, x, merge(base, z, removed)))
    expect(merge(base, merge(base, x, z), removed).decisions).toHaveLength(2)
  })

  test.each<[string, Partial<Ticket>, Partial<Ticket>, Partial<Ticket>]>([
    ['a value', {}, { title: 'b' }, { title: 'c' }],
    ['a removal', { slug: 'a' }, { slug: undefined }, { slug: 'b' }],
  ])('about one that is gone, and that a merge derives again from %s, stays or goes whatever the order', (_, ...versions) => {
    const [origin, one, other] = versions.map(fields => ticket(fields)) as [Ticket, Ticket, Ticket]
    const contested = merge(origin, one, other).decisions[0]!
    const noted = ['x', 'y'].map(reason => ticket({ decisions: [{ ...contested, reason }] })) as [Ticket, Ticket]
    const twice = merge(ticket({ decisions: [contested] }), ...noted)
    const decisions = twice.decisions.filter(({ id }) => id !== contested.id)
    expect(decisions).toHaveLength(1)
    const [base, left, right] = [origin, one, other].map(side => ({ ...side, decisions })) as [Ticket, Ticket, Ticket]
    const apart = [merge(base, left, merge(base, right, origin)), merge(base, right, merge(base, left, origin))]
    for (const result of apart) expect(result).toEqual(merge(base, merge(base, left, right), origin))
  })

  test('keeps the reason that somebody added to it when the same value loses again', () => {
    const first = merge(ticket(), ...sides)
    const noted = { ...first, title: 'a', decisions: first.decisions.map(one => ({ ...one, reason: 'ask Ann' })) }
    const again = merge(noted, { ...noted, title: 'b' }, { ...noted, title: 'd' })
    expect(again.decisions).toEqual(noted.decisions)
  })

  test('about a field whose name looks like a decision does not depend on the order either', () => {
    const field = `decisions.${NOTE.id}`
    const [first, second] = [1, 2].map(value => ticket({ [field]: value, decisions: [NOTE] })) as [Ticket, Ticket]
    const lost = merge(ticket({ decisions: [NOTE] }), first, second)
    const base = { ...lost, [field]: undefined } as Ticket
    const [one, two] = [1, 2].map(value => ({ ...lost, [field]: value })) as [Ticket, Ticket]
    const cleared = { ...base, decisions: [NOTE] }
    const apart = merge(base, one, merge(base, two, cleared))
    expect(encodeTicket(merge(base, merge(base, one, two), cleared))).toBe(encodeTicket(apart))
  })
})

test('a revert after a merge removes one decision, and the next merge does not restore it', () => {
  const [kept, wrong, later] = ['0', '1', '2'].map(n => ({ ...NOTE, id: `${NOTE.id.slice(0, -1)}${n}` })) as Decision[]
  const merged = merge(ticket(), ticket({ decisions: [kept!] }), ticket({ decisions: [wrong!] }))
  const reverted = merge(ticket({ decisions: [wrong!] }), merged, ticket())
  expect(reverted.decisions).toEqual([kept])
  const elsewhere = { ...merged, decisions: [...merged.decisions, later!] }
  expect(merge(merged, reverted, elsewhere).decisions).toEqual([kept, later])
})

test('texts are compared by bytes, not by code units', () => {
  const [lesser, greater] = [ticket({ title: '\uffee' }), ticket({ title: '🐢' })]
  expect(merge(ticket(), lesser, greater).title).toBe('🐢')
})

test('a removed decision is gone whatever happens to its subject, unless a merge added it', () => {
  const decision = { ...NOTE, field: 'title' }
  const base = ticket({ decisions: [decision] })
  expect(merge(base, ticket(), { ...base, title: 'b' })).toEqual(ticket({ title: 'b' }))
})

test('a decision that one side removed and the other changed stays, with the change', () => {
  const changed = { ...NOTE, reason: 'x' }
  const merged = merge(ticket({ decisions: [NOTE] }), ticket(), ticket({ decisions: [changed] }))
  expect(merged.decisions).toEqual([changed])
})

test('the result has the later format of both sides, so that it is never written', () => {
  const later = ticket({ format: 2, title: 'b' })
  expect(merge(ticket(), ticket({ slug: 'a' }), later).format).toBe(2)
  expect(merge(ticket(), later, ticket({ slug: 'a' })).format).toBe(2)
})

test('fields and kinds of a newer version survive, and so do the names of properties of Object.prototype', () => {
  const newer = { ...NOTE, kind: 'reviewed', verdicts: [{ by: 'x', stars: 5 }] }
  const left = ticket({ constructor: { a: 1 }, risk: { level: [1, null] } })
  const right = ticket({ toString: 'x', decisions: [asDecision(newer)] })
  expect(merge(ticket(), left, right)).toEqual({ ...left, ...right })
})

function find({ decisions }: Ticket, id: string): Decision | undefined {
  return decisions.find(decision => decision.id === id)
}

const GROUP = ['queued_at', 'queued_by', 'state', 'state_at']

/** Returns the fields of a Ticket that merge one by one; the state group is one field. */
function fieldsOf(ticket: Ticket | null): Map<string, unknown> {
  if (!ticket) return new Map()
  const { format, id, decisions, ...fields } = ticket
  const entries = Object.entries(fields)
  const isOfGroup = ([name]: [string, unknown]) => GROUP.includes(name)
  return new Map([
    ...entries.filter(entry => !isOfGroup(entry)),
    ['state', Object.fromEntries(entries.filter(isOfGroup))] as const,
  ])
}

/** Returns how a merge violates the contract; empty where it does not. Compares values, independently of the code under test. */
function violations(base: Ticket | null, ours: Ticket, theirs: Ticket, merged: Ticket): string[] {
  const found: string[] = []
  const require = (right: boolean, complaint: string) => right || found.push(complaint)
  const sides = [ours, theirs]
  const lost: { field: string; value: unknown }[] = []

  const [from, left, right, result] = [fieldsOf(base), fieldsOf(ours), fieldsOf(theirs), fieldsOf(merged)]
  const fields = new Set([from, left, right, result].flatMap(fields => [...fields.keys()]))
  for (const field of fields) {
    const changed = [left, right]
      .map(side => side.get(field))
      .filter(value => textOf(value) !== textOf(from.get(field)))
    const values = new Map(changed.map(value => [textOf(value), value]))
    const [winner, loser] = [...values.values()].sort(field === 'state' ? laterFirst : greaterFirst)
    require(textOf(result.get(field)) ===
      textOf(values.size ? winner : from.get(field)), `${field} has the wrong value`)
    if (values.size === 2) lost.push({ field, value: loser })
  }

  const ids = new Set([base, ours, theirs, merged].flatMap(ticket => ticket?.decisions.map(({ id }) => id) ?? []))
  const versions = [...ids].map(id => {
    const known = base ? find(base, id) : undefined
    const own = sides.map(side => find(side, id))
    const changed = own.filter(decision => decision && textOf(decision) !== textOf(known)).sort(greaterFirst)
    return { id, known, changed, isRemoved: own.includes(undefined), got: find(merged, id) }
  })
  for (const { id, changed, got } of versions) {
    for (const value of changed) if (textOf(value) !== textOf(got)) lost.push({ field: `decisions.${id}`, value })
  }

  const wasLost = (decision: Decision) => {
    const { field, lost: value } = loose(decision)
    return lost.some(one => one.field === field && textOf(one.value) === textOf(value))
  }
  for (const { id, known, changed, isRemoved, got } of versions) {
    if (changed.length > 0) {
      const isDerived = got?.kind === 'contested' && got.by === 'ticketplan' && wasLost(got)
      require(isDerived || textOf(got) === textOf(changed[0]), `${id} is not the greater one`)
    } else if (known) {
      const isContested = known.kind === 'contested'
      const isUpheld = isContested && sides.some(side => find(side, id) && changes(base, side, String(known.field)))
      if (isRemoved && !isUpheld && !(isContested && got && wasLost(known))) require(!got, `${id} is back`)
      else require(textOf(got) === textOf(known), `${id} is gone or changed`)
    }
  }
  for (const { field, value } of lost)
    require(keeps(merged.decisions, field, value), `${field}: ${textOf(value)} is lost without a trace`)

  for (const decision of merged.decisions) {
    const isOfSide = sides.some(side => textOf(find(side, decision.id)) === textOf(decision))
    require(isOfSide || wasLost(decision), `${decision.id} comes from neither side`)
  }
  return found
}

/** True where a contested decision keeps the value, directly or inside another losing value. */
function keeps(decisions: readonly Decision[], field: string, value: unknown): boolean {
  return decisions.some(
    decision =>
      decision.kind === 'contested' &&
      ((decision.field === field && textOf(decision.lost) === textOf(value)) ||
        (decision.field?.startsWith('decisions.') && keeps([(decision.lost ?? {}) as Decision], field, value))),
  )
}

/** True where a side changes the subject of a contested decision: a field, a decision or, where that is absent, anything. */
function changes(base: Ticket | null, side: Ticket, about: string): boolean {
  const [from, to] = [fieldsOf(base), fieldsOf(side)]
  if (textOf(from.get(about)) !== textOf(to.get(about))) return true
  if (!about.startsWith('decisions.')) return false
  const known = base ? find(base, about.slice('decisions.'.length)) : undefined
  const others = side.decisions.filter(({ id }) => !known || id === known.id)
  const isChanged = (decision: Decision) => textOf(decision) !== textOf(base ? find(base, decision.id) : undefined)
  return (
    others.some(isChanged) ||
    (!known && [...from.keys(), ...to.keys()].some(name => textOf(from.get(name)) !== textOf(to.get(name))))
  )
}

function greaterFirst(a: unknown, b: unknown): number {
  return Buffer.compare(Buffer.from(textOf(b)), Buffer.from(textOf(a)))
}

function laterFirst(a: unknown, b: unknown): number {
  const [one, other] = [a as Partial<Ticket>, b as Partial<Ticket>]
  const rank = ({ state }: Partial<Ticket>) => ['open', 'queued', 'active', 'terminal'].indexOf(phaseOf(state!))
  const [at, otherAt] = [one.state_at ?? '', other.state_at ?? '']
  if (at !== otherAt) return at > otherAt ? -1 : 1
  return rank(other) - rank(one) || greaterFirst(a, b)
}
