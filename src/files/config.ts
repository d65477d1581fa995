/** Reads `ticketplan.json`, the settings that all clones of a repository share. Each key is optional; an unknown key is an error. */
import { readFileSync, statSync } from 'node:fs'
import * as z from 'zod/mini'
import { PlanError } from '../model/errors.ts'
import { poolName } from '../model/fields.ts'
import { firstIssue } from '../model/first-issue.ts'
import { lazy } from '../model/lazy.ts'
import { parseStrict, Refusal } from '../model/strict-json.ts'
import { LIMITS } from '../model/text.ts'
import { ioError } from './io-error.ts'

/** The states of each phase, by default. */
export const DEFAULT_STATES: Config['states'] = {
  active: ['in_progress', 'inprogress', 'in_review', 'review'],
  queued: ['queued'],
  terminal: ['cancelled', 'closed', 'done', 'duplicate', 'resolved', 'wontfix'],
}

/** The settings of a repository without the file. */
const DEFAULTS: Config = { claimTtlSeconds: 1800, pools: {}, states: DEFAULT_STATES, ticketsDir: 'tickets' }

const configSchema = lazy(() => {
  const states = z.optional(z.array(z.string().check(z.minLength(1))))
  const isInside = (path: string) =>
    path.split('/').every(part => /^[^\\:]+$/.test(part) && !['.', '..', '.git'].includes(part))
  return z.strictObject({
    claimTtlSeconds: z.optional(z.int().check(z.positive(), z.maximum(30 * 24 * 3600))),
    pools: z.optional(z.record(poolName(), z.int().check(z.nonnegative()))),
    states: z.optional(z.strictObject({ active: states, queued: states, terminal: states })),
    ticketsDir: z.optional(
      z.string().check(z.refine(isInside, 'not a folder inside the repository, written with "/"')),
    ),
  })
})

/** All settings: a key that the file leaves out has its default. Without `pools`, capacity is unlimited. */
export interface Config {
  claimTtlSeconds: number
  pools: Record<string, number>
  states: { active: string[]; queued: string[]; terminal: string[] }
  /** From the root, with "/". */
  ticketsDir: string
}

/** Returns the settings in a file, or the defaults where there is no file. @throws PlanError bad_config, io. */
export function readConfig(path: string): Config {
  let text: string
  try {
    const stat = statSync(path)
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
      const given = parsed.value as Partial<Config>
      return checkStates({ ...DEFAULTS, ...given, states: { ...DEFAULTS.states, ...given.states } }, path)
    }
    const [unknownKey] = issue.unknownKeys
    const keys = unknownKey === undefined ? issue.path : [...issue.path, unknownKey]
    const { line, column } = parsed.locate(keys)
    const known = Object.keys(issue.path.length === 0 ? DEFAULTS : DEFAULTS.states).join(', ')
    const what = unknownKey === undefined ? issue.message : `unknown key; the keys are ${known}`
    throw new PlanError('bad_config', `${path}:${line}:${column}: ${keys.length ? `${keys.join('.')}: ` : ''}${what}`, {
      path,
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { line, column } = error.place ?? { line: 1, column: 1 }
    throw new PlanError('bad_config', `${path}:${line}:${column}: ${error.message}`, { path })
  }
}

function checkStates(config: Config, path: string): Config {
  const all = [...config.states.active, ...config.states.queued, ...config.states.terminal]
  const twice = all.find((state, position) => all.indexOf(state) !== position)
  if (twice === undefined) return config
  throw new PlanError('bad_config', `${path}: the state "${twice}" is listed twice; keep it in one phase`, { path })
}
