import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { firstIssue } from './first-issue.ts'

test.each<[z.ZodMiniType, unknown, string]>([
  [z.string().check(z.maxLength(3)), 'abcd', 'must be at most 3 characters long'],
  [z.number().check(z.lte(3)), 4, 'must be at most 3'],
  [z.literal(1), '1', 'must be the number 1'],
  [z.enum(['queued', 'done']), 'qeued', 'must be one of queued, done; did you mean queued?'],
  [z.array(z.string()).check(z.minLength(1)), [], 'must not be empty'],
  [z.boolean(), 'x', 'must be true or false'],
])('the message for a value that does not fit, for people', (schema, value, message) => {
  expect(firstIssue(schema, value)!.message).toBe(message)
})
