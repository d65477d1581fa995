/**
 * Defines the tools: operations under the same names as on the command line, with descriptions for a model.
 *
 * Each tool checks its arguments with the schemas of its operation and returns the document of the operation. A read-only
 * server has no tool that writes.
 */
import type { CallToolResult, Tool } from '@modelcontextprotocol/server'
import * as z from 'zod/mini'
import { accept } from '../operations/accept.ts'
import { brief } from '../operations/brief.ts'
import { claims, release, renew } from '../operations/claim.ts'
import { consult } from '../operations/consult.ts'
import { log } from '../operations/log.ts'
import {
  type Fields,
  type InputOf,
  type Operation,
  operation,
  parseInput,
  ticketName,
} from '../operations/operation.ts'
import { query } from '../operations/query.ts'
import { queue } from '../operations/queue.ts'
import { record } from '../operations/record.ts'
import { retract } from '../operations/retract.ts'
import { runOperation } from '../operations/run-operation.ts'
import { sql } from '../operations/sql.ts'
import type { Store } from '../store/store.ts'
import { errorResult, textResult, toolResult } from './answer.ts'
import { argumentsFrom } from './arguments.ts'
import { TOOL_REMEDIES } from './bounded.ts'
import type { Folders } from './folders.ts'
import { inputSchema, outputSchema } from './json-schema.ts'
import { callSql } from './sql-tool.ts'
import { type CallContext, callWait, waitDefinition } from './wait-tool.ts'

interface ToolOperation {
  definition: Operation
  /** When to use it, and what it returns. */
  description: string
  /** True if a call can remove something. */
  destructive?: true
  /** True if calling it again with the same arguments changes nothing more. */
  idempotent?: true
  /** Gives the answer of a call that can take long, in place of the operation. */
  answer?(store: Store, input: object, context: CallContext): Promise<object>
  /** Returns the text of an answer, if that is not its document. */
  text?(output: never): string
}

const limitField = {
  schema: z._default(z.int().check(z.minimum(1), z.maximum(500)), 50),
  help: 'at most this many entries',
}
const DEFAULT_LIMIT = 50
const SQL_ROWS = 100

const folderField = {
  schema: z.optional(z.string().check(z.minLength(1), z.maxLength(4096))),
  help: "your worktree, if not the server's",
}

/** Returns the tools of a server, in the order in which they are listed. */
export function toolsOf(plans: Folders, readOnly: boolean) {
  const operations = [...READING, ...(readOnly ? [CLAIMS_LIST] : [...WRITING, CLAIMS])].map(inFolder)
  const byName = new Map(operations.map(tool => [tool.definition.name, tool]))
  return {
    list: (): Tool[] => operations.map(listed),
    names: [...byName.keys()],
    /** Calls a tool; returns undefined if there is none of that name. A verdict hold and a refused claim are answers, not errors. */
    call(
      name: string,
      given: unknown,
      context: CallContext = { signal: new AbortController().signal },
    ): CallToolResult | Promise<CallToolResult> | undefined {
      const tool = byName.get(name)
      if (!tool) return undefined
      try {
        return run(plans, tool, given ?? {}, context)
      } catch (error) {
        return errorResult(error)
      }
    },
  }
}

/** Returns the tool with the argument `folder`, which names the plan that it works on. */
function inFolder({ definition, ...tool }: ToolOperation): ToolOperation {
  const fields = { ...definition.fields, folder: folderField }
  return { ...tool, definition: operation({ ...definition, fields }) as unknown as Operation }
}

/** Runs a tool; returns a promise only for one that can take long, and where a server has the claims. */
function run(
  plans: Folders,
  tool: ToolOperation,
  given: unknown,
  context: CallContext,
): CallToolResult | Promise<CallToolResult> {
  const { definition, answer } = tool
  const { folder, ...input } = parseInput(definition, argumentsFrom(definition.fields, given), undefined, 'argument')
  const named = folder as string | undefined
  const plan = plans.planOf(named)
  if (!answer && !plan.fleet) return resultOf(tool, input, definition.run(plan, input) as object)
  const output = plans.use(named, plan =>
    answer ? answer(plan, input, context) : runOperation(plan, definition as Operation<Fields, object>, input),
  )
  return output.then(output => resultOf(tool, input, output)).catch(errorResult)
}

function resultOf({ text }: ToolOperation, { limit }: { limit?: unknown }, output: object): CallToolResult {
  if (text) return textResult(output, text(output as never))
  if (typeof limit === 'number') return toolResult(output, limit)
  return toolResult(output, DEFAULT_LIMIT, { ...TOOL_REMEDIES, entries: TOOL_REMEDIES.nested })
}

function listed({ definition, description, destructive, idempotent }: ToolOperation): Tool {
  const { name, fields, output, writes } = definition
  return {
    name,
    description,
    inputSchema: inputSchema(fields),
    outputSchema: outputSchema(output()),
    // The other two hints have a meaning only for a tool that writes.
    annotations: writes
      ? {
          readOnlyHint: false,
          destructiveHint: destructive ?? false,
          idempotentHint: idempotent ?? false,
          openWorldHint: false,
        }
      : { readOnlyHint: true, openWorldHint: false },
  } as Tool
}

/** Returns an operation without some of its fields and with others added; added fields are not passed on to its `run`. `limitField` bounds the answer itself, which then says what it left out. */
function adapted<F extends Fields, O>(original: Operation<F, O>, without: (keyof F)[], added: Fields = {}): Operation {
  const kept = Object.entries(original.fields).filter(([name]) => !without.includes(name))
  const ownInput = (input: Record<string, unknown>) => {
    const own = Object.entries(input).filter(
      ([name]) => Object.hasOwn(original.fields, name) && added[name] !== limitField,
    )
    return original.input.parse(Object.fromEntries(own)) as InputOf<F>
  }
  return operation({
    ...original,
    fields: { ...Object.fromEntries(kept), ...added },
    output: () => (Object.values(added).includes(limitField) ? withoutMore(original.output()) : original.output()),
    run: (store, input) => original.run(store, ownInput(input)),
    ...(original.claims && { claims: input => original.claims!(ownInput(input)) }),
    ...(original.runInFleet && {
      runInFleet: (store, fleet, input) => original.runInFleet!(store, fleet, ownInput(input)),
    }),
  }) as unknown as Operation
}

/** Returns the shape of an answer that is bounded here: `left_out` says what the operation says with `more`. */
function withoutMore(output: unknown): never {
  return z.omit(output as z.ZodMiniObject<{ more: z.ZodMiniType }>, { more: true }) as never
}

const READING: ToolOperation[] = [
  {
    definition: adapted(consult, ['session']),
    description:
      'Call before accepting a queued Ticket. Returns the verdict, accept or hold, with every reason, the active plan and the live claim.',
  },
  {
    definition: adapted(queue, [], { limit: limitField }),
    description: 'List the queued Tickets in order, each with verdict and reasons. Start here when routing.',
  },
  {
    definition: query as unknown as Operation,
    description: 'List decisions: relations (as seen from ticket, if given) and other decisions, with ids.',
  },
  {
    definition: adapted(log, []),
    description:
      'List decisions across Tickets, newest first: what changed since, by whom. With claims: who took which Ticket from whom.',
  },
  {
    definition: waitDefinition,
    description: 'Wait until Tickets can be accepted, are terminal or released.',
    answer: callWait,
  },
  {
    definition: adapted(brief, ['hook']),
    description:
      'Call first after losing your memory: claims, queue, conflicts, plans, recent decisions and problems, within a budget.',
    text: ({ text }: { text: string }) => text,
  },
  {
    definition: adapted(sql, ['csv', 'limit'], {
      limit: {
        schema: z._default(z.int().check(z.minimum(1), z.maximum(1000)), SQL_ROWS),
        help: 'at most this many rows',
      },
    }),
    description:
      'If no other tool answers it: one SELECT over tickets, decisions, relations, blockers, quarantine, claims.',
    answer: callSql,
  },
]

/** One name where the operation takes several. */
const oneName = z.pipe(
  ticketName,
  z.transform(name => [name]),
)

const WRITING: ToolOperation[] = [
  {
    definition: adapted(record, [], {
      other: { schema: z.optional(oneName), help: 'the other Ticket of a relation' },
    }),
    description:
      'Record a decision as soon as you make it. A relation is stored once and shown for both Tickets; one already recorded is returned with created false.',
  },
  {
    definition: adapted(retract, ['kind', 'other'], {
      decision: { ...retract.fields.decision, help: 'the id of the decision' },
    }),
    description: 'Withdraw a decision that is no longer true, by its id (from query). It stays in the history.',
    idempotent: true,
  },
  {
    definition: adapted(accept, ['plan', 'session', 'ttl'], {
      ttl: { ...accept.fields.ttl, help: 'seconds, or 30m, until the claim expires, if not as configured' },
    }),
    description:
      'Accept a queued Ticket for a worker: verdict, claim and plan in one atomic step. If accepted is false, read reasons. Keep claim.token: the worker renews and releases with it.',
  },
]

const listFields = { all: { ...claims.fields.all, help: 'list: also released claims' }, limit: limitField }

const CLAIMS_LIST: ToolOperation = {
  definition: adapted(claims, ['all'], listFields),
  description: 'List the live and expired claims of workers.',
}

const renewed = () => renew.output() as unknown as z.ZodMiniObject

interface ClaimsInput {
  action: 'list' | 'renew' | 'release'
  ticket?: string | undefined
  token?: number | undefined
  ttl?: number | undefined
  state?: string | undefined
  all: boolean
}

/** Returns the operation of an action, and its input. */
function actionOf({
  action,
  ticket,
  token,
  ttl,
  state,
  all,
}: ClaimsInput): [Operation<Fields, object>, object & InputOf<Fields>] {
  const given = { list: { all }, renew: { ticket, token, ttl }, release: { ticket, token, state } }[action]
  const operation = { list: claims, renew, release }[action] as unknown as Operation<Fields, object>
  return [operation, parseInput(operation, given) as object & InputOf<Fields>]
}

const CLAIMS: ToolOperation = {
  definition: operation({
    name: 'claims',
    summary: claims.summary,
    writes: true,
    fields: {
      action: { schema: z._default(z.enum(['list', 'renew', 'release']), 'list'), help: 'what to do' },
      ticket: { schema: z.optional(renew.fields.ticket.schema), help: 'renew, release: id or slug' },
      token: { schema: z.optional(renew.fields.token.schema), help: "renew, release: the claim's token" },
      ttl: { schema: renew.fields.ttl.schema, help: 'renew: seconds, or 30m', span: true },
      state: { schema: release.fields.state.schema, help: 'release: also set this state, such as done' },
      ...listFields,
    },
    output: () => z.partial(z.extend(withoutMore(claims.output()) as z.ZodMiniObject, renewed().shape)),
    examples: [],
    check({ action, ticket, token }, nameOf) {
      const missing = ticket === undefined ? 'ticket' : token === undefined ? 'token' : undefined
      if (action === 'list' || !missing) return undefined
      return { field: missing, message: `${nameOf(missing)} is required to ${action} a claim` }
    },
    run(store, input): object {
      const [operation, given] = actionOf(input)
      return operation.run(store, given)
    },
    async runInFleet(store, _, input): Promise<object> {
      const [operation, given] = actionOf(input)
      return runOperation(store, operation, given)
    },
  }) as unknown as Operation,
  description:
    'List claims, or renew or release one with its token. A worker renews before its claim expires; refused stale_token means that it is lost: stop work.',
  destructive: true,
}
