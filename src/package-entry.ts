/**
 * What `import 'ticketplan'` loads: checks the version of Node, then loads the SDK.
 *
 * The SDK is required, not imported: an import would be loaded before the check. It is CommonJS because importing
 * node:fs into an ES module costs a third of Node's own start (scripts/build.ts).
 */
import { oldNodeMessage } from './node-version.ts'

const message = oldNodeMessage()
if (message !== null) throw new Error(message)
const { createRequire } = process.getBuiltinModule('node:module')
// dist/sdk.cjs, which the build makes of index.ts.
export const { connectPlan, isPlanError, openPlan, PlanError } = createRequire(import.meta.url)(
  './sdk.cjs',
) as typeof import('./index.ts')
