import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { privateCacheFolder } from './compile-cache.ts'
import { type TemporaryFolder, temporaryFolder } from './test-support/temporary-repository.ts'

const isRoot = process.getuid?.() === 0

/** Returns a home folder with an existing cache folder, and the path of that cache folder. */
function homeWithCache(): TemporaryFolder & { cache: string } {
  const home = temporaryFolder()
  return { ...home, cache: privateCacheFolder({ HOME: home.path })! }
}

describe('the compile cache', () => {
  test('is a folder of mode 0700 in the cache folder of the user, and stays the same', () => {
    using home = temporaryFolder()
    const folder = privateCacheFolder({ HOME: home.path })
    expect(folder).toBe(join(home.path, '.cache', 'ticketplan', 'compile-cache'))
    for (const path of [folder!, join(folder!, '..')]) expect(lstatSync(path).mode & 0o777).toBe(0o700)
    expect(privateCacheFolder({ HOME: home.path })).toBe(folder)
  })

  test('is in XDG_CACHE_HOME where that is an absolute path', () => {
    using home = temporaryFolder()
    using cache = temporaryFolder()
    const folder = join(cache.path, 'ticketplan', 'compile-cache')
    expect(privateCacheFolder({ HOME: home.path, XDG_CACHE_HOME: cache.path })).toBe(folder)
    expect(readdirSync(home.path)).toEqual([])
    const ofHome = join(home.path, '.cache', 'ticketplan', 'compile-cache')
    expect(privateCacheFolder({ HOME: home.path, XDG_CACHE_HOME: 'relative' })).toBe(ofHome)
  })

  test('is in the folder that a linked ~/.cache points to', () => {
    using home = temporaryFolder()
    using disk = temporaryFolder()
    symlinkSync(disk.path, join(home.path, '.cache'))
    expect(privateCacheFolder({ HOME: home.path })).toBe(join(disk.path, 'ticketplan', 'compile-cache'))
  })

  test.each<NodeJS.ProcessEnv>([
    {},
    { HOME: '' },
    { HOME: '/no/such/folder' },
    { HOME: '/dev/null' },
  ])('is off with the environment %j', env => {
    expect(privateCacheFolder(env)).toBeNull()
  })

  test.each([
    ['the cache folder', ''],
    ['the folder above it', '..'],
  ])('is off where %s is a link, is open to others, or belongs to another user', (_, above) => {
    for (const mode of [0o770, 0o707, 0o755, 0o1777]) {
      using home = homeWithCache()
      chmodSync(join(home.cache, above), mode)
      expect(privateCacheFolder({ HOME: home.path }), mode.toString(8)).toBeNull()
    }
    {
      using home = homeWithCache()
      using elsewhere = temporaryFolder()
      const place = join(home.cache, above)
      rmSync(place, { recursive: true })
      symlinkSync(elsewhere.path, place)
      expect(privateCacheFolder({ HOME: home.path })).toBeNull()
      expect(readdirSync(elsewhere.path)).toEqual([])
    }
    if (!isRoot) return
    using home = homeWithCache()
    chownSync(join(home.cache, above), 65534, 65534)
    expect(privateCacheFolder({ HOME: home.path })).toBeNull()
  })

  test.each(['home', '.cache'])('is off where others can replace it, because %s is open to them', name => {
    for (const mode of [0o777, 0o775, 0o757]) {
      using folder = temporaryFolder()
      const home = join(folder.path, 'home')
      mkdirSync(join(home, '.cache'), { recursive: true })
      chmodSync(name === 'home' ? home : join(home, '.cache'), mode)
      expect(privateCacheFolder({ HOME: home }), mode.toString(8)).toBeNull()
      expect(existsSync(join(home, '.cache', 'ticketplan'))).toBe(false)
    }
  })

  test.runIf(isRoot)('is off where the home folder belongs to another user, as after sudo', () => {
    using home = temporaryFolder()
    chownSync(home.path, 65534, 65534)
    expect(privateCacheFolder({ HOME: home.path })).toBeNull()
  })
})
