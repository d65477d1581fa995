import * as z from 'zod/mini'
import { gatherFacts } from './brief-facts.ts'
import { briefText, DEFAULT_BUDGET, MAX_BUDGET, MIN_BUDGET } from './brief-text.ts'
import { operation } from './operation.ts'

/** A brief has at least one decision for this many tokens of its budget, even if none is recent. */
const TOKENS_PER_DECISION = 100
const MIN_DECISIONS = 5

/** Returns what an orchestrator must know after losing its memory. */
export const brief = operation({
  name: 'brief',
  summary: 'Print what an orchestrator must know after losing its memory',
  details:
    'Claims, the queue with verdicts, conflicts of Tickets in play (queued, active or claimed), accepted plans, recent decisions and problems: most urgent first, within the budget. The end names what was left out. Four bytes count as one token. Times are in UTC. Text in quotes comes from Tickets.',
  writes: false,
  fields: {
    budget: {
      schema: z._default(
        z
          .int()
          .check(
            z.minimum(MIN_BUDGET, `a brief needs at least ${MIN_BUDGET} tokens`),
            z.maximum(MAX_BUDGET, `must be at most ${MAX_BUDGET} tokens`),
          ),
        DEFAULT_BUDGET,
      ),
      help: `at most this many tokens, ${MIN_BUDGET} or more (default: ${DEFAULT_BUDGET})`,
      value: 'n',
    },
  },
  output: () => z.object({ text: z.string(), tokens: z.int(), omitted: z.int() }),
  examples: ['ticketplan brief', 'ticketplan brief --budget 300'],
  run(store, { budget }) {
    const atLeast = Math.max(MIN_DECISIONS, Math.floor(budget / TOKENS_PER_DECISION))
    return briefText(gatherFacts(store, atLeast), budget)
  },
})
