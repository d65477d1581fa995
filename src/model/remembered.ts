/** Returns the function with its results kept by argument: each is computed once. */
export function remembered<T>(compute: (id: string) => T): (id: string) => T {
  let known: Map<string, T> | undefined // made when needed: an answer about one Ticket asks few of its questions
  return id => {
    known ??= new Map()
    const found = known.get(id)
    if (found !== undefined || known.has(id)) return found as T
    const result = compute(id)
    known.set(id, result)
    return result
  }
}
