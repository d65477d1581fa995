import * as z from 'zod/mini'
import { checkTicketsDir } from '../files/repository.ts'
import { alternatives } from '../model/alternatives.ts'
import { AGENT_NAMES } from '../setup/agent-names.ts'
import { initRepository, undoInit } from '../setup/init.ts'
import { flag, operation } from './operation.ts'

const AGENTS_ARE = `the agents are ${AGENT_NAMES.join(', ')}`

/** Returns what is wrong with a value that is neither true, false nor a list of agents. */
function whyNoAgents(given: unknown): string {
  const unknown = Array.isArray(given) ? given.find(name => !AGENT_NAMES.includes(name)) : given
  if (typeof unknown !== 'string') return AGENTS_ARE
  const name = unknown.slice(0, 100)
  return `unknown agent "${name}"${alternatives(name, AGENT_NAMES, 'the agents')}`
}

/** Sets a checkout up, or removes what an earlier run has set up. */
export const init = operation({
  name: 'init',
  summary: 'Set up a checkout: tickets folder, merge driver, git hooks',
  details: `Run it at the root of a git repository (or of any folder), once in each clone. It creates the tickets folder, adds a line to .gitattributes (to be committed) and to info/attributes of git, configures the merge driver in this clone, and adds lines to the hooks post-merge, post-checkout and post-rewrite that keep the index current. Existing content of files and hooks is kept. A hook that cannot be changed is reported, with the line to add by hand.

With --agents it also adds a marked block to AGENTS.md, and to the settings of agents an MCP server "ticketplan" and hooks that print "brief"; docs/agents.md lists the files. It only adds to these files, and adds no path of this machine; a hook of an earlier version that reached nobody is removed.

Running it again changes nothing, except what a moved program or another version needs.`,
  writes: true,
  fields: {
    preCommit: {
      schema: flag,
      help: 'also add a pre-commit hook that runs "verify --staged" and refuses a commit with problems',
    },
    agents: {
      schema: z._default(
        z.union([z.boolean(), z.array(z.enum(AGENT_NAMES)).check(z.minLength(1))], {
          error: ({ input }) => whyNoAgents(input),
        }),
        false,
      ),
      help: `also set up AGENTS.md and agents (hooks, MCP server): these (${AGENT_NAMES.join(', ')}), or those that the repository has files of`,
      value: 'names',
      list: true,
      optionalValue: true,
    },
    undo: { schema: flag, help: 'remove all that init added, but no Ticket and no claim' },
    dryRun: { schema: flag, help: 'print what would change, and change nothing' },
  },
  output: () =>
    z.object({
      root: z.string(),
      /** Files and folders created. With dryRun, all lists say what would be done. A path below the root is relative to it. */
      made: z.array(z.string()),
      changed: z.array(z.string()),
      removed: z.array(z.string()),
      /** What was not changed, with what to do by hand. */
      skipped: z.array(z.object({ path: z.string(), message: z.string() })),
      git: z.boolean(),
      dryRun: z.boolean(),
    }),
  examples: [
    'git init project && ticketplan -C project init',
    'ticketplan init --pre-commit --dry-run',
    'ticketplan init --agents --dry-run',
    'ticketplan init --agents=claude,codex',
    'ticketplan init --undo',
  ],
  check({ undo, preCommit }, nameOf) {
    if (!undo || !preCommit) return undefined
    const message = `${nameOf('undo')} also removes the pre-commit lines; leave out ${nameOf('preCommit')}`
    return { field: 'preCommit', message }
  },
  run({ repository, index }, { preCommit, agents: asked, undo, dryRun }) {
    const agents = asked === true ? 'detected' : asked
    const done = undo ? undoInit(repository, { dryRun }) : initRepository(repository, { preCommit, agents, dryRun })
    if (!undo && !dryRun) checkTicketsDir(repository, index.hasLeftOut)
    return { root: repository.root, ...done, git: repository.gitDir !== null, dryRun }
  },
})
