import { isPlanError, type PlanError } from '../model/errors.ts'

/** Returns the PlanError that the action throws; fails if it throws none. */
export function planErrorOf(action: () => unknown): PlanError {
  try {
    action()
  } catch (error) {
    if (isPlanError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** Returns the PlanError that the action throws or its promise is rejected with; fails if there is none. */
export async function rejectionOf(action: () => unknown): Promise<PlanError> {
  try {
    await action()
  } catch (error) {
    if (isPlanError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
