/**
 * The errors of ticketplan: one class, a literal code, and the data that belongs to the code.
 *
 * A message says what happened, where, and what to do; it never proposes a command that destroys data. Callers branch on
 * `code`; each edge (command line, MCP) maps every code once, checked by the compiler.
 */

/** A position in a text file; both count from 1, columns in UTF-16 code units. */
export interface Place {
  line: number
  column: number
}

/** Why a Ticket file is refused. The file is quarantined and not changed. */
export type RefusalCode =
  | 'bom'
  | 'conflict_markers'
  | 'duplicate_id'
  | 'duplicate_key'
  | 'id_mismatch'
  | 'invalid_utf8'
  | 'lone_surrogate'
  | 'not_a_regular_file'
  | 'not_fetched'
  | 'number'
  | 'proto_key'
  | 'schema'
  | 'symbolic_link'
  | 'syntax'
  | 'too_deep'
  | 'too_large'
  | 'unreadable'

/** The server of a fleet as messages show it: never with a password. */
export interface ServerAddress {
  host: string
  port: number
  database: string
  user: string
}

/** The data that each error code carries. */
export interface ErrorData {
  /** A name or value from the caller is not acceptable; `field` names the input. */
  invalid_input: { field: string }
  /** The command line could not be understood. */
  usage: { command: string | null }
  /** No Ticket has this id or slug; `similar` has the nearest names. */
  unknown_ticket: { ticket: string; similar: string[] }
  /** More than one Ticket has this slug. */
  ambiguous_slug: { slug: string; tickets: string[] }
  /** `add` of an id that exists; ids are compared case-insensitively. */
  ticket_exists: { ticket: string; path: string }
  /** Another Ticket has this name, as its slug or as its id. */
  slug_taken: { slug: string; ticket: string }
  /** No Ticket file holds this decision. */
  unknown_decision: { decision: string }
  /** A relation of a Ticket to itself. */
  self_relation: { ticket: string }
  /** A server's client would lift, or force past, holds that others set. */
  hold_protected: { ticket: string; decisions: string[] }
  /** A Ticket that would become a part of itself; `tickets` is the ring. */
  parent_ring: { tickets: string[] }
  /** The Ticket that would have to store a relation has no file. */
  no_ticket_file: { ticket: string }
  /** No change by this author is noted in this worktree. */
  nothing_to_undo: { by: string }
  /** A change cannot be taken back; `ticket` is the one that is in the way. */
  undo_refused: { ticket: string }
  /** Lines of `record --stdin` that cannot be recorded; nothing was written. */
  not_recorded: { failed: { line: number; code: string; message: string }[] }
  /** `ticketplan.json` configures pools, and this is none of them. */
  unknown_pool: { pool: string; pools: string[] }
  /** A limit of the format would be exceeded. */
  limit: { limit: string }
  /** A Ticket file that cannot be read and is quarantined. */
  invalid_file: { path: string; refusal: RefusalCode; place: Place | null }
  /** A Ticket file of a later format, which is read but never written. */
  newer_format: { path: string; format: number }
  /** git has the Ticket file, or the tickets folder, and a sparse checkout leaves it out, so it cannot be written. */
  not_checked_out: { path: string }
  /** There is no tickets folder here. */
  not_initialized: { root: string }
  /** `ticketplan.json` cannot be used. */
  bad_config: { path: string }
  /** The tickets folder, or a folder below it, is a link. */
  unsafe_path: { path: string }
  /** A lock was not free within the timeout. */
  busy: { lock: string; waitedMs: number; holder: string | null }
  /** Another program kept replacing a Ticket file while it was being changed. */
  contended: { path: string }
  /** The operating system refused; `syscallCode` is its code, for example ENOSPC. `answer` is one that could not be printed. */
  io: { path: string; syscallCode: string; answer?: unknown }
  /** SQLite refused; `sqliteCode` is its code, for example SQLITE_FULL. */
  database: { path: string; sqliteCode: string }
  /** There is no author to record. */
  no_actor: Record<string, never>
  /** A query that is not one read-only statement. */
  sql_refused: Record<string, never>
  /** SQLite could not run a query. */
  sql_failed: Record<string, never>
  /** A query exceeded its timeout. */
  sql_timeout: { timeoutSeconds: number }
  /** The program git cannot be started, or the folder is not in a git repository where one is needed. */
  no_git: { folder: string }
  /** git refused or was ended; `status` is null where a signal ended it. */
  git_failed: { command: string; status: number | null; stderr: string }
  /** The source of an import cannot be read. */
  import_source: { path: string; place: Place | null }
  /** `ticketplan.json` names no fleet, and this clone has joined none. */
  no_fleet: { root: string }
  /** This clone has not joined the fleet, so it contacts no server. */
  fleet_not_joined: { fleet: string }
  /** What rests on claims needs the server of the fleet, which `connectPlan` asks. */
  fleet_required: { fleet: string }
  /** The URL of the server is missing or cannot be used; `source` names where it comes from. */
  fleet_url: { source: string }
  /** The server does not answer; `sent` is true where a request may have arrived. */
  fleet_unreachable: ServerAddress & { waitedMs: number; sent: boolean }
  /** The server refuses: user, password, encryption or privileges; `sqlState` is its code. */
  fleet_denied: ServerAddress & { sqlState: string | null }
  /** The server has no such fleet. */
  fleet_unknown: ServerAddress & { fleet: string }
  /** The schema on the server is of another version; 0 where there is none. */
  fleet_schema: ServerAddress & { version: number; expected: number }
  /** The server could not do what was asked; `sqlState` is its code. */
  fleet_failed: ServerAddress & { sqlState: string | null }
}

export type ErrorCode = keyof ErrorData

/** The only error class: `code` says what happened, `data` has what belongs to it. */
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
