/**
 * Serves the page: files, documents as JSON, and a stream of changes. It reads and never writes.
 *
 * Nothing of the plan is given without the token of this start, which comes in the Authorization header: no cookie, no query. So
 * another page has nothing that a browser would send for it. Which requests are answered at all is in request-rules.ts.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PlanSource } from '../plan-source.ts'
import { changeStreams } from './change-streams.ts'
import { type Documents, documentsOf } from './documents.ts'
import { type PageFile, readPageFiles } from './page-files.ts'
import { refusalOf, SECURITY_HEADERS } from './request-rules.ts'

export interface ServeOptions {
  /** The port; 0 for any free one. Without it, one that the root's path gives, or the next free one. */
  port?: number | undefined
  /** The address to listen on. Default 127.0.0.1. */
  host?: string | undefined
}

export interface ViewServer {
  /** The address of the page, with the token in the fragment. */
  url: string
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
const FIRST_PORT = 42_000
const PORTS = 2000
/** How many ports are tried where none is given. */
const TRIES = 20

/** Starts serving. @throws PlanError where the plan cannot be watched, Error with a code, such as EADDRINUSE. */
export async function serveView(source: PlanSource, { port, host = LOOPBACK }: ServeOptions = {}): Promise<ViewServer> {
  const { randomBytes } = process.getBuiltinModule('node:crypto')
  const token = randomBytes(24).toString('base64url')
  const documents = documentsOf(source)
  const streams = changeStreams(documents.expire)
  const files = readPageFiles()
  const isAllowed = tokenCheck(token)
  let hosts: string[] = []
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    const refusal = refusalOf(request, hosts)
    if (refusal) return answerText(response, refusal.status, refusal.message)
    const url = new URL(request.url ?? '/', 'http://view')
    const file = files.get(url.pathname)
    if (file) return answerFile(request, response, file)
    if (!url.pathname.startsWith('/api/')) return answerText(response, 404, 'there is no such page')
    response.setHeader('Cache-Control', 'no-store')
    if (!isAllowed(request.headers.authorization))
      return answerText(response, 401, 'the link that "ticketplan view" printed has the token')
    if (url.pathname !== '/api/events') return answerDocument(request, response, documents, url)
    if (!streams.add(response)) answerText(response, 503, 'too many pages are open')
  })
  const watching = source.watch(change => streams.send(change))
  const close = async () => {
    watching.close()
    streams.close()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  const bound = await listen(server, port ?? portOf(source.root), host, port === undefined ? TRIES : 1).catch(
    async error => {
      await close()
      throw error
    },
  )
  hosts = [
    `${LOOPBACK}:${bound}`,
    `localhost:${bound}`,
    ...(host === LOOPBACK ? [] : [`${host.toLowerCase()}:${bound}`]),
  ]
  return {
    url: `http://${host === '0.0.0.0' ? LOOPBACK : host}:${bound}/#token=${token}`,
    close,
  }
}

/** Compares hashes, so that the time reveals nothing about the token. */
function tokenCheck(token: string): (header: string | undefined) => boolean {
  const { createHash, timingSafeEqual } = process.getBuiltinModule('node:crypto')
  const hash = (text: string) => createHash('sha256').update(text).digest()
  const wanted = hash(`Bearer ${token}`)
  return header => timingSafeEqual(hash(header ?? ''), wanted)
}

function answerText(response: ServerResponse, status: number, message: string): void {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' }
  response.writeHead(status, status === 405 ? { ...headers, Allow: 'GET, HEAD' } : headers).end(`${message}\n`)
}

function answerFile(
  { headers, method }: IncomingMessage,
  response: ServerResponse,
  { body, type, etag }: PageFile,
): void {
  response.setHeader('Content-Type', type).setHeader('Cache-Control', 'no-cache').setHeader('ETag', etag)
  if (headers['if-none-match'] === etag) response.writeHead(304).end()
  else response.end(method === 'HEAD' ? undefined : body)
}

function answerDocument({ method }: IncomingMessage, response: ServerResponse, documents: Documents, url: URL): void {
  try {
    const text = documents.find(url.pathname.slice('/api/'.length), url.searchParams)
    if (text === undefined) return answerText(response, 404, 'there is no such document')
    response.setHeader('Content-Type', 'application/json').end(method === 'HEAD' ? undefined : text)
  } catch (error) {
    const { code = 'internal', message } = error as Error & { code?: string }
    response.statusCode = code === 'unknown_ticket' ? 404 : code === 'invalid_input' ? 400 : 500
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ error: { code, message } }))
  }
}

/** Returns the same port for the same checkout, so that the address of a Ticket lasts. */
function portOf(root: string): number {
  const { createHash } = process.getBuiltinModule('node:crypto')
  return FIRST_PORT + (createHash('sha256').update(root).digest().readUInt16BE(0) % PORTS)
}

async function listen(server: Server, port: number, host: string, tries: number): Promise<number> {
  for (let attempt = 0; ; attempt++) {
    const failure = await new Promise<NodeJS.ErrnoException | undefined>(resolve => {
      server.once('error', resolve)
      server.listen(port + attempt, host, () => {
        server.off('error', resolve)
        resolve(undefined)
      })
    })
    if (failure === undefined) return (server.address() as AddressInfo).port
    if (failure.code !== 'EADDRINUSE' || attempt + 1 >= tries) throw failure
  }
}
