import * as z from 'zod/mini'
import { checkTicketsDir } from '../files/repository.ts'
import { initRepository } from '../integration/init.ts'
import { operation } from './operation.ts'

/** A checkout, set up. */
export const init = operation({
  name: 'init',
  summary: 'Set up a checkout: the tickets folder',
  details: 'Run it at the root of a git repository (or any folder). Running it again changes nothing.',
  writes: true,
  fields: {},
  output: () => z.object({ root: z.string(), made: z.array(z.string()), git: z.boolean() }),
  examples: ['git init project && ticketplan -C project init'],
  run({ repository }) {
    const made = initRepository(repository)
    checkTicketsDir(repository)
    return { root: repository.root, made, git: repository.gitDir !== null }
  },
})
