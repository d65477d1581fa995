import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nameOfRun, readCode, writeCode } from './program-loader.ts'
import { temporaryFolder } from './test-support/temporary-repository.ts'

const LOADER = join(import.meta.dirname, 'program-loader.ts')

/** Returns a program in a home folder of its own: `run` runs it with a name and an exit status, `files` lists the kept code. */
function programIn(home: string) {
  const bundle = join(home, 'bundle.cjs')
  const entry = join(home, 'entry.mjs')
  const cache = join(home, '.cache', 'ticketplan', 'compile-cache')
  const write = (answer: string) =>
    writeFileSync(
      bundle,
      `(function (exports, require, module, __filename) {
       exports.answer = isDeep => isDeep ? deep() : '${answer}' + __filename.length
       function deep() { ${Array.from({ length: 100 }, (_, n) => `if (Math.random() > ${n + 1}) return 'number ${n}'`).join('\n')} }
       })`,
    )
  write('one')
  writeFileSync(
    entry,
    `import { loadProgram } from ${JSON.stringify(LOADER)}
     const [, , name, status] = process.argv
     console.log(loadProgram(${JSON.stringify(bundle)}, name || null).answer(name === 'deep'))
     process.exitCode = Number(status)`,
  )
  return {
    write,
    cache,
    run: (name: string, status = 0, env: NodeJS.ProcessEnv = {}) => {
      const { PATH } = process.env
      const run = spawnSync(process.execPath, [entry, name, String(status)], {
        env: { PATH, HOME: home, ...env },
        encoding: 'utf8',
      })
      expect(run).toMatchObject({ status, stderr: '' })
      return run.stdout.trim().replace(/\d+$/, '')
    },
    files: () => {
      try {
        return readdirSync(cache).filter(name => !name.startsWith('v'))
      } catch {
        return []
      }
    },
  }
}

describe('compiled code', () => {
  test('of a run is used by the next run of the same name, and by no other', () => {
    using home = temporaryFolder()
    const program = programIn(home.path)
    expect(program.run('consult')).toBe('one')
    const [file] = program.files()
    expect(file).toMatch(/^consult-v/)
    const kept = statSync(join(program.cache, file!))
    expect(kept.mode & 0o777).toBe(0o600)
    expect(program.run('consult')).toBe('one')
    expect(statSync(join(program.cache, file!)).mtimeMs).toBe(kept.mtimeMs) // it was used, or it would be written again
    program.run('queue')
    expect(program.files().map(name => name.split('-')[0])).toEqual(['consult', 'queue'])
  })

  test('has the functions that ran, which Node compiles when they are called first', () => {
    using home = temporaryFolder()
    const program = programIn(home.path)
    program.run('shallow')
    program.run('deep')
    const [deep, shallow] = program.files().map(name => readCode(join(program.cache, name))!.length)
    expect(deep).toBeGreaterThan(shallow! + 1000)
  })

  test('that is damaged anywhere is not used, and is replaced', () => {
    using home = temporaryFolder()
    const program = programIn(home.path)
    program.run('consult')
    const file = join(program.cache, program.files()[0]!)
    const whole = readFileSync(file)
    const damages = [0, 20, 100, 0.3, 0.7].map(place => (place < 1 ? Math.floor(place * whole.length) : place))
    for (const damaged of [
      ...damages.map(place => whole.with(place, whole[place]! ^ 0xff)),
      whole.subarray(0, whole.length / 2),
      whole.subarray(1),
      Buffer.alloc(0),
      Buffer.alloc(whole.length),
    ]) {
      writeFileSync(file, damaged)
      expect(program.run('consult')).toBe('one')
      expect(readCode(file)).toBeDefined()
      expect(readFileSync(file).equals(damaged)).toBe(false)
    }
  })

  test('of another bundle of the same length is not used', () => {
    using home = temporaryFolder()
    const program = programIn(home.path)
    program.run('consult')
    program.write('two')
    expect(program.run('consult')).toBe('two')
  })

  test('is not kept after a failure, without a name, without a private folder, and where Node keeps none', () => {
    using home = temporaryFolder()
    const program = programIn(home.path)
    program.run('consult', 1)
    program.run('')
    program.run('consult', 0, { NODE_DISABLE_COMPILE_CACHE: '1' })
    expect(program.files()).toEqual([])
    chmodSync(program.cache, 0o777)
    expect(program.run('consult')).toBe('one')
    expect(program.files()).toEqual([])
    chmodSync(program.cache, 0o700)
    program.run('consult', 3)
    expect(program.files()).toHaveLength(1)
  })

  test('is kept for four versions of a command', () => {
    using folder = temporaryFolder()
    const names = ['merge-v22-1', 'merge-v22-2', 'merge-v24-3', 'merge-v24-4', 'merge-v24-5', 'merge-driver-v22-1']
    for (const [position, name] of names.entries()) {
      writeFileSync(join(folder.path, name), 'code')
      const time = new Date(Date.now() - 60_000 + position)
      utimesSync(join(folder.path, name), time, time)
    }
    writeCode(join(folder.path, 'merge-v24-6'), Buffer.from('code'))
    const kept = ['merge-driver-v22-1', 'merge-v24-3', 'merge-v24-4', 'merge-v24-5', 'merge-v24-6']
    expect(readdirSync(folder.path).sort()).toEqual(kept)
  })

  test('of old versions is removed after a month', () => {
    using folder = temporaryFolder()
    const path = (name: string) => join(folder.path, name)
    for (const [name, days] of [
      ['old', 31],
      ['young', 29],
    ] as const) {
      writeFileSync(path(name), 'code')
      const time = new Date(Date.now() - days * 24 * 3600 * 1000)
      utimesSync(path(name), time, time)
    }
    writeCode(path('new'), Buffer.from('code'))
    expect(readdirSync(folder.path).sort()).toEqual(['new', 'young'])
    expect(readCode(path('new'))).toEqual(Buffer.from('code'))
    writeCode(join(folder.path, 'gone', 'new'), Buffer.from('code')) // it cannot be written: nothing is thrown
  })
})

test.each([
  [['consult', 'A-1', '--json'], 'consult'],
  [['-C', 'queue', '--actor', 'list', '--json', 'accept', '--next'], 'accept'],
  [['-C=dir', '--actor=me', 'merge-driver'], 'merge-driver'],
  [['__complete', 'fish', '--help'], 'help'],
  [['keep', 'A-1', '--', 'make', '--help'], 'keep'],
  [['consult', '-h'], 'help'],
  [['--version'], null],
  [['../consult'], null],
  [['Consult'], null],
  [['--', 'consult'], null],
  [[], null],
])('the run of %j has the name %j', (args, name) => {
  expect(nameOfRun(args)).toBe(name)
})
