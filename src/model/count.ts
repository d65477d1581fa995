/** Returns a number with its noun: "1 Ticket", "2 Tickets"; `plural` for a noun that does not take an "s". */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`
}
