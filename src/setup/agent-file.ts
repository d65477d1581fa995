/** A file with its entries, and the inserted texts. */
export interface Added {
  after: string
  inserted: string[]
  isReplaced?: true
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
