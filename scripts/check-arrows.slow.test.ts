import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT, runProgram } from '../src/test-support/run-cli.ts'
import { temporaryFolder } from '../src/test-support/temporary-repository.ts'

const SCRIPT = join(PACKAGE_ROOT, 'scripts', 'check-arrows.ts')

test('the imports of src/ follow the arrows', async () => {
  expect(await runProgram(process.execPath, [SCRIPT])).toMatchObject({ status: 0, stderr: '' })
})

test.each([
  ['a lower room imports a higher one', 'model', "import '../store/store.ts'\n", 'model must not import store'],
  ['a room imports another of its step', 'mcp', "import '../sdk.ts'\n", 'mcp must not import sdk'],
  ['a heavy package', 'model', "import Database from 'better-sqlite3'\n", 'must not import the package better-sqlite3'],
  ['a circle of two files', 'model', "import type { B } from './other.ts'\n", 'import cycle: model/'],
  ['a folder that is no room', 'utils', "import '../model/text.ts'\n", '"utils" is not a room of the house'],
  [
    'a process started outside git and SQL',
    'setup',
    "process.getBuiltinModule('node:child_process').spawnSync('git')\n",
    'may start processes',
  ],
  [
    'a database connection in an operation',
    'operations',
    "import type { Connection } from '../database/open.ts'\n",
    'a database connection must not leave',
  ],
])('a planted violation is found: %s', async (_, room, source, message) => {
  using folder = temporaryFolder()
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(folder.path, file)), { recursive: true })
    writeFileSync(join(folder.path, file), text)
  }
  write(`${room}/planted.ts`, source)
  write('model/other.ts', room === 'model' ? "import type { A } from './planted.ts'\n" : '')
  const result = await runProgram(process.execPath, [SCRIPT, folder.path])
  expect(result.stderr).toContain(message)
  expect(result.status).toBe(1)
})
