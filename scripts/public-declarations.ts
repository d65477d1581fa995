/** The text of the published declarations: what the compiler emits for src/index.ts, bundled into one file of plain types. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { operations } from '../src/operations/registry.ts'
import { bundleDeclarations, plainTypes } from './declarations.ts'

/** Returns the declarations of the package whose root is given. Ends the process if the sources do not compile. */
export function publicDeclarations(root: string): string {
  const emitted = mkdtempSync(join(tmpdir(), 'ticketplan-types-'))
  try {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const args = [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', emitted]
    if (spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0) process.exit(1)
    const plainPath = join(emitted, 'scripts', 'plain-types.d.ts')
    const plain = plainTypes(readFileSync(plainPath, 'utf8'), operations)
    return bundleDeclarations(join(emitted, 'src', 'index.d.ts'), plainPath, plain)
  } finally {
    rmSync(emitted, { recursive: true })
  }
}
