#!/usr/bin/env node
/** The program's entry: checks the version of Node, asks a resident about a reading command, or loads the program. */
import { askResident, printAnswer } from './cli/ask-resident.ts'
import { isReadingWord } from './cli/reading-commands.ts'
import { oldNodeMessage } from './node-version.ts'
import { loadProgram, nameOfRun } from './program-loader.ts'

const message = oldNodeMessage()
if (message !== null) {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
} else start(process.argv.slice(2))

async function start(words: string[]): Promise<void> {
  const loadMain = () => {
    const { join } = process.getBuiltinModule('node:path')
    // dist/main.cjs, which the build makes of cli/main.ts.
    const program = loadProgram(join(import.meta.dirname, 'main.cjs'), nameOfRun(words))
    return program as typeof import('./cli/main.ts')
  }
  if (!words.some(isReadingWord)) return loadMain().main()
  const answer = await askResident(words, import.meta.dirname)
  if (!answer) return loadMain().main()
  const rest = printAnswer(answer)
  if (rest) loadMain().printRest(rest)
  else process.exit(answer.status)
}
