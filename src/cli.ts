#!/usr/bin/env node
/** The program's entry: checks the version of Node, then loads the program. */
import { oldNodeMessage } from './node-version.ts'
import { loadProgram, nameOfRun } from './program-loader.ts'

const message = oldNodeMessage()
if (message !== null) {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
} else {
  const { join } = process.getBuiltinModule('node:path')
  // dist/main.cjs, which the build makes of cli/main.ts.
  const program = loadProgram(join(import.meta.dirname, 'main.cjs'), nameOfRun(process.argv.slice(2)))
  ;(program as typeof import('./cli/main.ts')).main()
}
