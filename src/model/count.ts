/** A number with its noun, as a person says it: "1 Ticket", "2 Tickets". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
