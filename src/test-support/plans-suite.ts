/**
 * What claims and accept must do wherever the claims are, as tests of a plan. The test file of each engine calls `testPlans`
 * with a function that opens a plan for each test.
 */
import { describe } from 'vitest'
import { testAccept } from './accept-suite.ts'
import { testClaimOperations } from './claim-suite.ts'
import type { WithPlan } from './plan-setting.ts'
import { testVerdicts } from './verdict-suite.ts'

/** Defines the tests for one engine. */
export function testPlans(name: string, withPlan: WithPlan): void {
  describe(name, () => {
    describe('claim, renew and release', () => testClaimOperations(withPlan))
    describe('accept', () => testAccept(withPlan))
    describe('consult, queue and show take claims into account', () => testVerdicts(withPlan))
  })
}
