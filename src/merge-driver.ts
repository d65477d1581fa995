/**
 * The program that git starts for a merge of Ticket files: `merge-driver.cjs %O %A %B %P`.
 *
 * Exit status 10 merged: not 0, with which Node ends for an empty file too. 11 conflict, with git's text merge in %A; anything else
 * is an accident, and whoever started it has to leave the markers.
 */
const { createRequire, enableCompileCache } = process.getBuiltinModule('node:module')
enableCompileCache()
// dist/merge-files.cjs, which the build makes of merging/merge-files.ts.
const { mergeFiles } = createRequire(import.meta.url)('./merge-files.cjs') as typeof import('./merging/merge-files.ts')

const [base, ours, theirs, path] = process.argv.slice(2)
try {
  if (!base || !ours || !theirs || !path) throw new Error('it takes the four paths %O %A %B %P')
  const merge = mergeFiles({ base, ours, theirs, path })
  if (merge.message !== null) say(merge.message)
  process.exitCode = merge.merged ? 10 : 11
} catch (error) {
  say(`merge driver: ${(error as Error).message}`)
  process.exitCode = 1
}

function say(text: string): void {
  const { writeSync } = process.getBuiltinModule('node:fs')
  writeSync(2, `ticketplan: ${text}\n`)
}

export {}
