import { cpSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { encodeTicket } from '../model/canonical-json.ts'
import { makeNote, makeTicket, putTicket, replaceTicket, runGit } from '../test-support/temporary-repository.ts'
import { until } from '../test-support/until.ts'
import { untilEmitted, whileWatching } from '../test-support/watched-plan.ts'

describe('watch survives', () => {
  test('twenty replacements in 100 ms', () =>
    whileWatching(async world => {
      for (let round = 0; round < 3; round++) {
        for (let number = 0; number < 20; number++) {
          replaceTicket(world.root, 'A', { state: 'queued', decisions: [makeNote(`${number}`)] })
          await sleep(5)
        }
        await untilEmitted(world)
      }
    }))

  test('the folder removed and created again', () =>
    whileWatching(async world => {
      const { root, repository, replay, notices } = world
      for (let round = 0; round < 3; round++) {
        rmSync(repository.ticketsDir, { recursive: true })
        await until('it is reported', () => notices.length > round)
        expect(notices[round]).toContain('no tickets folder')
        putTicket(root, 'A', { decisions: [makeNote('x')] })
        putTicket(root, 'D', { state: 'queued' }, 'sub')
        await untilEmitted(world)
        // Events of the new folder arrive too.
        const before = replay.events.length
        await sleep(600) // the scans after the burst
        putTicket(root, 'A', { decisions: [makeNote('y')] })
        await until('it is emitted', () => replay.events.length > before)
        await untilEmitted(world)
      }
      expect(notices).toHaveLength(3)
    }, 1000))

  test('the folder removed and created again before a scan', () =>
    whileWatching(async world => {
      for (let round = 0; round < 5; round++) {
        rmSync(world.repository.ticketsDir, { recursive: true })
        putTicket(world.root, 'A', { state: 'queued', decisions: [makeNote('x')] })
        await untilEmitted(world)
        const before = world.replay.events.length
        putTicket(world.root, 'A', { state: 'queued', decisions: [makeNote('y')] })
        await until('it is emitted', () => world.replay.events.length > before)
      }
    }, 1000))

  test('folders that are added later', () =>
    whileWatching(async world => {
      for (const folder of ['one', 'one/two', 'three']) {
        putTicket(world.root, folder.replace('/', '-'), {}, folder)
        await untilEmitted(world)
        await sleep(600) // the scans after the burst
        putTicket(world.root, folder.replace('/', '-'), { decisions: [makeNote('x')] }, folder)
        await untilEmitted(world)
      }
    }))

  test('a configuration with another tickets folder', () =>
    whileWatching(async world => {
      const { root, repository } = world
      await untilEmitted(world)
      cpSync(repository.ticketsDir, join(root, 'plans'), { recursive: true })
      writeFileSync(join(root, 'plans/A.json'), encodeTicket(makeTicket('A', { decisions: [makeNote('x')] })))
      writeFileSync(join(root, 'ticketplan.json'), '{"ticketsDir":"plans"}')
      await untilEmitted(world)
      writeFileSync(join(root, 'plans/B.json'), encodeTicket(makeTicket('B', { decisions: [makeNote('x')] })))
      await untilEmitted(world)
      expect(world.notices).toEqual([])
    }, 300))

  test('branch switches', () =>
    whileWatching(async world => {
      const { root } = world
      const commit = (...branch: string[]) => {
        if (branch.length) runGit(root, 'checkout', '--quiet', ...branch)
        runGit(root, 'add', '--all')
        runGit(root, 'commit', '--quiet', '--allow-empty', '--message=x')
      }
      for (let number = 0; number < 100; number++) putTicket(root, `T-${number}`, { decisions: [makeNote('main')] })
      commit()
      runGit(root, 'checkout', '--quiet', '-b', 'side')
      for (let number = 50; number < 150; number++) putTicket(root, `T-${number}`, { decisions: [makeNote('side')] })
      rmSync(join(root, 'tickets/B.json'))
      commit()
      await untilEmitted(world)
      for (const branch of ['main', 'side', 'main', 'side', 'main']) {
        runGit(root, 'checkout', '--quiet', branch)
        await untilEmitted(world)
      }
    }))

  test('a write with the same size and a restored mtime', () =>
    whileWatching(async world => {
      const path = join(world.root, 'tickets/A.json')
      for (const state of ['parked', 'queued', 'parked', 'queued']) {
        await sleep(120) // else the file is racy, and read again anyway
        const { size, atime, mtime } = statSync(path)
        putTicket(world.root, 'A', { state })
        utimesSync(path, atime, mtime)
        expect(statSync(path)).toMatchObject({ size, mtime })
        expect(world.plan.consult('A').ticket.state).toBe(state)
        await until('it is emitted', () => world.replay.verdicts().A === (state === 'queued' ? 'accept' : undefined))
      }
    }))

  test('a listener that closes it: no further event', () =>
    whileWatching(async ({ root, plan }) => {
      const seen: string[] = []
      const watching = plan.watch(({ ticket }) => {
        seen.push(ticket!)
        watching.close()
      })
      for (const id of ['X', 'Y', 'Z']) putTicket(root, id)
      await until('one event is emitted', () => seen.length > 0)
      await sleep(200)
      expect(seen).toEqual(['X'])
    }))

  test('a scan that fails: reported once, tried again', () =>
    whileWatching(async world => {
      const { root, repository, notices } = world
      renameSync(repository.ticketsDir, `${repository.ticketsDir}.away`)
      writeFileSync(repository.ticketsDir, 'a file in its place')
      await until('it is reported', () => notices.length > 0)
      await sleep(500)
      expect(notices).toEqual([
        expect.stringMatching(/^a scan of the Ticket files failed: .*is a link or not a folder.*; the watch goes on/),
      ])
      rmSync(repository.ticketsDir)
      renameSync(`${repository.ticketsDir}.away`, repository.ticketsDir)
      putTicket(root, 'A', { decisions: [makeNote('x')] })
      await untilEmitted(world)
    }, 50))
})
