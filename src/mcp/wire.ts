/**
 * Corrects what the protocol library does with messages that it cannot read: it drops lines that are no JSON or no message, and
 * requests whose params are no object, and reports other invalid params as an internal error, with the messages of its schemas.
 *
 * A request with an id is always answered, and so is a line that is no message, as JSON-RPC says: with the id null. Everything
 * else passes unchanged.
 */
import { Transform } from 'node:stream'
import { isJSONRPCRequest, type JSONRPCMessage, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { isObject } from '../model/objects.ts'

/** The error of a JSON-RPC response. */
export interface Refusal {
  code: number
  message: string
}

/** Answers the message with an id, or with null for one whose id cannot be read. */
type Refuse = (id: string | number | null, refusal: Refusal) => void

const REQUEST_KEYS = ['jsonrpc', 'id', 'method', 'params']
const NEWLINE = 10
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/**
 * Returns a stream of lines from which what the library would drop is taken out; `refuse` answers it. A line of more than
 * `maxBytes` passes as it is. The end of the input is passed on once `answered` resolves.
 */
export function requestFilter(maxBytes: number, refuse: Refuse, answered: () => Promise<void>): Transform {
  let pending: Buffer[] = []
  let pendingBytes = 0
  let isFirst = true
  const take = () => {
    const line = Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    const hasMark = isFirst && line.subarray(0, 3).equals(BYTE_ORDER_MARK)
    isFirst = false
    return hasMark ? line.subarray(3) : line
  }
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let from = 0
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
        pending.push(chunk.subarray(from, end + 1))
        from = end + 1
        const line = checkedLine(take(), refuse)
        if (line) this.push(line)
      }
      pending.push(chunk.subarray(from))
      pendingBytes += chunk.length - from
      if (pendingBytes > maxBytes) this.push(take())
      done()
    },
    flush(done) {
      const line = checkedLine(Buffer.concat([take(), Buffer.from('\n')]), refuse)
      if (line) this.push(line)
      answered().then(() => done(), done)
    },
  })
}

/** Returns the line, changed if a client wrote arguments in another way; undefined where it was refused, or is blank. */
function checkedLine(line: Buffer, refuse: Refuse): Buffer | undefined {
  const text = line.toString()
  if (text.trim() === '') return undefined
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch (error) {
    refuse(null, { code: ProtocolErrorCode.ParseError, message: `a line is no JSON: ${(error as Error).message}` })
    return undefined
  }
  const refuseRequest = (id: unknown, message: string) => {
    refuse(isId(id) ? id : null, { code: ProtocolErrorCode.InvalidRequest, message })
    return undefined
  }
  if (Array.isArray(message)) {
    const unanswered = message.filter(entry => !isObject(entry) || (!isAnswer(entry) && entry.id !== undefined))
    for (const entry of message.length === 0 ? [null] : unanswered)
      refuseRequest(isObject(entry) ? entry.id : null, 'send each request alone: MCP has no batches')
    return undefined
  }
  if (!isObject(message)) return refuseRequest(null, 'a message must be an object')
  if (isAnswer(message)) return line
  if (message.jsonrpc !== '2.0') return refuseRequest(message.id, 'a message needs "jsonrpc": "2.0"')
  const { id, method, params } = message
  if (typeof method !== 'string') return refuseRequest(id, 'a request needs a method')
  if (id === undefined) return line // a notification
  if (!isId(id) || (typeof id === 'number' && !Number.isSafeInteger(id)))
    return refuseRequest(
      id,
      `the id of a request must be a text or a whole number of at most ${Number.MAX_SAFE_INTEGER}`,
    )
  const refuseParams = (message: string) => {
    refuse(id, { code: ProtocolErrorCode.InvalidParams, message })
    return undefined
  }
  if (params !== undefined && !isObject(params))
    return refuseParams(`the params of ${method.slice(0, 100)} must be an object`)
  const unknown = Object.keys(message).find(key => !REQUEST_KEYS.includes(key))
  if (unknown !== undefined)
    return refuseRequest(id, `unknown key "${unknown.slice(0, 100)}"; a request has ${REQUEST_KEYS.join(', ')}`)
  // All that the library demands beyond this is the form of _meta.
  if (!isJSONRPCRequest(message))
    return refuseParams('params._meta must be an object whose progressToken is a text or a whole number')
  if (params === undefined || !('arguments' in params)) return line
  const given = argumentsOf(method, params.arguments)
  return given === params.arguments
    ? line
    : Buffer.from(`${JSON.stringify({ ...message, params: { ...params, arguments: given } })}\n`)
}

/** Whether an answer can bear the id. */
function isId(id: unknown): id is string | number {
  return typeof id === 'string' || Number.isFinite(id)
}

/** Whether a message is the client's answer to a request of this server. */
function isAnswer(message: Record<string, unknown>): boolean {
  return !('method' in message) && ('result' in message || 'error' in message)
}

/** Returns the arguments of a tool or a prompt as an object where a client wrote null or JSON, those of a prompt as texts. */
function argumentsOf(method: string, given: unknown): unknown {
  if (given === null) return undefined
  const parsed = typeof given === 'string' ? objectIn(given) : given
  if (method !== 'prompts/get' || !isObject(parsed)) return parsed
  const values = Object.values(parsed)
  if (values.every(value => typeof value === 'string')) return parsed
  return Object.fromEntries(
    Object.entries(parsed)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, typeof value === 'number' ? String(value) : value]),
  )
}

function objectIn(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : text
  } catch {
    return text
  }
}

/** Returns a message to the client; an error about the params of a request says so in its code and in plain words. */
export function plainError(message: JSONRPCMessage): JSONRPCMessage {
  if (!('error' in message)) return message
  const [issue] = issuesIn(message.error.message)
  if (!issue) return message
  const name = issue.path.slice(1).join('.') || 'params'
  const expected = issue.expected === 'record' ? 'object' : issue.expected
  const text = expected ? `${name} must be of type ${expected}` : `${name}: ${issue.message}`
  return { ...message, error: { code: ProtocolErrorCode.InvalidParams, message: text } }
}

interface SchemaIssue {
  path: (string | number)[]
  message: string
  expected?: string
}

/** Returns what is wrong with the params, if the message is the list of issues of a schema. */
function issuesIn(message: string): SchemaIssue[] {
  const list = /^(?:Invalid [\w/]+ request: )?(\[\s*\{[\s\S]*\])$/.exec(message)?.[1]
  if (list === undefined) return []
  try {
    const issues = JSON.parse(list) as SchemaIssue[]
    return issues.filter(({ path }) => Array.isArray(path) && path[0] === 'params')
  } catch {
    return []
  }
}
