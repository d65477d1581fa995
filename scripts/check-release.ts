/**
 * Checks that this commit is what a tag says: the same version everywhere, a section of the changelog, and the
 * repository that the provenance statement will name.
 *
 * Usage: GITHUB_REF_NAME=v1.2.3 GITHUB_REPOSITORY=owner/name npm run check:release. Exits with 1 if something is missing.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { releaseProblems } from './release-problems.ts'

const read = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8')
const problems = releaseProblems({
  tag: process.env.GITHUB_REF_NAME ?? '',
  repository: process.env.GITHUB_REPOSITORY ?? '',
  manifest: JSON.parse(read('package.json')),
  changelog: read('CHANGELOG.md'),
})
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
else console.log('ok')
