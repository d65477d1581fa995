#!/usr/bin/env node
/** The program's entry: checks the version of Node, then loads the program. */
import { enablePrivateCompileCache } from './compile-cache.ts'
import { oldNodeMessage } from './node-version.ts'

const message = oldNodeMessage()
if (message !== null) {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
} else {
  const { createRequire } = process.getBuiltinModule('node:module')
  enablePrivateCompileCache()
  // dist/main.cjs, which the build makes of cli/main.ts.
  const { main } = createRequire(import.meta.url)('./main.cjs') as typeof import('./cli/main.ts')
  main()
}
