/**
 * What a source is: the description of one system, and its reader. A new source is one file that exports a `Source`, and one
 * line in `sources.ts`; the list of systems, the options, their help and their checks derive from that.
 */
import type { Phase } from '../model/states.ts'
import type { Imported } from './import-collector.ts'
import type { SourceOption, SourceOptionValues } from './source-options.ts'

/** What every reader gets besides the options that its source names. */
export interface ReadContext {
  /** The name of the source, where several of one system are imported. */
  name?: string | undefined
  phaseOf(state: string): Phase
}

export interface Source {
  /** What the path names, for the help: "a JSONL file". */
  what: string
  /** A folder cannot be read from standard input. */
  reads: 'file' | 'folder'
  /** The options that the reader uses; any other one is refused. */
  options: readonly SourceOption[]
  /** Open records are in a state that only the configuration can call queued. */
  needsQueuedState?: true
  /** A complete command line. */
  example: string
  /** Files beside a folder that the reader reads too, as paths from it. */
  beside?: readonly string[]
  /** Reads the source. @throws PlanError import_source where it cannot be read at all; nothing is written then. */
  read(path: string, options: SourceOptionValues & ReadContext): Imported
}
