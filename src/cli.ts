#!/usr/bin/env node
/** Starts the program: checks the version of Node first, before anything native is loaded. */

const WANTED = [22, 22] as const
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < WANTED[0] || (major === WANTED[0] && minor < WANTED[1])) {
  process.stderr.write(
    `ticketplan: this is Node ${process.versions.node}, but ${WANTED.join('.')} or later is needed; install a newer one\n`,
  )
  process.exitCode = 1
} else {
  const { createRequire, enableCompileCache } = process.getBuiltinModule('node:module')
  enableCompileCache()
  // dist/main.cjs, which the build bundles from cli/main.ts.
  const { main } = createRequire(import.meta.url)('./main.cjs') as typeof import('./cli/main.ts')
  main()
}
