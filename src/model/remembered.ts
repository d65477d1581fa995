/** Returns the function with its results kept by argument: each is computed once. */
export function remembered<T>(compute: (id: string) => T): (id: string) => T {
  const known = new Map<string, T>()
  return id => {
    const found = known.get(id)
    if (found !== undefined || known.has(id)) return found as T
    const result = compute(id)
    known.set(id, result)
    return result
  }
}
