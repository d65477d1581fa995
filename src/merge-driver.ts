/**
 * The program that git starts to merge a Ticket file: `merge-driver.cjs %O %A %B %P`.
 *
 * Exit status 10: merged. 11: conflict, with git's text merge in %A. Any other status is a failure, and the command that git
 * runs then leaves the markers itself. Success is not 0, because Node exits with 0 for an empty file too.
 */
import { loadProgram } from './program-loader.ts'

const { join } = process.getBuiltinModule('node:path')
// dist/merge-files.cjs, which the build makes of merging/merge-files.ts.
const program = loadProgram(join(import.meta.dirname, 'merge-files.cjs'), 'merge', [10, 11])
const { mergeFiles } = program as typeof import('./merging/merge-files.ts')

const [base, ours, theirs, path] = process.argv.slice(2)
try {
  if (!base || !ours || !theirs || !path) throw new Error('it needs four arguments: %O %A %B %P')
  const merge = mergeFiles({ base, ours, theirs, path })
  if (merge.message !== null) print(merge.message)
  process.exitCode = merge.merged ? 10 : 11
} catch (error) {
  print(`merge driver: ${(error as Error).message}`)
  process.exitCode = 1
}

function print(text: string): void {
  const { writeSync } = process.getBuiltinModule('node:fs')
  writeSync(2, `ticketplan: ${text}\n`)
}
