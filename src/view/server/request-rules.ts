/**
 * Decides which requests are answered. Pure.
 *
 * No other page and no other machine may read a plan: the name must be this server's (else a foreign name that resolves to the
 * loopback address would do), the origin must be its own, and only a link may come from another site, to the page without data.
 */
import type { IncomingHttpHeaders } from 'node:http'

export interface Asked {
  method?: string | undefined
  headers: IncomingHttpHeaders
}

/** Why a request is refused. */
export interface Refusal {
  status: 403 | 405 | 421
  message: string
}

/** Returns the refusal; undefined for a request that may be answered. `hosts` are the names of this server, with the port. */
export function refusalOf({ method, headers }: Asked, hosts: readonly string[]): Refusal | undefined {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, message: 'this page only reads' }
  const host = headers.host?.toLowerCase()
  if (host === undefined || !hosts.includes(host)) return { status: 421, message: 'this is not a name of this server' }
  if (headers.origin !== undefined && headers.origin !== `http://${host}`)
    return { status: 403, message: 'another origin may not ask' }
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined
  const isLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  return isLink ? undefined : { status: 403, message: 'another site may not ask' }
}

/** The headers of every answer. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}
