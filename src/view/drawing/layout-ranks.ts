/** Finds the column of each box: how many steps it is from what waits for nothing. Pure. */
import type { Box, Line } from './layout-items.ts'

/** Returns the lines that close a cycle, by a depth-first walk in the order of boxes and lines. */
export function backEdges(boxes: readonly Box[], lines: readonly Line[]): Set<Line> {
  const out = Map.groupBy(lines, ({ from }) => from)
  const back = new Set<Line>()
  const seen = new Map<string, 'open' | 'done'>()
  for (const { id } of boxes) {
    if (seen.has(id)) continue
    const path = [{ id, next: 0 }]
    seen.set(id, 'open')
    for (let at = path.at(-1); at; at = path.at(-1)) {
      const line = out.get(at.id)?.[at.next++]
      if (!line) {
        seen.set(at.id, 'done')
        path.pop()
      } else if (seen.get(line.to) === 'open') back.add(line)
      else if (!seen.has(line.to)) {
        seen.set(line.to, 'open')
        path.push({ id: line.to, next: 0 })
      }
    }
  }
  return back
}

/** Returns the length of the longest way to each box. The lines must have no cycle. */
export function ranksOf(boxes: readonly Box[], lines: readonly Line[]): Map<string, number> {
  const out = Map.groupBy(lines, ({ from }) => from)
  const ranks = new Map(boxes.map(({ id }) => [id, 0]))
  const missing = new Map(boxes.map(({ id }) => [id, 0]))
  for (const { to } of lines) missing.set(to, missing.get(to)! + 1)
  const ready = boxes.filter(({ id }) => missing.get(id) === 0).map(({ id }) => id)
  for (const id of ready) {
    for (const { to } of out.get(id) ?? []) {
      ranks.set(to, Math.max(ranks.get(to)!, ranks.get(id)! + 1))
      missing.set(to, missing.get(to)! - 1)
      if (missing.get(to) === 0) ready.push(to)
    }
  }
  return ranks
}
