import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blockedBy, comesAfter, consult, lost, on, ticket } from '../test-support/draft-tickets.ts'
import { type GraphNode, graphFacts, graphOf, nth, range } from '../test-support/graph-facts.ts'
import { loose, looseReasons } from '../test-support/loose-decision.ts'
import { phaseOf } from '../test-support/memory-facts.ts'
import type { Ticket } from './ticket.ts'
import { verdictOn } from './verdict.ts'
import { type Bounds, MANY_TICKETS, ONE_TICKET } from './wait-graph.ts'

describe('the chain of blockers', () => {
  const chainOf = (...tickets: Ticket[]) =>
    on(tickets[0]!, ...tickets.slice(1)).reasons.find(({ code }) => code === 'blocked_by')?.chain
  const links = (...tickets: Ticket[]) =>
    chainOf(...tickets)?.map(
      ({ ticket, blocks, depth, repeated }) => `${depth} ${ticket}>${blocks}${repeated ? ' again' : ''}`,
    )

  test('lists each blocker, followed by what blocks it', () => {
    expect(
      links(
        ticket('T', 'queued', blockedBy('A')),
        ticket('A', 'open', blockedBy('D'), blockedBy('B')),
        ticket('B', 'open', blockedBy('C')),
        ticket('C', 'queued'),
        ticket('D', 'in_progress'),
      ),
    ).toEqual(['1 A>T', '2 B>A', '3 C>B', '2 D>A'])
  })

  test('leaves out blockers that are terminal, and what is below them', () => {
    expect(
      links(
        ticket('T', 'queued', blockedBy('A')),
        ticket('A', 'open', blockedBy('B')),
        ticket('B', 'done', blockedBy('C')),
        ticket('C', 'open'),
      ),
    ).toEqual(['1 A>T'])
  })

  test('does not follow "after"', () => {
    expect(
      links(ticket('T', 'queued', blockedBy('A')), ticket('A', 'open', comesAfter('B')), ticket('B', 'queued')),
    ).toEqual(['1 A>T'])
  })

  test('lists what a shared blocker waits for once, and marks the blocker where it is repeated', () => {
    expect(
      links(
        ticket('T', 'queued', blockedBy('A')),
        ticket('A', 'open', blockedBy('B'), blockedBy('C')),
        ticket('B', 'open', blockedBy('D')),
        ticket('C', 'open', blockedBy('D')),
        ticket('D', 'open', blockedBy('E')),
        ticket('E', 'open'),
      ),
    ).toEqual(['1 A>T', '2 B>A', '3 D>B', '4 E>D', '2 C>A', '3 D>C again'])
  })

  test('ends where it comes back to the Ticket that is held', () => {
    expect(
      links(
        ticket('T', 'queued', blockedBy('A')),
        ticket('A', 'open', blockedBy('B')),
        ticket('B', 'open', blockedBy('T')),
      ),
    ).toEqual(['1 A>T', '2 B>A', '3 T>B again'])
  })

  test('ends in a cycle that the Ticket is not on', () => {
    expect(
      links(
        ticket('T', 'queued', blockedBy('A')),
        ticket('A', 'open', blockedBy('B')),
        ticket('B', 'open', blockedBy('A')),
      ),
    ).toEqual(['1 A>T', '2 B>A', '3 A>B again'])
  })

  test('shows a blocker without a readable file without a state', () => {
    const plan = {
      tickets: [ticket('T', 'queued', blockedBy('A')), ticket('A', 'open', blockedBy('B'), blockedBy('C'))],
      quarantined: [lost('C')],
    }
    expect(consult(plan).reasons[0]!.chain!.slice(1)).toEqual([
      { ticket: 'B', blocks: 'A', depth: 2, state: null, phase: null },
      { ticket: 'C', blocks: 'A', depth: 2, state: null, phase: null },
    ])
  })
})

describe('a long chain', () => {
  const chainOf = (count: number, ends: GraphNode = {}) =>
    graphOf(count, n => (n + 1 < count ? { blockedBy: [nth(n + 1)] } : ends))
  const reasonOf = (graph: ReturnType<typeof graphOf>, bounds?: Bounds) =>
    looseReasons(verdictOn(nth(0), graphFacts(graph).facts, {}, bounds)).reasons.find(
      ({ code }) => code === 'blocked_by',
    )!

  test('lists its first hundred Tickets in an answer about one Ticket, and counts all', () => {
    const { chain, total, at_least, message } = reasonOf(chainOf(10_000))
    expect(chain!.map(({ ticket }) => ticket)).toEqual(range(1, 101))
    expect(chain!.map(({ depth }) => depth)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
    expect([total, at_least]).toEqual([9999, undefined])
    expect(message).toBe(`blocked by ${nth(1)} (queued), which itself waits for 9998 more`)
  })

  test('lists its first ten in an answer about many, and says that there are more', () => {
    const { chain, total, at_least, message } = reasonOf(chainOf(10_000), MANY_TICKETS)
    expect(chain!.map(({ ticket }) => ticket)).toEqual(range(1, 11))
    expect([total, at_least]).toEqual([11, true])
    expect(message).toBe(`blocked by ${nth(1)} (queued), which itself waits for at least 10 more`)
  })

  test.each([
    [100, ONE_TICKET],
    [10, MANY_TICKETS],
  ])('of exactly %d Tickets is listed whole', (count, bounds) => {
    for (const ends of [{}, { blockedBy: [nth(count + 1)] }]) {
      const graph = new Map([...chainOf(count + 1, ends), [nth(count + 1), { state: 'done' }]])
      const { chain, total, at_least } = reasonOf(graph, bounds)
      expect([chain!.length, total, at_least]).toEqual([count, count, undefined])
    }
  })

  test('goes on through a Ticket without a file and ends at one that was abandoned', () => {
    expect(reasonOf(chainOf(5, { blockedBy: ['nowhere'] }))).toMatchObject({ total: 5 })
    const graph = chainOf(5).set(nth(3), { state: 'wontfix', blockedBy: [nth(4)] })
    expect(reasonOf(graph).chain!.map(({ ticket }) => ticket)).toEqual(range(1, 4))
  })

  test('counts a Ticket that it names again once', () => {
    const diamond = graphOf(5, n => (n === 4 ? {} : { blockedBy: n === 0 ? [nth(1)] : range(n + 1, 5) }))
    const { chain, total } = reasonOf(diamond)
    expect(total).toBe(4)
    expect(chain!.filter(({ repeated }) => !repeated)).toHaveLength(4)
    expect(chain!.filter(({ repeated }) => repeated)).toHaveLength(3)
  })

  test('of one of many blockers is listed in full for ten, then with the blocker alone, and counted for all', () => {
    const count = 200
    const dense = graphOf(count, n => ({ blockedBy: range(n + 1, count) }))
    const chains = (bounds: Bounds) =>
      looseReasons(verdictOn(nth(0), graphFacts(dense).facts, {}, bounds)).reasons.filter(
        ({ code }) => code === 'blocked_by',
      )
    for (const bounds of [ONE_TICKET, MANY_TICKETS]) {
      const lengths = chains(bounds).map(({ chain }) => chain!.length)
      expect(lengths).toEqual([...Array(10).fill(bounds.links), ...Array(count - 11).fill(1)])
    }
    expect(chains(ONE_TICKET).map(({ total }) => total)).toEqual(
      Array.from({ length: count - 1 }, (_, i) => count - 1 - i),
    )
    for (const { total, ticket } of chains(MANY_TICKETS)) {
      expect(total).toBeGreaterThanOrEqual(1)
      expect(total).toBeLessThanOrEqual(count - Number(ticket!.slice(2)))
    }
  })
})

describe('200 Tickets, each blocked by all later ones', () => {
  const dense = (count: number) => graphOf(count, n => ({ blockedBy: range(n + 1, count) }))
  const judgeAll = (graph: ReturnType<typeof dense>) => {
    const { facts, calls } = graphFacts(graph)
    const verdicts = [...graph.keys()].map(id => verdictOn(id, facts, {}, MANY_TICKETS))
    return { verdicts, calls: calls(), bytes: JSON.stringify(verdicts).length }
  }

  test('have verdicts that name every blocker', () => {
    const { verdicts } = judgeAll(dense(200))
    expect(verdicts.map(({ verdict }) => verdict)).toEqual([...Array(199).fill('hold'), 'accept'])
    for (const [n, { reasons }] of verdicts.entries())
      expect(looseReasons({ reasons }).reasons.map(({ ticket }) => ticket)).toEqual(range(n + 1, 200))
  })

  test('take facts and bytes in proportion to the relations, not to the paths', () => {
    const [once, twice] = [judgeAll(dense(100)), judgeAll(dense(200))]
    expect(twice.calls).toBeLessThan(once.calls * 4)
    expect(twice.bytes).toBeLessThan(once.bytes * 4)
    const relations = (200 * 199) / 2
    expect(twice.calls).toBeLessThan(relations * 8)
    expect(twice.bytes).toBeLessThan(relations * 400)
  })

  test('take facts for one verdict in proportion to the relations, however many paths there are', () => {
    const callsFor = (count: number) => {
      const { facts, calls } = graphFacts(dense(count))
      verdictOn(nth(0), facts)
      return calls()
    }
    expect(callsFor(200)).toBeLessThan(callsFor(100) * 4)
    expect(callsFor(200)).toBeLessThan(200 * 200)
  })
})

test('a thousand Tickets that all wait for one with a thousand delivered blockers ask for those once', () => {
  const count = 1000
  const graph = graphOf(2 * count + 1, n =>
    n < count
      ? { blockedBy: [nth(count)] }
      : n === count
        ? { blockedBy: range(count + 1, 2 * count + 1) }
        : { state: 'done' },
  )
  const { facts, calls } = graphFacts(graph)
  for (const id of range(0, count)) expect(verdictOn(id, facts, {}, MANY_TICKETS).reasons).toHaveLength(1)
  expect(calls()).toBeLessThan(count * 60)
})

describe('a random graph of Tickets', () => {
  const names = ['T', 'A', 'B', 'C', 'D', 'E', 'F']
  const kinds = fc.constantFrom('after', 'blocked_by', 'part_of')
  const edges = fc.array(
    fc
      .record({ from: fc.nat(6), to: fc.nat(6), kind: kinds })
      .filter(edge => edge.kind !== 'part_of' || edge.from !== edge.to),
    { maxLength: 14 },
  )
  const states = fc.tuple(
    ...names.map((_, i) =>
      fc.constantFrom(...['open', 'queued', 'queued', 'in_progress'], ...(i ? ['done', 'wontfix', null] : ['queued'])),
    ),
  )
  const graphs = fc.record({ edges, states }).map(({ edges, states }) =>
    names.flatMap((name, i) => {
      const drafts = edges.filter(({ from }) => from === i).map(({ to, kind }) => ({ kind, target: names[to]! }))
      // More than ten decisions would need more than one digit of a second.
      return states[i] === null ? [] : [ticket(name, states[i]!, ...drafts.slice(0, 9))]
    }),
  )

  const isOpen = ({ state }: Ticket) => phaseOf(state) !== 'terminal'
  const targets = (tickets: Ticket[], id: string, ...kinds: string[]) =>
    (tickets.find(ticket => ticket.id === id)?.decisions ?? [])
      .filter(({ kind }) => kinds.includes(kind))
      .map(decision => loose(decision).target!)
  const openTargets = (tickets: Ticket[], id: string, ...kinds: string[]) =>
    targets(tickets.filter(isOpen), id, ...kinds)

  /** What can be reached in one step or more: as many steps as there are Tickets are taken. */
  function reachable(from: string, step: (id: string) => string[]): Set<string> {
    let reached = new Set(step(from))
    for (const _ of names) reached = new Set([...reached, ...[...reached].flatMap(step)])
    return reached
  }

  /** What a Ticket waits for: blockers, what it comes after, and the blockers from outside of all that it is part of. */
  function waitsFor(tickets: Ticket[], id: string): string[] {
    if (!tickets.some(ticket => ticket.id === id && isOpen(ticket))) return []
    const above = (id: string) => reachable(id, id => targets(tickets, id, 'part_of'))
    const inherited = [...above(id)].flatMap(parent =>
      openTargets(tickets, parent, 'blocked_by').filter(other => other !== parent && !above(other).has(parent)),
    )
    return [...openTargets(tickets, id, 'after', 'blocked_by'), ...inherited]
  }

  test('has a cycle through T if and only if T can be reached from T, and it is one of the shortest', () => {
    const seen = new Set<number>()
    fc.assert(
      fc.property(graphs, tickets => {
        const step = (id: string) => waitsFor(tickets, id)
        for (const bounds of [ONE_TICKET, MANY_TICKETS]) {
          const { reasons } = consult({ tickets }, 'T', {}, bounds)
          const { cycle, total } = reasons.find(({ code }) => code === 'cycle') ?? {}
          expect(cycle !== undefined).toBe(reachable('T', step).has('T'))
          seen.add(cycle?.length ?? 0)
          if (!cycle) continue
          expect(cycle[0]).toBe('T')
          expect(new Set(cycle).size).toBe(cycle.length)
          for (const [i, id] of cycle.entries()) expect(step(id)).toContain(cycle[(i + 1) % cycle.length])
          expect([cycle.length, total]).toEqual([fewestSteps(step), cycle.length])
        }
      }),
      { numRuns: 1500 },
    )
    expect([...seen].sort().slice(0, 4)).toEqual([0, 1, 2, 3])
  })

  /** How many steps lead from T back to T, at least; every walk is tried. */
  function fewestSteps(step: (id: string) => string[]): number {
    let ends = ['T']
    for (let steps = 1; ; steps++) {
      ends = [...new Set(ends.flatMap(step))]
      if (ends.includes('T')) return steps
    }
  }

  test('has in its chains exactly the blockers that can be reached and are not done', () => {
    fc.assert(
      fc.property(graphs, tickets => {
        const { reasons } = on(tickets[0]!, ...tickets.slice(1))
        const chains = reasons.flatMap(({ chain }) => chain ?? []).map(({ ticket }) => ticket)
        const direct = reasons.filter(({ code }) => ['blocker_missing', 'blocker_abandoned'].includes(code))
        const done = tickets.filter(({ state }) => state === 'done').map(({ id }) => id as string)
        const below = (id: string) => openTargets(tickets, id, 'blocked_by').filter(id => !done.includes(id))
        expect([...new Set([...chains, ...direct.map(({ ticket }) => ticket!)])].sort()).toEqual(
          [...reachable('T', below)].sort(),
        )
        for (const { ticket, chain, total } of reasons) {
          if (!chain) continue
          const first = chain.filter(({ repeated }) => !repeated).map(({ ticket }) => ticket)
          expect(new Set(first).size).toBe(first.length)
          for (const { ticket, repeated } of chain) if (repeated) expect([...first, 'T']).toContain(ticket)
          const all = new Set([ticket!, ...reachable(ticket!, id => (id === 'T' ? [] : below(id)))])
          all.delete('T')
          expect(total).toBe(all.size)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
