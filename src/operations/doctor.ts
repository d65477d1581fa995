import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { SCHEMA_VERSION } from '../database/open.ts'
import { inodeOf, isSharedFileSystem } from '../files/file-system.ts'
import { packageRoot } from '../files/package-root.ts'
import { checkTicketsDir, type Repository } from '../files/repository.ts'
import { PLAIN_DIR } from '../files/state-folder.ts'
import { listOrphans } from '../files/ticket-listing.ts'
import { fleetState, getJoined } from '../fleet/joined-fleet.ts'
import { joinedSettings } from '../fleet/server-settings.ts'
import { serverName } from '../fleet/server-url.ts'
import { findGitConfig, findGitVersion, runGit } from '../git/git.ts'
import { count } from '../model/count.ts'
import type { PlanError } from '../model/errors.ts'
import { lazy } from '../model/lazy.ts'
import { probeResident } from '../resident/probe.ts'
import { checkClone } from '../setup/clone-check.ts'
import { programsIn, programsOfCommand } from '../setup/driver-config.ts'
import { hookStates } from '../setup/hook-folder.ts'
import { listSetupOrphans } from '../setup/setup-orphans.ts'
import type { Store } from '../store/store.ts'
import { findOtherPlan } from '../store/worktrees.ts'
import { changedSourceNotes } from './import-source.ts'
import { operation } from './operation.ts'
import { unknownStateText } from './warnings.ts'

const checkShape = lazy(() => z.object({ name: z.string(), ok: z.boolean(), detail: z.string() }))
type Check = z.infer<ReturnType<typeof checkShape>>

/** Checks the installation: programs, folders, databases, and what `init` has set up. */
export const doctor = operation({
  name: 'doctor',
  summary: 'Check the installation: folders, databases, merge driver, hooks',
  details: 'Exit status 4 if a check fails. It changes nothing except the index, which is brought up to date.',
  writes: false,
  alone: true,
  fields: {},
  output: () => z.object({ ok: z.boolean(), checks: z.array(checkShape()) }),
  examples: ['ticketplan doctor'],
  run(store) {
    const { repository } = store
    const checks = [
      nodeCheck(),
      gitCheck(repository.root),
      check('repository', () =>
        repository.gitDir ? `${repository.root}, git folder ${repository.gitDir}` : `${repository.root}, not in git`,
      ),
      check('tickets folder', () => {
        checkTicketsDir(repository, store.index.hasLeftOut, () => findOtherPlan(repository))
        if (!existsSync(repository.ticketsDir))
          return `${repository.ticketsDir}, in git only: a sparse checkout leaves it out`
        accessSync(repository.ticketsDir, constants.R_OK | constants.W_OK)
        return repository.ticketsDir
      }),
      check('index', () => indexCheck(store)),
      check('local database', () => localCheck(store)),
      check('resident', () => residentCheck(repository.root)),
      ...(hasTickets(store) ? [check('states', () => statesCheck(store))] : []),
      ...(repository.config.sources.length > 0 ? [check('sources', () => sourcesCheck(store))] : []),
      ...(hasFleet(repository) ? [check('fleet', () => fleetCheck(repository))] : []),
      check('migrations', () => `${packageRoot()}: index ${SCHEMA_VERSION.index}, local ${SCHEMA_VERSION.local}`),
      ...(repository.gitDir ? [...gitChecks(repository), ...largeMergeChecks(store)] : []),
      check('databases from before git', () => {
        const old = join(repository.root, PLAIN_DIR, 'local.db')
        if (!repository.gitDir || !existsSync(old)) return 'none'
        return fail(
          `${old} is from before this folder was a git repository, and cannot be moved into ${repository.commonDir}; its claims are ignored`,
        )
      }),
      check('left-over files', () => {
        const ofTickets = existsSync(repository.ticketsDir) ? listOrphans(repository) : []
        const orphans = [...ofTickets, ...listSetupOrphans(repository)]
        return orphans.length
          ? fail(
              `${count(orphans.length, 'temporary file')} of interrupted writes; "ticketplan verify --fix" removes old ones: ${orphans.join(', ')}`,
            )
          : 'none'
      }),
    ]
    return { ok: checks.every(({ ok }) => ok), checks }
  },
  exitStatus: ({ ok }) => (ok ? 0 : 4),
})

/** Returns the report for a folder whose `ticketplan.json`, or which itself, cannot be used, so that nothing else can be checked. */
export function doctorOfUnusable({ code, message }: PlanError, folder: string): { ok: boolean; checks: Check[] } {
  const name = code === 'bad_config' ? 'configuration' : 'repository'
  const checks = [nodeCheck(), gitCheck(folder), { name, ok: false, detail: `${message}; all other checks need it` }]
  return { ok: false, checks }
}

function nodeCheck(): Check {
  return check('node', () => `${process.version}, ${process.platform} ${process.arch}`)
}

function gitCheck(folder: string): Check {
  return check(
    'git',
    () =>
      findGitVersion(folder) ??
      fail('git cannot be started; ticketplan works without it, but decisions have no history'),
  )
}

function check(name: string, inspect: () => string): Check {
  try {
    return { name, ok: true, detail: inspect() }
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message }
  }
}

function fail(message: string): never {
  throw new Error(message)
}

/** True where there is a tickets folder. Without one nothing may be created, not even an index. */
function hasTickets({ repository, index }: Store): boolean {
  try {
    checkTicketsDir(repository, index.hasLeftOut)
    return true
  } catch {
    return false
  }
}

function indexCheck(store: Store): string {
  const { tickets, quarantined } = store.read(({ queries }) => queries.counts())
  if (store.index.inMemory) fail(`${store.index.path} cannot be written, so every command reads all files again`)
  const mismatch = store.index.findMismatch()
  if (mismatch) fail(`${store.index.path}: ${mismatch}; run "ticketplan rebuild"`)
  if (quarantined) fail(`${count(quarantined, 'file')} cannot be read; see "ticketplan verify"`)
  return `${store.index.path}: equal to the files, ${count(tickets, 'Ticket')}`
}

/** A source in the repository that changed since its last import leaves verdicts behind it. */
function sourcesCheck(store: Store): string {
  const notes = changedSourceNotes(store)
  if (notes.length > 0) fail(notes.join('; '))
  return `${count(store.repository.config.sources.length, 'source')}, imported`
}

/** Names states that no list of the configuration has. As in every other command they are a warning, and the check passes. */
function statesCheck(store: Store): string {
  const unknown = store.peek(({ queries }) => queries.statesInUse()).filter(state => !store.states.isKnown(state))
  if (unknown.length === 0) return 'every state is in a list of states in ticketplan.json, or in a default one'
  const more = unknown.length > 10 ? `; and ${unknown.length - 10} more` : ''
  const texts = unknown.slice(0, 10).map(state => unknownStateText(store.states, state))
  return `warning: ${texts.join('; ')}${more}; "ticketplan verify" lists the files`
}

/** True where the clone has joined a fleet or should, and where its note of that cannot be read. */
function hasFleet(repository: Repository): boolean {
  try {
    return fleetState(repository).status !== 'none'
  } catch {
    return true
  }
}

/** Contacts no server: "ticketplan fleet status" does. */
function fleetCheck(repository: Repository): string {
  const joined = getJoined(repository)
  const { fleet, machine } = joined
  const named = repository.config.fleet
  if (named !== null && named !== fleet)
    fail(
      `this clone joined ${fleet}, and ticketplan.json names ${named}; run "ticketplan fleet join", or correct the file`,
    )
  const { address } = joinedSettings(repository, joined)
  return `${fleet} on ${serverName(address)}, as clone ${machine}; "ticketplan fleet status" asks the server`
}

function localCheck(store: Store): string {
  const path = store.localPath
  if (inodeOf(path) === null) return `${path}: created when first needed`
  store.claims.snapshot()
  const shared = isSharedFileSystem(store.repository.localDir)
  return shared ? `${path}: on a network or shared-folder file system, which must support file locks` : path
}

/** With fewer Tickets the start of a driver for each of them takes seconds at most. */
const MANY_TICKETS = 1000

/** Says how to merge many Tickets that both sides changed, where there can be that many. */
function largeMergeChecks(store: Store): Check[] {
  if (!hasTickets(store) || countTickets(store) < MANY_TICKETS) return []
  const merge = `git -c merge.ticketplan.driver="git merge-file --marker-size=%L %A %O %B; exit 1" merge <branch>`
  const detail = `git starts the merge driver for each Ticket that both sides changed; for many hundreds at once run '${merge}', then "ticketplan resolve && git commit --no-edit"`
  return [{ name: 'large merges', ok: true, detail }]
}

/** Returns how many Tickets there are; 0 where a database cannot be used, which other checks report. */
function countTickets(store: Store): number {
  try {
    return store.peek(({ queries }) => queries.counts()).tickets
  } catch {
    return 0
  }
}

/** A resident makes answers faster, and nothing needs one: the check never fails. */
function residentCheck(root: string): string {
  const residence = probeResident(root)
  if (residence.status === 'answers') {
    const { pid, answered } = residence.state
    return `process ${pid} answers reading commands in this worktree, ${answered} so far`
  }
  return RESIDENCE[residence.status]
}

const RESIDENCE = {
  none: 'none answers in this worktree; "ticketplan watch" and "ticketplan mcp" do while they run',
  silent: 'one has the socket and does not answer, so every command waits a moment, then runs by itself',
  'turned off': 'TICKETPLAN_NO_RESIDENT is set, so none is asked',
  impossible: 'only on Linux',
} as const

const AGAIN = 'run "ticketplan init" again'

/** Returns the checks of what `init` sets up for git in this clone. */
function gitChecks(repository: Repository): Check[] {
  const { root, config } = repository
  return [
    check('merge driver', () => {
      runGit(root, ['rev-parse', '--git-dir']) // throws if git cannot be run
      const line = findGitConfig(root, 'merge.ticketplan.driver')
      if (line === undefined)
        fail('not configured in this clone, so Tickets merge as text; run "ticketplan init" once in each clone')
      const programs =
        programsIn(line) ?? fail(`merge.ticketplan.driver is not what "ticketplan init" writes; ${AGAIN}`)
      const missing = Object.values(programs).find(path => !statSync(path, { throwIfNoEntry: false })?.size)
      return missing === undefined
        ? programs.mergeDriver
        : fail(`${missing} is missing or empty; reinstall ticketplan, then ${AGAIN}`)
    }),
    check('attributes', () => {
      const path = `${config.ticketsDir}/x.json`
      const words = runGit(root, ['check-attr', '-z', 'merge', 'text', '--', path]).toString().split('\0')
      if (words[2] !== 'ticketplan')
        fail(`merge is "${words[2]}" for ${path}; ${AGAIN}, and remove any other rule for it from .gitattributes`)
      if (words[5] !== 'unset')
        fail(
          `text is "${words[5]}" for ${path}, so git may convert line ends; ${AGAIN}, and remove any other rule for it`,
        )
      return `merge=ticketplan -text for ${path}`
    }),
    check('tickets in git', () => {
      const problems = checkClone(repository).filter(({ code }) => code !== 'no_driver')
      if (problems.length > 0) fail(problems.map(({ message }) => message).join('; '))
      return 'neither ignored, filtered nor converted'
    }),
    check('hooks', () => {
      const states = hookStates(repository)
      const missing = states.filter(({ calls }) => !calls)
      if (missing.length === 0) {
        const command =
          findGitConfig(root, 'ticketplan.command') ?? fail(`ticketplan.command is not configured; ${AGAIN}`)
        const gone = programsOfCommand(command).find(path => !existsSync(path))
        if (gone !== undefined) fail(`${gone} is missing, which the hooks run; reinstall ticketplan, then ${AGAIN}`)
        return states.map(({ path }) => path).join(', ')
      }
      const [first] = missing
      const paths = missing.map(({ path }) => path).join(', ')
      fail(`without a call of ticketplan: ${paths}; run "ticketplan init", or add by hand: ${first!.byHand}`)
    }),
  ]
}
