import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryRepository } from '../test-support/temporary-repository.ts'
import { cookies } from './cookies.ts'
import { folderEvents } from './folder-events.ts'
import { CAN_RESIDE, createPlace, residentFolder } from './place.ts'

describe.skipIf(!CAN_RESIDE)('a cookie', () => {
  test('comes after the events of everything that was written before it, and is removed', async () => {
    using repository = temporaryRepository()
    const gitDir = join(repository.root, '.git')
    mkdirSync(join(gitDir, 'ticketplan'))
    const place = createPlace(gitDir)!
    const seen = new Set<string | null>()
    const events = folderEvents(
      (_, name) => seen.add(name),
      () => {},
    )
    events.add(repository.ticketsDir)
    const jar = cookies(place, residentFolder(gitDir), () => {})
    for (let round = 0; round < 5; round++) {
      const names = Array.from({ length: 500 }, (_, n) => `${round}-${n}.json`)
      for (const name of names) writeFileSync(join(repository.ticketsDir, name), '{}')
      expect(await jar.settle()).toBe(true)
      expect(names.filter(name => !seen.has(name))).toEqual([])
    }
    expect(readdirSync(residentFolder(gitDir))).toEqual([])
    jar.close()
    events.clear()
    place.close()
  })

  test('whose event does not come says so', async () => {
    using repository = temporaryRepository()
    const gitDir = join(repository.root, '.git')
    mkdirSync(join(gitDir, 'ticketplan'))
    const place = createPlace(gitDir)!
    const jar = cookies(place, residentFolder(gitDir), () => {})
    jar.close()
    expect(await jar.settle()).toBe(false)
    place.close()
  })
})
