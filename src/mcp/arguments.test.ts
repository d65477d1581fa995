import { describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { argumentsFrom } from './arguments.ts'

const fields = {
  ticket: { schema: z.string(), help: '' },
  kind: { schema: z.enum(['note', 'after']), help: '' },
  reason: { schema: z.optional(z.string()), help: '' },
  token: { schema: z.optional(z.int()), help: '' },
  ttl: { schema: z.optional(z.number()), help: '' },
  force: { schema: z._default(z.boolean(), false), help: '' },
  until: { schema: z.optional(z.array(z.string())), help: '' },
}

describe('arguments as clients send them', () => {
  test.each([
    [{ token: '600' }, { token: 600 }],
    [{ token: ' 600 ' }, { token: 600 }],
    [{ ttl: '1.5' }, { ttl: 1.5 }],
    [{ force: 'true' }, { force: true }],
    [{ force: 'False' }, { force: false }],
    [{ until: '["T-1","T-2"]' }, { until: ['T-1', 'T-2'] }],
    [{ until: '[1, 2]' }, { until: ['1', '2'] }],
    [{ until: 'T-1, T-3' }, { until: ['T-1', 'T-3'] }],
    [{ until: 'T-1' }, { until: ['T-1'] }],
    [{ until: '17' }, { until: ['17'] }],
    [{ until: 17 }, { until: ['17'] }],
    [{ ticket: 17 }, { ticket: '17' }],
    [{ reason: null, token: null, force: null, until: null }, {}],
    [null, {}],
    [undefined, {}],
  ])('%j is read as %j', (given, expected) => {
    expect(argumentsFrom(fields, given)).toEqual(expected)
  })

  test.each([
    { ticket: '17', reason: '600' },
    { reason: 'true' },
    { reason: '["a"]' },
    { reason: 'null' },
    { reason: '' },
    { token: 5, ttl: 5, force: true, until: ['17'] },
  ])('%j is not changed: it fits', given => {
    expect(argumentsFrom(fields, given)).toEqual(given)
  })

  test.each([
    { token: '' },
    { token: '1e3' },
    { token: '0x10' },
    { token: '1.5' },
    { token: 'six' },
    { force: 'yes' },
    { force: '1' },
    { force: 1 },
    { until: '["T-1"' },
    { until: 'T-1,,T-2' },
    { until: '{"a":1}' },
    { kind: 'nonsense' },
    { unknown: null },
    { unknown: '5' },
  ])('%j is left as it is, to be refused', given => {
    expect(argumentsFrom(fields, given)).toEqual(given)
  })

  test.each(['text', 5, [1], true])('%j is left as it is: it is no object', given => {
    expect(argumentsFrom(fields, given)).toBe(given)
  })
})
