/** A plan whose answers are checked against the output schemas of their operations, with a clock that the test sets. */
import { expect } from 'vitest'
import type { Operation } from '../operations/operation.ts'
import { type OperationName, operations } from '../operations/registry.ts'
import { type ConnectedPlan, connectPlan, openPlan, type Plan } from '../sdk.ts'
import type { OpenOptions } from '../store/store.ts'

export interface TestClock {
  nowMs: number
}

export function testClock(start = '2026-06-08T12:00:00.000Z'): TestClock {
  return { nowMs: Date.parse(start) }
}

/** Opens a plan of "tester". Each call advances the clock by a second. */
export function checkedPlan(root: string, clock: TestClock = testClock(), options: OpenOptions = {}): Plan {
  const plan = openPlan({ root, actor: 'tester', now: () => clock.nowMs, ...options })
  const methods: Record<string, unknown> = { ...plan }
  for (const name of Object.keys(operations) as OperationName[]) {
    const operation = operations[name] as unknown as Operation
    const method = plan[name] as (input?: unknown) => unknown
    methods[name] = (input?: unknown) => {
      clock.nowMs += 1000
      return checked(name, operation, method(input))
    }
  }
  return Object.assign(methods, { [Symbol.dispose]: () => plan.close() }) as unknown as Plan
}

/** Opens a plan of "tester" with methods that return promises. Each call advances the clock by a second, then calls `onTick`. */
export async function checkedConnectedPlan(
  root: string,
  clock: TestClock,
  onTick: () => Promise<void> = async () => {},
): Promise<ConnectedPlan> {
  const plan = await connectPlan({ root, actor: 'tester', now: () => clock.nowMs })
  const methods: Record<string, unknown> = { ...plan }
  for (const name of Object.keys(operations) as OperationName[]) {
    const operation = operations[name] as unknown as Operation
    const method = plan[name] as (input?: unknown) => Promise<unknown>
    methods[name] = async (input?: unknown) => {
      clock.nowMs += 1000
      await onTick()
      return checked(name, operation, await method(input))
    }
  }
  return Object.assign(methods, { [Symbol.asyncDispose]: () => plan.close() }) as unknown as ConnectedPlan
}

/** Returns the output; fails where it does not fit its schema. */
function checked(name: string, operation: Operation, output: unknown): unknown {
  // A program gets the document after JSON.
  const document = JSON.parse(JSON.stringify(output))
  const parsed = operation.output().safeParse(document)
  if (!parsed.success) throw new Error(`${name}: ${JSON.stringify(parsed.error.issues)}`)
  expect(parsed.data, `${name} returns fields that are not in its schema`).toEqual(document)
  return output
}
