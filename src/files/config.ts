/** `ticketplan.json`: the few settings that a repository shares. Every key is optional; an unknown one is an error. */
import { readFileSync } from 'node:fs'
import * as z from 'zod/mini'
import { poolName } from '../model/decision.ts'
import { PlanError } from '../model/errors.ts'
import { parseStrict, Refusal } from '../model/strict-json.ts'
import { ioError } from './io-error.ts'

const states = z.array(z.string().check(z.minLength(1)))

const configSchema = z.strictObject({
  claimTtlSeconds: z._default(z.int().check(z.positive(), z.maximum(30 * 24 * 3600)), 1800),
  pools: z._default(z.record(poolName, z.int().check(z.nonnegative())), {}),
  states: z._default(
    z.strictObject({
      active: z._default(states, ['in_progress', 'inprogress', 'in_review', 'review']),
      queued: z._default(states, ['queued']),
      terminal: z._default(states, ['cancelled', 'closed', 'done', 'duplicate', 'resolved', 'wontfix']),
    }),
    {
      active: ['in_progress', 'inprogress', 'in_review', 'review'],
      queued: ['queued'],
      terminal: ['cancelled', 'closed', 'done', 'duplicate', 'resolved', 'wontfix'],
    },
  ),
  ticketsDir: z._default(
    z
      .string()
      .check(
        z.refine(
          path =>
            path !== '' && path.split('/').every(part => /^[^\\:]+$/.test(part) && part !== '..' && part !== '.git'),
          'not a folder inside the repository, written with "/"',
        ),
      ),
    'tickets',
  ),
})

/** The settings, complete: what the file leaves out has its default. Without `pools`, capacity is unlimited. */
export type Config = z.infer<typeof configSchema>

/** The settings of a repository; the defaults where it has no such file. @throws PlanError bad_config, io. */
export function readConfig(path: string): Config {
  let text = '{}'
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError(error, path)
  }
  try {
    const parsed = parseStrict(text, 8)
    const config = configSchema.safeParse(parsed.value)
    if (config.success) return checkStates(config.data, path)
    const issue = config.error.issues[0]!
    const { line, column } = parsed.locate(issue.path as string[])
    const key = issue.path.join('.')
    throw new PlanError('bad_config', `${path}:${line}:${column}: ${key ? `${key}: ` : ''}${issue.message}`, { path })
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
  throw new PlanError('bad_config', `${path}: the state "${twice}" stands in two phases`, { path })
}
