import * as z from 'zod/mini'
import { checkTicketsDir } from '../files/repository.ts'
import { PlanError } from '../model/errors.ts'
import { initRepository, undoInit } from '../setup/init.ts'
import { flag, operation } from './operation.ts'

/** A checkout, set up, or brought back to what it was. */
export const init = operation({
  name: 'init',
  summary: 'Set up a checkout: tickets folder, merge driver, git hooks',
  details:
    'Run it at the root of a git repository (or any folder), once in each clone. It makes the tickets folder, a line in .gitattributes (to be committed) and in git\'s own info/attributes, the merge driver in this clone\'s configuration, and lines in the hooks post-merge, post-checkout and post-rewrite that keep the index current. What files and hooks hold already is kept; a hook that cannot be added to is reported with the line to add by hand. With --agents also: lines in AGENTS.md between two marks, an MCP server "ticketplan" in .mcp.json, and hooks that print the digest in .claude/settings.json (SessionStart, PreCompact) and .codex/hooks.json (SessionStart); a diff of these files has only additions, and none names a path of this machine. Running it again changes nothing, or only what a moved program or another version needs.',
  writes: true,
  fields: {
    preCommit: {
      schema: flag,
      help: 'also a pre-commit hook: it refuses a commit whose staged Tickets "verify --staged" finds wrong',
    },
    agents: {
      schema: flag,
      help: 'also what agents read: a part of AGENTS.md, an entry in .mcp.json, hooks that print "brief"',
    },
    undo: { schema: flag, help: 'take out all that init added; never a Ticket, nor a claim' },
    dryRun: { schema: flag, help: 'say what would change, and change nothing' },
  },
  output: () =>
    z.object({
      root: z.string(),
      /** Files and folders made; with dryRun, here and below, those that would be. Paths from the root where they lie below it. */
      made: z.array(z.string()),
      changed: z.array(z.string()),
      removed: z.array(z.string()),
      /** What was left as it is, with what to do by hand. */
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
  run({ repository }, { preCommit, agents, undo, dryRun }) {
    if (undo && preCommit) {
      const message = 'init: --undo takes out the pre-commit lines too: leave --pre-commit away'
      throw new PlanError('invalid_input', message, { field: 'preCommit' })
    }
    const done = undo ? undoInit(repository, { dryRun }) : initRepository(repository, { preCommit, agents, dryRun })
    if (!undo && !dryRun) checkTicketsDir(repository)
    return { root: repository.root, ...done, git: repository.gitDir !== null, dryRun }
  },
})
