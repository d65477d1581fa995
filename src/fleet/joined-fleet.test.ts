import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findRepository } from '../files/repository.ts'
import { planErrorOf } from '../test-support/plan-error-of.ts'
import { temporaryFolder, temporaryRepository } from '../test-support/temporary-repository.ts'
import { fleetState, type JoinedFleet, removeJoined, writeJoined } from './joined-fleet.ts'

const FLEET = 'shop-01JX8ZQ4M6T2V9W3B5N7C1D8EF'
const JOINED: JoinedFleet = {
  fleet: FLEET,
  machine: '0123456789abcdef0123',
  server: { host: 'db.example.org', port: 5432, database: 'plans', user: 'kim' },
  parameters: { sslmode: 'verify-full' },
}

describe.each([{ git: true }, { git: false }])('the note of a clone (%o)', options => {
  test('is none at first, then what was joined, then none again', () => {
    using repository = temporaryRepository(options)
    const find = () => findRepository(repository.root)
    expect(fleetState(find())).toEqual({ status: 'none' })
    writeFileSync(join(repository.root, 'ticketplan.json'), JSON.stringify({ fleet: FLEET }))
    expect(fleetState(find())).toEqual({ status: 'not_joined', fleet: FLEET })
    writeJoined(find(), JOINED)
    expect(fleetState(find())).toEqual({ status: 'joined', ...JOINED })
    writeFileSync(join(repository.root, 'ticketplan.json'), '{}') // a branch that names no fleet
    expect(fleetState(find())).toEqual({ status: 'joined', ...JOINED })
    removeJoined(find())
    expect(fleetState(find())).toEqual({ status: 'none' })
  })

  test('does not count in a copy of the clone', () => {
    using repository = temporaryRepository(options)
    using folder = temporaryFolder()
    writeJoined(findRepository(repository.root), JOINED)
    const copy = join(folder.path, 'copy')
    cpSync(repository.root, copy, { recursive: true })
    expect(readFileSync(join(copy, options.git ? '.git/ticketplan' : '.ticketplan', 'fleet.json'), 'utf8')).toContain(
      FLEET,
    )
    expect(fleetState(findRepository(copy))).toEqual({ status: 'none' })
  })

  test.each([
    '',
    '{',
    '[]',
    '{"fleet":"shop"}',
    JSON.stringify({ ...JOINED, machine: 1 }),
  ])('that is damaged is an error: %j', text => {
    using repository = temporaryRepository(options)
    writeJoined(findRepository(repository.root), JOINED)
    const path = join(repository.databaseDir, 'fleet.json')
    writeFileSync(path, text)
    expect(planErrorOf(() => fleetState(findRepository(repository.root)))).toMatchObject({ code: 'io', data: { path } })
  })

  test('is not written or read through a link', () => {
    using repository = temporaryRepository(options)
    using folder = temporaryFolder()
    const target = join(folder.path, 'target')
    writeFileSync(target, 'kept')
    writeJoined(findRepository(repository.root), JOINED)
    removeJoined(findRepository(repository.root))
    symlinkSync(target, join(repository.databaseDir, 'fleet.json'))
    const find = () => findRepository(repository.root)
    expect(planErrorOf(() => fleetState(find())).code).toBe('unsafe_path')
    expect(planErrorOf(() => writeJoined(find(), JOINED)).code).toBe('unsafe_path')
    expect(readFileSync(target, 'utf8')).toBe('kept')
  })
})
