import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { serverError } from './server-error.ts'

const ADDRESS = { host: 'db.example.org', port: 5432, database: 'plans', user: 'kim' }

test('no error of the system is taken for a word of the server, which asking again cannot change', () => {
  const codes = [...Object.keys(constants.errno), 'ENOTFOUND', 'EAI_AGAIN']
  expect(codes).toContain('EPIPE')
  const taken = codes.filter(code => {
    const error = Object.assign(new Error(`write ${code}`), { code, syscall: 'write' })
    return serverError(error, ADDRESS) !== undefined
  })
  expect(taken).toEqual([])
})
