/** Groups of nodes that lie on cycles with each other, found node by node as somebody asks. */

/**
 * Returns a function from a node to the number of its group; undefined for a node on no cycle. Tarjan's algorithm without
 * recursion: each node is visited once, whichever nodes are asked about.
 */
export function cycleGroups(edges: (node: string) => readonly string[]): (node: string) => number | undefined {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const isOpen = new Set<string>()
  const groups = new Map<string, number | undefined>()
  const enter = (node: string) => {
    order.set(node, order.size)
    lowest.set(node, order.get(node)!)
    open.push(node)
    isOpen.add(node)
    return { node, next: 0 }
  }
  const lower = (node: string, to: number) => lowest.set(node, Math.min(lowest.get(node)!, to))
  const close = (node: string) => {
    const group = open.splice(open.lastIndexOf(node))
    const isCycle = group.length > 1 || edges(node).includes(node)
    for (const member of group) {
      isOpen.delete(member)
      groups.set(member, isCycle ? order.get(node) : undefined)
    }
  }
  const visit = (first: string) => {
    const path = [enter(first)]
    for (let at = path.at(-1); at; at = path.at(-1)) {
      const other = edges(at.node)[at.next++]
      if (other === undefined) {
        path.pop()
        const below = path.at(-1)
        if (below) lower(below.node, lowest.get(at.node)!)
        if (lowest.get(at.node) === order.get(at.node)) close(at.node)
      } else if (!order.has(other)) path.push(enter(other))
      else if (isOpen.has(other)) lower(at.node, order.get(other)!)
    }
  }
  return node => {
    if (!order.has(node)) visit(node)
    return groups.get(node)
  }
}
