/**
 * Checks the package as npm would publish it: publint, arethetypeswrong, and a dry run of `npm publish`.
 *
 * Usage: npm run check:package [folder], after a build. Prints each problem, and exits with 1 if there is one.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const root = process.argv[2] ?? join(import.meta.dirname, '..')
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const folder = mkdtempSync(join(tmpdir(), 'ticketplan-packed-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const packed = execFileSync(npm, ['pack', '--json', '--pack-destination', folder], { cwd: root, stdio: 'pipe' })
const [{ filename, files }] = JSON.parse(packed.toString()) as [{ filename: string; files: unknown[] }]
const tarball = new Uint8Array(readFileSync(join(folder, filename)))

const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer }, level: 'suggestion', strict: true })
const problems = messages.map(message => `publint: ${formatMessage(message, pkg, { color: false })}`)
const types = await checkPackage(createPackageFromTarballData(tarball))
if (types.types === false) problems.push('arethetypeswrong: the package has no types')
else for (const problem of types.problems) problems.push(`arethetypeswrong: ${JSON.stringify(problem)}`)
// npm warns a person who is not logged in even where nothing is sent; that says nothing about the package.
const publish = spawnSync(npm, ['publish', '--dry-run', '--tag', 'check'], { cwd: root, encoding: 'utf8' })
const warnings = publish.stderr
  .split('\n')
  .filter(line => /^npm (?:warn|error)/i.test(line) && !line.includes('requires you to be logged in'))
problems.push(...warnings.map(line => `npm publish --dry-run: ${line}`))
if (publish.status !== 0 && warnings.length === 0) problems.push(`npm publish --dry-run: exit status ${publish.status}`)

for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
else console.log(`ok: ${filename}, ${files.length} files, ${tarball.length} bytes`)
