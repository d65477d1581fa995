import { describe, expect, test } from 'vitest'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { isSameServer, parseServerUrl, serverName } from './server-url.ts'

const address = (text: string) => parseServerUrl(text, 'TICKETPLAN_FLEET_URL').address

describe('the URL of a server', () => {
  test('has host, port, database, user, password and how to encrypt', () => {
    expect(parseServerUrl('postgres://kim:p%40ss@db.example.org:6432/plans?sslmode=verify-full', 'x')).toEqual({
      address: { host: 'db.example.org', port: 6432, database: 'plans', user: 'kim' },
      password: 'p@ss',
      parameters: { sslmode: 'verify-full' },
    })
    expect(parseServerUrl('postgresql://kim@db/plans?password=secret&sslrootcert=/etc/ca.pem', 'x')).toMatchObject({
      password: 'secret',
      parameters: { sslrootcert: '/etc/ca.pem' },
    })
  })

  test('may name an IPv6 address or the folder of a socket', () => {
    expect(address('postgres://kim@[::1]:5433/plans')).toMatchObject({ host: '::1', port: 5433 })
    expect(serverName(address('postgres://kim@[::1]:5433/plans'))).toBe('[::1]:5433, database plans, user kim')
    expect(address('postgres://kim@/plans?host=/run/postgresql')).toMatchObject({
      host: '/run/postgresql',
      user: 'kim',
    })
  })

  test.each([
    ['another protocol', 'mysql://kim:hunter2@db/plans', /not a URL of PostgreSQL/],
    ['the other form of libpq', 'host=db password=hunter2', /not a URL of PostgreSQL/],
    ['several hosts', 'postgres://kim:hunter2@one,two/plans', /several hosts/],
    ['no host', 'postgres:///plans?password=hunter2', /no host/],
    ['a port that is none', 'postgres://kim:hunter2@db/plans?port=x', /port is not a number/],
    ['an unknown parameter', 'postgres://kim:hunter2@db/plans?options=-cx', /unknown parameter "options"/],
    ['an unknown sslmode', 'postgres://kim@db/plans?sslmode=hunter2', /unknown sslmode/],
    ['a broken escape', 'postgres://kim:hunter2%@db/plans', /%25/],
    ['a control character', 'postgres://kim:hunter2@db/pl%0Aans', /control character/],
  ])('with %s is refused, and no message shows the password', (_, text, message) => {
    const error = planErrorOf(() => parseServerUrl(text, 'TICKETPLAN_FLEET_URL'))
    expect(error).toMatchObject({ code: 'fleet_url', data: { source: 'TICKETPLAN_FLEET_URL' } })
    expect(error.message).toMatch(message)
    expect(JSON.stringify([error.message, error.stack, error.data, error.cause])).not.toContain('hunter2')
  })

  test('names the same server for every user', () => {
    const one = address('postgres://kim@db/plans')
    expect(isSameServer(one, address('postgres://ana@db:5432/plans?sslmode=require'))).toBe(true)
    expect(isSameServer(one, address('postgres://kim@db/other'))).toBe(false)
  })
})
