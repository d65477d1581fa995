/**
 * Every error that ticketplan raises on purpose: one class, a literal code, and the data that belongs to the code.
 *
 * A message says what is wrong, where, and what to do; it never proposes a command that destroys data. A caller that
 * must branch looks at `code`; each edge (command line, MCP) maps every code once, checked by the compiler.
 */

/** A position in a text file; both count from 1, columns in UTF-16 code units. */
export interface Place {
  line: number
  column: number
}

/** Why a Ticket file is refused. The file stays as it is; it is quarantined. */
export type RefusalCode =
  | 'bom'
  | 'conflict_markers'
  | 'duplicate_id'
  | 'duplicate_key'
  | 'id_mismatch'
  | 'invalid_utf8'
  | 'lone_surrogate'
  | 'not_a_regular_file'
  | 'number'
  | 'proto_key'
  | 'schema'
  | 'symbolic_link'
  | 'syntax'
  | 'too_deep'
  | 'too_large'
  | 'unreadable'

/** The data that each error code carries. */
export interface ErrorData {
  /** A name or value from the caller is not acceptable; `field` names the input. */
  invalid_input: { field: string }
  /** The command line could not be understood. */
  usage: { command: string | null }
  /** No Ticket has this id or slug; `similar` holds near matches. */
  unknown_ticket: { ticket: string; similar: string[] }
  /** A slug that more than one Ticket bears. */
  ambiguous_slug: { slug: string; tickets: string[] }
  /** `add` of an id that exists, in whatever case. */
  ticket_exists: { ticket: string; path: string }
  /** A slug that another Ticket bears already. */
  slug_taken: { slug: string; ticket: string }
  /** No Ticket file holds this decision. */
  unknown_decision: { decision: string }
  /** A relation of a Ticket to itself. */
  self_relation: { ticket: string }
  /** The Ticket that would have to store a relation has no file. */
  no_ticket_file: { ticket: string }
  /** A pool that `ticketplan.json` does not name, where it names pools. */
  unknown_pool: { pool: string; pools: string[] }
  /** A limit of the format would be passed. */
  limit: { limit: string }
  /** A Ticket file that cannot be read: refused, quarantined. */
  invalid_file: { path: string; refusal: RefusalCode; place: Place | null }
  /** A Ticket file of a later format: listed, never written. */
  newer_format: { path: string; format: number }
  /** There is no tickets folder here. */
  not_initialized: { root: string }
  /** `ticketplan.json` cannot be used. */
  bad_config: { path: string }
  /** The tickets folder, or a folder below it, leads outside. */
  unsafe_path: { path: string }
  /** A lock was not free within the time allowed. */
  busy: { lock: string; waitedMs: number; holder: string | null }
  /** A Ticket file was replaced by another program again and again while it was being changed. */
  contended: { path: string }
  /** The operating system refused; `syscallCode` is its code, for example ENOSPC. */
  io: { path: string; syscallCode: string }
  /** SQLite refused; `sqliteCode` is its code, for example SQLITE_FULL. */
  database: { path: string; sqliteCode: string }
  /** Nobody to record as the author of a decision. */
  no_actor: Record<string, never>
  /** A query that is not one reading statement. */
  sql_refused: Record<string, never>
  /** A query that SQLite could not run. */
  sql_failed: Record<string, never>
  /** A query stopped at its deadline. */
  sql_timeout: { timeoutSeconds: number }
  /** The program git cannot be started, or the folder is not in a git repository where one is needed. */
  no_git: { folder: string }
  /** git refused or was ended; `status` is null where a signal ended it. */
  git_failed: { command: string; status: number | null; stderr: string }
  /** The source of an import cannot be read. */
  import_source: { path: string; place: Place | null }
}

export type ErrorCode = keyof ErrorData

/** The one error class: `code` tells what happened, `data` carries what belongs to it. */
export class PlanError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'PlanError'
  readonly code: C
  readonly data: ErrorData[C]

  constructor(code: C, message: string, data: ErrorData[C], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.data = data
  }
}

/** True for a PlanError, of the given code if one is given. */
export function isPlanError<C extends ErrorCode>(error: unknown, code?: C): error is PlanError<C> {
  return error instanceof PlanError && (code === undefined || error.code === code)
}
