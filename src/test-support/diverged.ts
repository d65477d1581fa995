/** A repository whose two branches changed a Ticket apart, for tests of what git makes of it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { decodeTicket } from '../model/canonical-json.ts'
import type { Decision } from '../model/decision.ts'
import type { Ticket } from '../model/ticket.ts'
import { ATTRIBUTES, git, testDriver } from './git-clones.ts'
import { asDecision, type LooseDecision } from './loose-decision.ts'
import { putTicket, temporaryFolder } from './temporary-repository.ts'

/** The Ticket that both branches change. */
export const FILE = 'tickets/T-1.json'

/** A note whose id ends in a digit. */
export const note = (n: number, fields: LooseDecision = {}): Decision =>
  asDecision({
    at: '2026-06-08T11:30:00.000Z',
    by: 'tester',
    id: `01JX8Z3V7Q4T9K2M5N6P7R8S0${n}`,
    kind: 'note',
    ...fields,
  })
export const BASE: Partial<Ticket> = { decisions: [note(0)] }
export const OURS: Partial<Ticket> = { decisions: [note(0), note(1)], title: 'ours' }
export const THEIRS: Partial<Ticket> = { decisions: [note(0), note(2)], state: 'queued' }
/** OURS and THEIRS merged by meaning. */
export const BOTH: Partial<Ticket> = { decisions: [note(0), note(1), note(2)], title: 'ours', state: 'queued' }

/** What one commit does to the work tree. */
export type Change = (root: string) => void

/** Writes a Ticket. */
export const put =
  (fields: Partial<Ticket>, id = 'T-1', folder = ''): Change =>
  root =>
    putTicket(root, id, fields, folder)
/** Writes any file. */
export const text =
  (bytes: string | Buffer, path = FILE): Change =>
  root => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), bytes)
  }
/** One change after the other. */
export const all =
  (...changes: Change[]): Change =>
  root => {
    for (const change of changes) change(root)
  }

/** Makes a change and commits all there is. */
export function commit(root: string, change: Change): void {
  change(root)
  git(root, ['add', '--all'])
  git(root, ['commit', '--quiet', '--allow-empty', '--message', 'change'])
}

/** What each branch of a repository holds; what is not given changes T-1. */
export interface Setting {
  base?: Change
  ours?: Change
  theirs?: Change
  driver?: string | null
  attributes?: Change
}

/** A repository on `main`, which has changed its Ticket one way since `theirs` left it and changed it another way. */
export function diverged({
  base = put(BASE),
  ours = put(OURS),
  theirs = put(THEIRS),
  driver = testDriver(),
  attributes = text(ATTRIBUTES, '.gitattributes'),
}: Setting = {}): { root: string } & Disposable {
  const folder = temporaryFolder()
  const root = join(folder.path, 'repository')
  mkdirSync(root)
  git(root, ['init', '--quiet', '--template=', '--initial-branch=main'])
  if (driver !== null) git(root, ['config', 'merge.ticketplan.driver', driver])
  commit(root, all(text('', 'tickets/.gitkeep'), attributes, base))
  git(root, ['branch', 'theirs'])
  commit(root, ours)
  git(root, ['switch', '--quiet', 'theirs'])
  commit(root, theirs)
  git(root, ['switch', '--quiet', 'main'])
  return { root, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

/** Returns the Ticket of a file, whose bytes must be canonical. */
export function ticketIn(root: string, path = FILE): Ticket {
  const { ticket, canonical } = decodeTicket(readFileSync(join(root, path)), path.replace(/.*\/|\.json$/g, ''))
  expect(canonical, path).toBe(true)
  return ticket
}
