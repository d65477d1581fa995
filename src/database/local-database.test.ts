import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import { localDatabase } from './local-database.ts'
import { connect } from './open.ts'

const busy = expect.objectContaining({ code: 'busy' })

describe('the write lock', () => {
  it('has one holder at a time, and is free again after success and after failure', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'local.db')
    const [one, two] = [localDatabase(path, 20), localDatabase(path, 20)]
    one.locked(() => {
      expect(() => two.locked(() => 'never')).toThrow(busy)
      expect(one.locked(() => 'within')).toBe('within')
    })
    expect(two.locked(() => 'two')).toBe('two')
    const failing = () =>
      two.locked(() => {
        throw new RangeError('mine')
      })
    expect(failing).toThrow(RangeError)
    expect(one.locked(() => 'one')).toBe('one')
    one.close()
    two.close()
  })

  it('commits what the action wrote where it returns, and nothing of it where it throws', () => {
    using folder = temporaryFolder()
    const local = localDatabase(join(folder.path, 'local.db'), 20)
    const insert = (holder: string) =>
      local.write(connection =>
        connection
          .prepare("insert into claim_log (at, action, ticket_id, holder, token) values ('', 'acquired', 'A', ?, 1)")
          .run(holder),
      )
    insert('kept')
    const failing = () =>
      local.locked(() => {
        insert('lost')
        throw new RangeError('mine')
      })
    expect(failing).toThrow(RangeError)
    const holders = local.read(connection => connection!.prepare('select holder from claim_log').pluck().all())
    expect(holders).toEqual(['kept'])
    local.close()
  })

  it('belongs to the file that has the name now', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'local.db')
    const [one, two] = [localDatabase(path, 20), localDatabase(path, 20)]
    one.locked(() => {})
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    two.locked(() => expect(() => one.locked(() => 'never')).toThrow(busy))
    expect(one.locked(() => 'one')).toBe('one')
    one.close()
    two.close()
  })

  it('waits while another process creates the database', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'local.db')
    const creator = new Database(path)
    creator.exec('begin immediate') // before the file is in WAL mode, as when two processes open a new one
    const startedAt = performance.now()
    expect(() => connect(path, 'index', 200)).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }))
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(200)
    const local = localDatabase(path, 20)
    expect(() => local.locked(() => 'never')).toThrow(busy)
    creator.exec('rollback')
    creator.close()
    expect(local.locked(() => 'mine')).toBe('mine')
    local.close()
  })

  it('does not change a file of another program or of a later version', () => {
    using folder = temporaryFolder()
    for (const [name, statement] of [
      ['foreign.db', "create table shopping as select 'milk' as what"],
      ['later.db', `pragma application_id = ${0x746b706c}; pragma user_version = 99; create table claims (x)`],
    ] as const) {
      const path = join(folder.path, name)
      const other = new Database(path)
      other.exec(statement)
      const schema = () => other.prepare('select sql from sqlite_master').all()
      const before = schema()
      const local = localDatabase(path, 20)
      expect(() => local.locked(() => 'never')).toThrow(expect.objectContaining({ code: 'database' }))
      expect(() => local.read(() => 'never')).toThrow(expect.objectContaining({ code: 'database' }))
      expect(schema()).toEqual(before)
      other.close()
    }
  })

  it('passes on the error of another database unchanged, and does not check local.db for damage', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'local.db')
    const local = localDatabase(path, 20)
    const other = new Database(':memory:')
    const failing = () => local.locked(() => other.exec('select * from nowhere'))
    expect(failing).toThrow(expect.objectContaining({ name: 'SqliteError', code: 'SQLITE_ERROR' }))
    expect(existsSync(`${path}.repair-lock`)).toBe(false)
    expect(local.locked(() => 'free')).toBe('free')
  })

  it('names local.db in the error of a statement on it, and checks it for damage', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'local.db')
    const local = localDatabase(path, 20)
    const failing = () => local.write(connection => connection.exec('select * from nowhere'))
    expect(failing).toThrow(expect.objectContaining({ code: 'database', data: { path, sqliteCode: 'SQLITE_ERROR' } }))
    expect(existsSync(`${path}.repair-lock`)).toBe(true)
    expect(existsSync(`${path}.damaged-1`)).toBe(false)
    expect(local.locked(() => 'free')).toBe('free')
  })

  it('reads nothing while there is no file, and creates none by reading', () => {
    using folder = temporaryFolder()
    const databases = join(folder.path, 'ticketplan')
    const local = localDatabase(join(databases, 'local.db'), 20)
    expect(local.read(connection => connection)).toBeUndefined()
    expect(() => mkdirSync(databases)).not.toThrow()
  })
})
