/** Reads `ticketplan.json`, the settings that all clones of a repository share. Each key is optional; an unknown key is an error. */
import { lstatSync, readFileSync } from 'node:fs'
import * as z from 'zod/mini'
import { alternatives } from '../model/alternatives.ts'
import { MOST_GLOBS } from '../model/decision-kinds.ts'
import { PlanError } from '../model/errors.ts'
import { GLOB, poolName } from '../model/fields.ts'
import { firstIssue } from '../model/first-issue.ts'
import { lazy } from '../model/lazy.ts'
import { isFleetId } from '../model/names.ts'
import { completeStates, repeatedState, STATE_LISTS, type StateLists } from '../model/states.ts'
import { parseStrict, Refusal } from '../model/strict-json.ts'
import { LIMITS } from '../model/text.ts'
import { ioError } from './io-error.ts'

/** The settings of a repository without the file. */
const DEFAULTS: Config = {
  areas: {},
  claimTtlSeconds: 1800,
  fleet: null,
  pools: {},
  sources: [],
  states: completeStates({}),
  ticketsDir: 'tickets',
}

/** The schema of the file. */
export const configSchema = lazy(() => {
  const states = z.optional(z.array(z.string().check(z.minLength(1))))
  return z.strictObject({
    $schema: z.optional(z.string()),
    areas: z.optional(z.record(poolName(), z.array(GLOB.schema()).check(z.maxLength(MOST_GLOBS)))),
    claimTtlSeconds: z.optional(z.int().check(z.positive(), z.maximum(30 * 24 * 3600))),
    fleet: z.optional(z.string().check(z.refine(isFleetId, { error: ({ input }) => whyNoFleet(String(input)) }))),
    pools: z.optional(z.record(poolName(), z.int().check(z.nonnegative()))),
    sources: z.optional(
      z.array(z.looseObject({ system: z.string().check(z.minLength(1)), path: z.string().check(z.minLength(1)) })),
    ),
    states: z.optional(z.strictObject(Object.fromEntries(STATE_LISTS.map(list => [list, states])))),
    ticketsDir: z.optional(
      z.string().check(z.refine(isTicketsDir, 'not a folder inside the repository, written with "/"')),
    ),
  })
})

/** True for a folder inside the repository, written with "/". */
function isTicketsDir(path: string): boolean {
  return path.split('/').every(part => /^[^\\:\0]+$/.test(part) && !['.', '..', '.git'].includes(part))
}

/** Returns what is wrong with an id. The text is not quoted: it may be a URL with a password. */
function whyNoFleet(text: string): string {
  if (text.includes('://') || text.includes('@'))
    return 'a URL of a server would be in git; set TICKETPLAN_FLEET_URL or ticketplan.fleetUrl of git, and run "ticketplan fleet init"'
  return 'not the id of a fleet; "ticketplan fleet init" writes one'
}

/** All settings: a key that the file leaves out has its default. Without `pools`, capacity is unlimited. */
export interface Config {
  /** Globs by the name of their area. */
  areas: Record<string, string[]>
  claimTtlSeconds: number
  /** The id of the fleet whose server has the claims; null without one. */
  fleet: string | null
  pools: Record<string, number>
  /** What `import` without arguments imports. Which fields an entry has is checked there. */
  sources: { system: string; path: string; [option: string]: unknown }[]
  /** Complete: a list that the file leaves out is the default one. */
  states: StateLists
  /** From the root, with "/". */
  ticketsDir: string
}

/** Returns the settings in a file, or the defaults where there is no file. @throws PlanError bad_config, io. */
export function readConfig(path: string): Config {
  let text: string
  try {
    const stat = lstatSync(path)
    if (stat.isSymbolicLink()) {
      const message = `${path}: a symbolic link: links are not followed; put the file itself in its place`
      throw new PlanError('bad_config', message, { path })
    }
    // Reading a device or a FIFO would never end.
    if (!stat.isFile() || stat.size > LIMITS.fileBytes) {
      const message = `${path}: not a regular file of at most ${LIMITS.fileBytes} bytes`
      throw new PlanError('bad_config', message, { path })
    }
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return DEFAULTS
    throw ioError(error, path)
  }
  try {
    const parsed = parseStrict(text, 8)
    const issue = firstIssue(configSchema(), parsed.value)
    if (!issue) {
      const { states, ...given } = parsed.value as Partial<Omit<Config, 'states'>> & { states?: Partial<StateLists> }
      return { ...DEFAULTS, ...given, states: readStates(states ?? {}, path) }
    }
    const [unknownKey] = issue.unknownKeys
    const keys = unknownKey === undefined ? issue.path : [...issue.path, unknownKey]
    const { line, column } = parsed.locate(keys)
    const known = Object.keys(issue.path.length === 0 ? DEFAULTS : DEFAULTS.states)
    const what = unknownKey === undefined ? issue.message : `unknown key${alternatives(unknownKey, known, 'the keys')}`
    throw new PlanError('bad_config', `${path}:${line}:${column}: ${keys.length ? `${keys.join('.')}: ` : ''}${what}`, {
      path,
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { line, column } = error.place ?? { line: 1, column: 1 }
    throw new PlanError('bad_config', `${path}:${line}:${column}: ${error.message}`, { path })
  }
}

/** Returns the tickets folder that the bytes of a configuration name; the default one where they name none that can be used. */
export function ticketsDirOf(bytes: Buffer | 'too_large' | undefined): string {
  try {
    const { ticketsDir } = JSON.parse(bytes?.toString() ?? '') as { ticketsDir?: unknown }
    return typeof ticketsDir === 'string' && isTicketsDir(ticketsDir) ? ticketsDir : DEFAULTS.ticketsDir
  } catch {
    return DEFAULTS.ticketsDir
  }
}

function readStates(given: Partial<StateLists>, path: string): StateLists {
  const repeated = repeatedState(given)
  if (!repeated) return completeStates(given)
  const message = `${path}: states: "${repeated.state}" is in two lists, ${repeated.lists.join(' and ')}; keep it in one`
  throw new PlanError('bad_config', message, { path })
}
