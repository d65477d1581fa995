/** Warnings that several operations share. */
import type { AnyFields } from '../model/decision.ts'
import { didYouMean } from '../model/nearest-names.ts'
import type { States } from '../model/states.ts'
import type { Store } from '../store/store.ts'

const HOME_PATH = /(?:^|[\s"'`(=:])(?:\/(?:home|Users)\/[^/\s]+|\/root\/|[A-Za-z]:\\Users\\)/

/** Returns a warning for each text that names a home folder, which means nothing on another machine. */
export function homePathWarnings(texts: Record<string, string | undefined>): string[] {
  return Object.entries(texts)
    .filter(([, text]) => text !== undefined && HOME_PATH.test(text))
    .map(([field]) => `the ${field} names an absolute path of one machine, and it will be in git`)
}

/** Returns a warning for each text of a decision that names a home folder. */
export function decisionPathWarnings({ reason, plan }: Pick<AnyFields, 'reason' | 'plan'>): string[] {
  return homePathWarnings({ reason, summary: plan?.summary, branch: plan?.branch, role_plan: plan?.role_plan })
}

/** A warning for a state that no list of the configuration has: it counts as open. */
export function stateWarnings({ states }: Store, state: string | undefined): string[] {
  return state === undefined || states.isKnown(state) ? [] : [unknownStateText(states, state)]
}

/** Returns what is said of a state that no list has, with the nearest one. */
export function unknownStateText(states: States, state: string): string {
  return `the state "${state}" is in no list of states in ticketplan.json, so it counts as open${didYouMean(states.nearest(state))}`
}
