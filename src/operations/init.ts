import * as z from 'zod/mini'
import { checkTicketsDir } from '../files/repository.ts'
import { initRepository, undoInit } from '../setup/init.ts'
import { flag, operation } from './operation.ts'

/** Sets a checkout up, or removes what an earlier run has set up. */
export const init = operation({
  name: 'init',
  summary: 'Set up a checkout: tickets folder, merge driver, git hooks',
  details: `Run it at the root of a git repository (or of any folder), once in each clone. It creates the tickets folder, adds a line to .gitattributes (to be committed) and to info/attributes of git, configures the merge driver in this clone, and adds lines to the hooks post-merge, post-checkout and post-rewrite that keep the index current. Existing content of files and hooks is kept. A hook that cannot be changed is reported, with the line to add by hand.

With --agents it also adds a marked block to AGENTS.md, an MCP server "ticketplan" to .mcp.json, and hooks that print "brief" to .claude/settings.json (SessionStart, PreCompact) and .codex/hooks.json (SessionStart). It only adds to these files, and adds no path of this machine.

Running it again changes nothing, except what a moved program or another version needs.`,
  writes: true,
  fields: {
    preCommit: {
      schema: flag,
      help: 'also add a pre-commit hook that runs "verify --staged" and refuses a commit with problems',
    },
    agents: {
      schema: flag,
      help: 'also set up agents: AGENTS.md, .mcp.json, hooks that print "brief"',
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
    'ticketplan init --undo',
  ],
  check({ undo, preCommit }, nameOf) {
    if (!undo || !preCommit) return undefined
    const message = `${nameOf('undo')} also removes the pre-commit lines; leave out ${nameOf('preCommit')}`
    return { field: 'preCommit', message }
  },
  run({ repository, index }, { preCommit, agents, undo, dryRun }) {
    const done = undo ? undoInit(repository, { dryRun }) : initRepository(repository, { preCommit, agents, dryRun })
    if (!undo && !dryRun) checkTicketsDir(repository, index.hasLeftOut)
    return { root: repository.root, ...done, git: repository.gitDir !== null, dryRun }
  },
})
