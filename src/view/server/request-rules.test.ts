import { describe, expect, test } from 'vitest'
import { refusalOf, SECURITY_HEADERS } from './request-rules.ts'

const HOSTS = ['127.0.0.1:4400', 'localhost:4400']
const status = (headers: Record<string, string>, method = 'GET') => refusalOf({ method, headers }, HOSTS)?.status
const own = { host: '127.0.0.1:4400' }

describe('refusalOf', () => {
  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'])('%s is refused', method => {
    expect(status(own, method)).toBe(405)
  })

  test.each([
    'evil.example',
    'evil.example:4400',
    '127.0.0.1',
    '127.0.0.1:1',
    '127.0.0.1.evil.example:4400',
    '[::1]:4400',
    '',
  ])('the name "%s" is refused', host => {
    expect(status({ host })).toBe(421)
  })

  test('its own names are answered, whatever their case', () => {
    expect(status(own)).toBeUndefined()
    expect(status({ host: 'LocalHost:4400' }, 'HEAD')).toBeUndefined()
    expect(status({})).toBe(421)
  })

  test.each([
    'null',
    'http://evil.example',
    'https://127.0.0.1:4400',
    'http://localhost:4400',
    'http://127.0.0.1:4401',
  ])('the origin %s is refused', origin => {
    expect(status({ ...own, origin })).toBe(403)
  })

  test('another site may only link to the page', () => {
    const from = (site: string, mode: string, dest: string) =>
      status({ ...own, 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest })
    expect(from('same-origin', 'cors', 'empty')).toBeUndefined()
    expect(from('none', 'navigate', 'document')).toBeUndefined()
    expect(from('cross-site', 'navigate', 'document')).toBeUndefined()
    expect(from('cross-site', 'navigate', 'iframe')).toBe(403)
    expect(from('cross-site', 'no-cors', 'script')).toBe(403)
    expect(from('same-site', 'cors', 'empty')).toBe(403)
  })
})

test('the policy allows its own files alone', () => {
  const policy = Object.fromEntries(
    SECURITY_HEADERS['Content-Security-Policy']!.split('; ').map(part => [
      part.split(' ')[0],
      part.split(' ').slice(1).join(' '),
    ]),
  )
  expect(policy['default-src']).toBe("'none'")
  expect(policy['frame-ancestors']).toBe("'none'")
  expect(policy['require-trusted-types-for']).toBe("'script'")
  for (const [name, value] of Object.entries(policy)) expect(["'none'", "'self'", "'script'"], name).toContain(value)
})
