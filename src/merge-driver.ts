/**
 * The program that git starts for a merge of Ticket files: `merge-driver.cjs %O %A %B %P`.
 *
 * Exit status 0 merged; 1 conflict, with markers in %A; 3 the same without markers, where a side cannot be read and the text
 * merge found no conflict; 2 nothing done to %A: whoever started it has to leave the markers.
 */
const { createRequire, enableCompileCache } = process.getBuiltinModule('node:module')
enableCompileCache()
// dist/merge-files.cjs, which the build makes of integration/merge-files.ts.
const { mergeFiles } = createRequire(import.meta.url)(
  './merge-files.cjs',
) as typeof import('./integration/merge-files.ts')

const [base, ours, theirs, path] = process.argv.slice(2)
try {
  if (!base || !ours || !theirs || !path) throw new Error('it takes the four paths %O %A %B %P')
  const merge = mergeFiles({ base, ours, theirs, path })
  if (merge.message !== null) say(merge.message)
  process.exitCode = merge.merged ? 0 : merge.markers ? 1 : 3
} catch (error) {
  say(`merge driver: ${(error as Error).message}`)
  process.exitCode = 2
}

function say(text: string): void {
  const { writeSync } = process.getBuiltinModule('node:fs')
  writeSync(2, `ticketplan: ${JSON.stringify(text).slice(1, -1)}\n`) // escaped: the text may come from a file
}

export {}
