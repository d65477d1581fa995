/**
 * The tools: the operations of the command line under the same names, with descriptions for a model.
 *
 * Each tool checks its arguments with the operation's own schemas and gives the operation's own document. A server that only
 * reads has none that writes.
 */
import type { CallToolResult, Tool } from '@modelcontextprotocol/server'
import * as z from 'zod/mini'
import { accept } from '../operations/accept.ts'
import { brief } from '../operations/brief.ts'
import { claims, release, renew } from '../operations/claim.ts'
import { consult } from '../operations/consult.ts'
import { type Fields, type InputOf, type Operation, operation, parseInput } from '../operations/operation.ts'
import { query } from '../operations/query.ts'
import { queue } from '../operations/queue.ts'
import { record } from '../operations/record.ts'
import { retract } from '../operations/retract.ts'
import { sql } from '../operations/sql.ts'
import type { Store } from '../store/store.ts'
import { bounded, errorResult, toolResult } from './answer.ts'
import { inputSchema, outputSchema } from './json-schema.ts'

interface ToolOperation {
  definition: Operation
  /** When to use it, and what comes back. */
  description: string
  /** True where something that was there is gone afterwards. */
  destructive?: true
  /** True where calling again with the same arguments changes nothing more. */
  idempotent?: true
  /** The whole text of an answer, where it is not its document. */
  text?(output: never): string
}

const limitField = {
  schema: z._default(z.int().check(z.minimum(1), z.maximum(500)), 50),
  help: 'at most so many entries',
}
const DEFAULT_LIMIT = 50
const SQL_ROWS = 100

/** The tools of a server, in the order in which they are listed. */
export function toolsOf(store: Store, readOnly: boolean) {
  const operations = [...READING, ...(readOnly ? [CLAIMS_LIST] : [...WRITING, CLAIMS])]
  const byName = new Map(operations.map(tool => [tool.definition.name, tool]))
  return {
    list: (): Tool[] => operations.map(listed),
    names: [...byName.keys()],
    /** Undefined where there is no such tool. A verdict hold and a refused claim are answers, not errors. */
    call(name: string, given: unknown): CallToolResult | undefined {
      const tool = byName.get(name)
      if (!tool) return undefined
      try {
        return run(store, tool, given ?? {})
      } catch (error) {
        return errorResult(error)
      }
    },
  }
}

function run(store: Store, { definition, text }: ToolOperation, given: unknown): CallToolResult {
  const input = parseInput(definition, given)
  const output = definition.run(store, input) as object
  if (text) return toolResult({ ...output }, text(output as never))
  const limit = typeof input.limit === 'number' ? input.limit : DEFAULT_LIMIT
  return toolResult(bounded(output, limit))
}

function listed({ definition, description, destructive, idempotent }: ToolOperation): Tool {
  const { name, fields, output, writes } = definition
  return {
    name,
    description,
    inputSchema: inputSchema(fields),
    outputSchema: outputSchema(output()),
    annotations: {
      readOnlyHint: !writes,
      destructiveHint: destructive ?? false,
      idempotentHint: idempotent ?? !writes,
      openWorldHint: false,
    },
  } as Tool
}

/** An operation with some of its fields left out and others added, which `run` of the operation does not see. */
function adapted<F extends Fields, O>(original: Operation<F, O>, without: (keyof F)[], added: Fields = {}): Operation {
  const kept = Object.entries(original.fields).filter(([name]) => !without.includes(name))
  return operation({
    ...original,
    fields: { ...Object.fromEntries(kept), ...added },
    run(store, input) {
      const own = Object.entries(input).filter(([name]) => Object.hasOwn(original.fields, name))
      return original.run(store, original.input.parse(Object.fromEntries(own)) as InputOf<F>)
    },
  }) as unknown as Operation
}

const READING: ToolOperation[] = [
  {
    definition: consult as unknown as Operation,
    description:
      'Ask before accepting a queued Ticket. Gives verdict accept or hold, with every reason, the plan that stands and the live claim.',
  },
  {
    definition: adapted(queue, [], { limit: limitField }),
    description: 'The queued Tickets in order, each with its verdict and reasons. Start here when routing.',
  },
  {
    definition: query as unknown as Operation,
    description:
      'What was decided: relations (seen from ticket, if given) and other decisions with their ids. Filter by ticket, kind, status.',
  },
  {
    definition: brief as unknown as Operation,
    description:
      'Call first after losing your memory: claims, queue, conflicts, plans, recent decisions and problems within a budget of tokens.',
    text: ({ text }: { text: string }) => text,
  },
  {
    definition: adapted(sql, ['csv', 'limit'], {
      limit: {
        schema: z._default(z.int().check(z.minimum(1), z.maximum(1000)), SQL_ROWS),
        help: 'at most so many rows',
      },
    }),
    description:
      'For what no other tool answers: one SELECT over tickets, decisions, relations, blockers, quarantine, claims.',
  },
]

const WRITING: ToolOperation[] = [
  {
    definition: record as unknown as Operation,
    description:
      'Keep a decision as soon as you make it. A relation is stored once and seen from both Tickets; one that stands already is returned with created false.',
  },
  {
    definition: retract as unknown as Operation,
    description: 'Withdraw a decision that is no longer true, by its id (from query). It stays in the history.',
    idempotent: true,
  },
  {
    definition: adapted(accept, ['plan', 'session', 'ttl'], {
      ttl: { ...accept.fields.ttl, help: 'seconds until the claim expires, if not as configured' },
    }),
    description:
      'Accept a queued Ticket for a worker: verdict, claim and plan in one atomic step. accepted false comes with the reasons. Keep claim.token: the worker renews and releases with it.',
  },
]

const listFields = { all: { ...claims.fields.all, help: 'list: released ones too' }, limit: limitField }

const CLAIMS_LIST: ToolOperation = {
  definition: adapted(claims, ['all'], listFields),
  description: 'The live and expired claims of workers.',
}

const renewed = () => renew.output() as unknown as z.ZodMiniObject

const CLAIMS: ToolOperation = {
  definition: operation({
    name: 'claims',
    summary: claims.summary,
    writes: true,
    fields: {
      action: { schema: z._default(z.enum(['list', 'renew', 'release']), 'list'), help: 'what to do' },
      ticket: { schema: z.optional(renew.fields.ticket.schema), help: 'renew, release: id or slug' },
      token: { schema: z.optional(renew.fields.token.schema), help: "renew, release: the claim's token" },
      ttl: { schema: renew.fields.ttl.schema, help: 'renew: seconds' },
      ...listFields,
    },
    output: () => z.partial(z.extend(claims.output() as unknown as z.ZodMiniObject, renewed().shape)),
    examples: [],
    run(store, { action, ticket, token, ttl, all, limit: _ }): object {
      if (action === 'list') return claims.run(store, { all })
      const operation = action === 'renew' ? renew : release
      const given = { ticket, token, ...(action === 'renew' && { ttl }) }
      return (operation as unknown as Operation<Fields, object>).run(
        store,
        parseInput(operation as unknown as Operation, given),
      )
    },
  }) as unknown as Operation,
  description:
    'List claims, or renew or release one with its token. A worker renews before its claim expires; refused stale_token means it is lost: stop.',
  destructive: true,
}
