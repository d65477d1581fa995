import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openPlan, type Plan } from '../index.ts'
import { openStore, type Store } from '../store/store.ts'
import { putTicket, replaceTicket, temporaryRepository } from '../test-support/temporary-repository.ts'
import { until } from '../test-support/until.ts'
import { parseInput } from './operation.ts'
import { type Waited, type WaitInput, waitCommand, waitFor } from './wait.ts'

interface World {
  root: string
  /** Another process's view of the plan. */
  other: Plan
  wait(input: Partial<WaitInput>): {
    result: Promise<Waited | undefined>
    stop(): void
    isWaiting(): boolean
    isDone(): boolean
  }
}

async function withTickets(use: (world: World) => Promise<void>, now?: () => number): Promise<void> {
  using repository = temporaryRepository()
  const { root } = repository
  for (const id of ['A', 'B']) putTicket(root, id, { state: 'queued' })
  using other = openPlan({ root, actor: 'other', ...(now && { now }) })
  const store: Store = openStore({ root, actor: 'tester', ...(now && { now }) })
  try {
    await use({ root, other, wait: input => startWait(store, input) })
  } finally {
    store.close()
  }
}

function startWait(store: Store, input: Partial<WaitInput>): ReturnType<World['wait']> {
  const stopping = new AbortController()
  let isWaiting = false
  let isDone = false
  const onWaiting = () => {
    isWaiting = true
  }
  const parsed = parseInput(waitCommand, { tickets: ['A'], ...input })
  const result = waitFor(store, parsed, { signal: stopping.signal, onWaiting }).finally(() => {
    isDone = true
  })
  return { result, stop: () => stopping.abort(), isWaiting: () => isWaiting, isDone: () => isDone }
}

describe('waits until a Ticket', () => {
  test('can be accepted: another process ends what blocks it', async () => {
    await withTickets(async ({ other, wait }) => {
      other.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
      const { result, isWaiting } = wait({})
      await until('it waits', isWaiting)
      other.set({ ticket: 'B', state: 'done' })
      expect(await result).toMatchObject({ met: true, tickets: [{ ticket: { id: 'A' }, met: true, reasons: [] }] })
    })
  })

  test('is terminal: the file changes by hand', async () => {
    await withTickets(async ({ root, wait }) => {
      const { result, isWaiting } = wait({ until: 'terminal' })
      await until('it waits', isWaiting)
      replaceTicket(root, 'A', { state: 'done' })
      expect(await result).toMatchObject({ met: true, until: 'terminal', tickets: [{ ticket: { state: 'done' } }] })
    })
  })

  test('is released, which no file shows', async () => {
    await withTickets(async ({ other, wait }) => {
      const { claim } = other.claim({ ticket: 'A', holder: 'pod-1' })
      const { result, isWaiting } = wait({ until: 'released' })
      await until('it waits', isWaiting)
      other.release({ ticket: 'A', token: claim!.token! })
      expect(await result).toMatchObject({ met: true, tickets: [{ claim: null }] })
    })
  })

  test('has a claim that expires, although nothing is written', async () => {
    let nowMs = Date.parse('2026-06-08T12:00:00Z')
    await withTickets(
      async ({ other, wait }) => {
        other.claim({ ticket: 'A', holder: 'pod-1', ttl: 600 })
        const { result, isWaiting } = wait({ until: 'accept' })
        await until('it waits', isWaiting)
        nowMs += 601_000
        expect(await result).toMatchObject({ met: true })
      },
      () => nowMs,
    )
  })

  test('has a hold whose time comes', async () => {
    let nowMs = Date.parse('2026-06-08T12:00:00Z')
    await withTickets(
      async ({ other, wait }) => {
        other.record({ ticket: 'A', kind: 'hold', notBefore: '2026-06-09' })
        const { result, isWaiting } = wait({})
        await until('it waits', isWaiting)
        nowMs = Date.parse('2026-06-09T00:00:01Z')
        expect(await result).toMatchObject({ met: true })
      },
      () => nowMs,
    )
  })
})

test('all Tickets by default, or any of them', async () => {
  await withTickets(async ({ other, wait }) => {
    const all = wait({ tickets: ['A', 'B', 'A'], until: 'terminal' })
    const any = wait({ tickets: ['A', 'B'], until: 'terminal', any: true })
    await until('both wait', () => all.isWaiting() && any.isWaiting())
    other.set({ ticket: 'B', state: 'done' })
    expect((await any.result)!.tickets.map(({ met }) => met)).toEqual([false, true])
    expect(all.isDone()).toBe(false)
    other.set({ ticket: 'A', state: 'cancelled' })
    expect((await all.result)!.tickets.map(({ ticket }) => ticket.id)).toEqual(['A', 'B'])
  })
})

test('a time-out answers with what holds each Ticket; 0 asks once', async () => {
  await withTickets(async ({ other, wait }) => {
    other.record({ ticket: 'A', kind: 'blocked_by', other: 'B' })
    for (const timeout of [0, 0.05]) {
      const expected = { met: false, tickets: [{ met: false, total: 1, reasons: [{ code: 'blocked_by' }] }] }
      expect(await wait({ timeout }).result).toMatchObject(expected)
    }
  })
})

test('a condition that is true already needs no watch', async () => {
  await withTickets(async ({ wait }) => {
    const { result, isWaiting } = wait({})
    expect(await result).toMatchObject({ met: true })
    expect(isWaiting()).toBe(false)
  })
})

test('an aborted wait has no answer, and a Ticket that does not exist is an error at once', async () => {
  await withTickets(async ({ wait }) => {
    const { result, stop, isWaiting } = wait({ until: 'terminal' })
    await until('it waits', isWaiting)
    stop()
    expect(await result).toBeUndefined()
    await expect(wait({ tickets: ['nobody'] }).result).rejects.toMatchObject({ code: 'unknown_ticket' })
  })
})

test('goes on while a branch without Tickets is checked out', async () => {
  await withTickets(async ({ root, other, wait }) => {
    const { renameSync } = process.getBuiltinModule('node:fs')
    const { result, isWaiting } = wait({ until: 'terminal' })
    await until('it waits', isWaiting)
    renameSync(join(root, 'tickets'), join(root, 'elsewhere'))
    expect(() => other.queue()).toThrow()
    renameSync(join(root, 'elsewhere'), join(root, 'tickets'))
    writeFileSync(join(root, 'README'), 'x')
    other.set({ ticket: 'A', state: 'done' })
    expect(await result).toMatchObject({ met: true })
  })
})
