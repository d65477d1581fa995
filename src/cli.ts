#!/usr/bin/env node
/** The program's door: checks the version of Node before anything native is loaded, then goes in. */

const WANTED = [22, 22] as const
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < WANTED[0] || (major === WANTED[0] && minor < WANTED[1])) {
  process.stderr.write(
    `ticketplan needs Node ${WANTED.join('.')} or later; this is Node ${process.versions.node}. Install a current one.\n`,
  )
  process.exitCode = 1
} else {
  const { createRequire, enableCompileCache } = process.getBuiltinModule('node:module')
  enableCompileCache()
  // dist/main.cjs, which the build makes of cli/main.ts.
  const { main } = createRequire(import.meta.url)('./main.cjs') as typeof import('./cli/main.ts')
  main()
}
