import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../test-support/temporary-repository.ts'
import { localDatabase } from './local-database.ts'
import { connect } from './open.ts'

const busy = expect.objectContaining({ code: 'busy' })

describe('the write lock', () => {
  it('is taken by one at a time, and free again after success and after failure', () => {
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

  it('keeps what the action wrote if it succeeds, and nothing of it if it fails', () => {
    using folder = temporaryFolder()
    const local = localDatabase(join(folder.path, 'local.db'), 20)
    const insert = (holder: string) =>
      local.locked(connection =>
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
    expect(local.reader()!.prepare('select holder from claim_log').pluck().all()).toEqual(['kept'])
    local.close()
  })

  it('is that of the file which has the name now', () => {
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

  it('waits while another process makes the database, rather than failing at once', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'local.db')
    const maker = new Database(path)
    maker.exec('begin immediate') // before the file is in WAL mode, as when two processes open a new one
    const startedAt = performance.now()
    expect(() => connect(path, 'local', 200)).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }))
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(200)
    const local = localDatabase(path, 20)
    expect(() => local.locked(() => 'never')).toThrow(busy)
    maker.exec('rollback')
    maker.close()
    expect(local.locked(() => 'mine')).toBe('mine')
    local.close()
  })

  it('leaves a file of another program or of a later version alone', () => {
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
      expect(() => local.reader()).toThrow(expect.objectContaining({ code: 'database' }))
      expect(schema()).toEqual(before)
      other.close()
    }
  })

  it('has nothing to read while there is no file, and makes none by looking', () => {
    using folder = temporaryFolder()
    const databases = join(folder.path, 'ticketplan')
    const local = localDatabase(join(databases, 'local.db'), 20)
    expect(local.reader()).toBeUndefined()
    expect(() => mkdirSync(databases)).not.toThrow()
  })
})
