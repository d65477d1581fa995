/**
 * Corrects what the protocol library does with requests that it cannot read: it drops those whose params are no object, and
 * reports other invalid params as an internal error, with the messages of its schemas.
 *
 * A request with an id is always answered. Everything else passes unchanged.
 */
import { Transform } from 'node:stream'
import { type JSONRPCMessage, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { isObject } from '../model/objects.ts'

/** The error of a JSON-RPC response. */
export interface Refusal {
  code: number
  message: string
}

const NEWLINE = 10

/**
 * Returns a stream of lines from which the requests that the library would drop are taken out; `refuse` answers them. A line
 * of more than `maxBytes` passes as it is. The end of the input is passed on once `answered` resolves.
 */
export function requestFilter(
  maxBytes: number,
  refuse: (id: string | number, refusal: Refusal) => void,
  answered: () => Promise<void>,
): Transform {
  let pending: Buffer[] = []
  let pendingBytes = 0
  const take = () => {
    const line = Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    return line
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
      this.push(take())
      answered().then(() => done(), done)
    },
  })
}

/** Returns the line, changed if a client wrote arguments in another way; undefined where the request was refused. */
function checkedLine(line: Buffer, refuse: (id: string | number, refusal: Refusal) => void): Buffer | undefined {
  let message: unknown
  try {
    message = JSON.parse(line.toString())
  } catch {
    return line
  }
  if (Array.isArray(message)) {
    for (const entry of message) {
      if (!isObject(entry) || !isId(entry.id) || !('method' in entry)) continue
      refuse(entry.id, {
        code: ProtocolErrorCode.InvalidRequest,
        message: 'send each request alone: MCP has no batches',
      })
    }
    return undefined
  }
  if (!isObject(message) || message.jsonrpc !== '2.0') return line
  const { id, method, params } = message
  if (!isId(id)) return line
  if (typeof method !== 'string') {
    if ('result' in message || 'error' in message) return line
    refuse(id, { code: ProtocolErrorCode.InvalidRequest, message: 'a request needs a method' })
    return undefined
  }
  if (params === undefined) return line
  if (!isObject(params)) {
    refuse(id, {
      code: ProtocolErrorCode.InvalidParams,
      message: `the params of ${method.slice(0, 100)} must be an object`,
    })
    return undefined
  }
  if (!('arguments' in params)) return line
  const given = argumentsOf(method, params.arguments)
  return given === params.arguments
    ? line
    : Buffer.from(`${JSON.stringify({ ...message, params: { ...params, arguments: given } })}\n`)
}

function isId(id: unknown): id is string | number {
  return typeof id === 'string' || typeof id === 'number'
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
