/** Files of the checkout that agents read, as `init` changes them. From texts to texts. */

const BOM = Buffer.from('\ufeff').toString('latin1')

/** Splits a text, given as latin1, after its byte order mark, before which nothing may be inserted. */
export function splitBom(text: string): { bom: string; rest: string } {
  return text.startsWith(BOM) ? { bom: BOM, rest: text.slice(BOM.length) } : { bom: '', rest: text }
}

/** A file with its entries, and the inserted texts. */
export interface Added {
  after: string
  inserted: string[]
  isReplaced?: true
}

/**
 * Removes inserted texts, the last one first; `isWhole` is true where there were some, and all were found. `without` returns a text
 * without an inserted one; undefined where it is not there.
 */
export function withoutTexts(
  text: string,
  inserted: readonly string[],
  without: (text: string, added: string) => string | undefined = withoutLast,
): { rest: string; isWhole: boolean } {
  let rest = text
  let isWhole = inserted.length > 0
  for (const added of inserted.toReversed()) {
    const cut = without(rest, added)
    if (cut === undefined) isWhole = false
    else rest = cut
  }
  return { rest, isWhole }
}

function withoutLast(text: string, added: string): string | undefined {
  const at = text.lastIndexOf(added)
  return at === -1 ? undefined : text.slice(0, at) + text.slice(at + added.length)
}

/** A file of the checkout that agents read, with entries of ours; texts are its bytes as latin1. */
export interface AgentFile {
  /** From the root, with "/". */
  path: string
  /** True where the file is only changed, never created. */
  onlyIfThere?: true
  /**
   * Returns the file with the entries and the texts that were inserted, in order; or why it cannot be changed. `null` is no file.
   * `earlier` is what earlier runs inserted; `isReplaced` says that it is gone from the file.
   */
  add(text: string | null, earlier?: readonly string[]): Added | { message: string }
  /** Returns the file without the entries; null for a file of them alone. `inserted` comes from `add`; empty where it is unknown. */
  remove(text: string, inserted: readonly string[]): string | null
}
