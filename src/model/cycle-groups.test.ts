import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cycleGroups } from './cycle-groups.ts'

const graph = (edges: Record<string, string>) =>
  cycleGroups(node => [...(Object.hasOwn(edges, node) ? edges[node]! : '')])

describe('a node', () => {
  test('on no cycle has no group, even if it leads to one or is reached from one', () => {
    const groups = graph({ A: 'B', B: 'C', C: 'BD', D: 'E' })
    expect(['A', 'D', 'E', 'X'].map(groups)).toEqual([undefined, undefined, undefined, undefined])
    expect(groups('B')).toBeDefined()
    expect(groups('C')).toBe(groups('B'))
  })

  test('that leads to itself is a group', () => {
    const groups = graph({ A: 'AB', B: '' })
    expect([groups('A') !== undefined, groups('B')]).toEqual([true, undefined])
  })

  test('of two cycles that share a node has one group with all of both', () => {
    const groups = graph({ A: 'B', B: 'AC', C: 'D', D: 'B' })
    expect(new Set(['A', 'B', 'C', 'D'].map(groups)).size).toBe(1)
  })

  test('of two cycles that one edge joins has another group than the other cycle', () => {
    const groups = graph({ A: 'B', B: 'AC', C: 'D', D: 'C' })
    expect(groups('A')).not.toBe(groups('C'))
  })
})

test('two nodes are in one group if and only if each can be reached from the other', () => {
  const nodes = [...'ABCDEFGH']
  const graphs = fc.array(fc.tuple(fc.constantFrom(...nodes), fc.constantFrom(...nodes)), { maxLength: 20 })
  const orders = fc.shuffledSubarray(nodes, { minLength: nodes.length })
  const sizes = new Set<number>()
  fc.assert(
    fc.property(graphs, orders, (pairs, order) => {
      const edges = (node: string) => pairs.filter(([from]) => from === node).map(([, to]) => to)
      const reached = new Map(nodes.map(node => [node, reachable(node, edges, nodes.length)]))
      const groups = cycleGroups(edges)
      for (const node of order) groups(node) // whichever is asked about first
      for (const a of nodes) {
        expect(groups(a) !== undefined).toBe(reached.get(a)!.has(a))
        const together = nodes.filter(b => groups(a) !== undefined && groups(b) === groups(a))
        expect(together).toEqual(nodes.filter(b => reached.get(a)!.has(b) && reached.get(b)!.has(a)))
        sizes.add(together.length)
      }
    }),
    { numRuns: 1000 },
  )
  expect(sizes.size).toBeGreaterThan(5)
})

/** All that can be reached in one step or more, by taking steps until they must have reached everything. */
function reachable(from: string, edges: (node: string) => string[], steps: number): Set<string> {
  let reached = new Set(edges(from))
  for (let step = 0; step < steps; step++) reached = new Set([...reached, ...[...reached].flatMap(edges)])
  return reached
}

test('each node is asked for its edges as often as it has edges, whichever nodes are asked about', () => {
  const count = 300
  let calls = 0
  const dense = Array.from({ length: count }, (_, i) => Array.from({ length: i }, (_, j) => String(j)))
  const groups = cycleGroups(node => {
    calls++
    return dense[Number(node)]!
  })
  for (let i = 0; i < count; i++) expect(groups(String(i))).toBeUndefined()
  const edges = (count * (count - 1)) / 2
  expect(calls).toBeLessThanOrEqual(edges + 3 * count)
})

test.each([
  ['a chain', (i: number, count: number) => (i + 1 < count ? [String(i + 1)] : []), 0],
  ['a ring', (i: number, count: number) => [String((i + 1) % count)], 1],
])('%s of 100,000 nodes comes to an end', (_, edges, groupCount) => {
  const count = 100_000
  const groups = cycleGroups(node => edges(Number(node), count))
  const found = new Set(Array.from({ length: count }, (_, i) => groups(String(i))).filter(group => group !== undefined))
  expect(found.size).toBe(groupCount)
})
