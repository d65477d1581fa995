import * as z from 'zod/mini'
import { AGENT_NAMES } from '../setup/agent-names.ts'
import { gatherFacts } from './brief-facts.ts'
import { briefText, DEFAULT_BUDGET, MAX_BUDGET, MIN_BUDGET } from './brief-text.ts'
import { hookBudget, hookOutput } from './hook-forms.ts'
import { operation } from './operation.ts'

/** A brief has at least one decision for this many tokens of its budget, even if none is recent. */
const TOKENS_PER_DECISION = 100
const MIN_DECISIONS = 5

/** Returns what an orchestrator must know after losing its memory. */
export const brief = operation({
  name: 'brief',
  summary: 'Print what an orchestrator must know after losing its memory',
  details:
    'Claims, the queue with verdicts, conflicts of Tickets in play (queued, active or claimed), accepted plans, recent decisions and problems: most urgent first, within the budget. The end names what was left out. Four bytes count as one token. Times are in UTC. Text in quotes comes from Tickets.\n\nWith --hook the output is the form that the agent takes. The command then reads the JSON of the hook from standard input, if there is one: its cwd names the checkout (unless -C does), and for SubagentStart the output is the plan and the token of the one live claim on that worktree. Where nothing is set up it prints an empty form and succeeds.',
  writes: false,
  fields: {
    budget: {
      schema: z.optional(
        z
          .int()
          .check(
            z.minimum(MIN_BUDGET, `a brief needs at least ${MIN_BUDGET} tokens`),
            z.maximum(MAX_BUDGET, `must be at most ${MAX_BUDGET} tokens`),
          ),
      ),
      help: `at most this many tokens, ${MIN_BUDGET} or more (default: ${DEFAULT_BUDGET})`,
      value: 'n',
    },
    hook: {
      schema: z.optional(z.enum(AGENT_NAMES)),
      help: `print what a hook of this agent must print (${AGENT_NAMES.join(', ')}), at most as much as it takes`,
      value: 'agent',
      alone: true,
    },
  },
  output: () => z.object({ text: z.string(), tokens: z.int(), omitted: z.int() }),
  claims: () => ({}),
  examples: ['ticketplan brief', 'ticketplan brief --budget 300', 'ticketplan brief --hook claude'],
  run(store, { budget: given, hook }) {
    const budget = Math.min(given ?? (hook ? hookBudget(hook) : DEFAULT_BUDGET), hook ? hookBudget(hook) : MAX_BUDGET)
    const atLeast = Math.max(MIN_DECISIONS, Math.floor(budget / TOKENS_PER_DECISION))
    const { text, ...counts } = briefText(gatherFacts(store, atLeast), budget)
    return { text: hook ? hookOutput(hook, text) : text, ...counts }
  },
})
