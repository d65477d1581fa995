/** Finds Tickets by a part of their texts. Pure. */

/** Returns a function that is true for a Ticket with the text in its id, slug or title, in any case; always for no text. */
export function textMatcher(text: string): (row: { id: string; slug: string | null; title: string }) => boolean {
  const wanted = plain(text.trim())
  return ({ id, slug, title }) => [id, slug, title].some(part => part !== null && plain(part).includes(wanted))
}

/** SQLite knows the case of no letters but those of ASCII. */
function plain(text: string): string {
  return text.normalize('NFC').toLowerCase()
}
