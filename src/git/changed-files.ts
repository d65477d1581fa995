/** The files that differ between commits, by names alone: no content is read and no file of the work tree. */
import { PlanError } from '../model/errors.ts'
import { findCommit, tryGit } from './git.ts'

/**
 * Lists the files that differ in a range of commits, from the root, sorted: `a..b`, `a...b` (since their merge base), or one
 * revision against HEAD. A moved file counts with both names.
 * @throws PlanError invalid_input where git does not know the range; no_git, git_failed.
 */
export function listChangedFiles(root: string, range: string): string[] {
  const [from = '', to] = range.split(/\.{2,3}/)
  const revisions = [from, to ?? ''].map(revision => revision || 'HEAD')
  const unknown = revisions.find(revision => findCommit(root, revision) === undefined)
  if (unknown !== undefined) {
    const message = `git has no commit ${JSON.stringify(unknown)}; give a range such as main...HEAD, and fetch the branch that it names`
    throw new PlanError('invalid_input', message, { field: 'diff' })
  }
  const between = range.includes('...') ? '...' : '..'
  const options = [
    'diff',
    '--name-only',
    '-z',
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
    '--ignore-submodules=none',
  ]
  const args = [...options, '--end-of-options', revisions.join(between), '--']
  const { status, stdout, stderr } = tryGit(root, args)
  if (status !== 0) {
    const message = `git cannot compare ${range}: ${stderr.trim() || `it ended with status ${status}`}`
    throw new PlanError('git_failed', message, { command: args.join(' '), status, stderr })
  }
  return stdout.toString().split('\0').filter(Boolean).sort()
}
