import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { asDecision } from '../test-support/loose-decision.ts'
import { CLI, PACKAGE_ROOT } from '../test-support/run-cli.ts'
import { putTicket, runGit, temporaryRepository } from '../test-support/temporary-repository.ts'

const workflow = parse(readFileSync(join(PACKAGE_ROOT, 'docs/ci/tickets.yml'), 'utf8')) as {
  jobs: Record<'verify' | 'scope', { steps: { run?: string; with?: Record<string, unknown> }[] }>
}

/** Runs the own command of a job of the workflow in a checkout, with ticketplan in place of the installed one. */
function runCheck(root: string, job: 'verify' | 'scope' = 'verify') {
  const command = workflow.jobs[job].steps.map(({ run }) => run).find(run => run?.includes('ticketplan'))!
  const shim = 'npx() { shift 2; "$NODE" "$CLI" "$@"; }'
  const env = { ...process.env, NODE: process.execPath, CLI, GITHUB_BASE_REF: 'main', GITHUB_HEAD_REF: 'work/A' }
  return spawnSync('bash', ['-ec', `${shim}\n${command}`], { cwd: root, env, encoding: 'utf8' })
}

test('the workflow to copy fetches the whole history, and fails if a merge has lost a decision', () => {
  expect(workflow.jobs.verify.steps[0]!.with).toEqual({ 'fetch-depth': 0 })
  using repository = temporaryRepository()
  const { root } = repository
  const commit = (message: string) => runGit(root, 'commit', '--quiet', '--all', '--message', message)
  const decide = (id: string) => {
    const decision = { id: `01JX8Z3V7Q4T9K2M5N6P7R8S${id}`, kind: 'note', by: 'x', at: '2026-06-08T11:30:00.000Z' }
    putTicket(root, 'A', { decisions: [asDecision(decision)] })
    runGit(root, 'add', '--all')
  }
  putTicket(root, 'A')
  runGit(root, 'add', '--all')
  commit('one Ticket')
  runGit(root, 'update-ref', 'refs/remotes/origin/main', 'HEAD')
  runGit(root, 'branch', 'other')
  decide('00')
  commit('ours')
  runGit(root, 'switch', '--quiet', 'other')
  decide('01')
  commit('theirs')
  runGit(root, 'switch', '--quiet', 'main')
  expect(runCheck(root)).toMatchObject({ status: 0 })
  runGit(root, 'merge', '--quiet', '--strategy', 'ours', '--message', 'drops theirs', 'other')
  const check = runCheck(root)
  expect(check).toMatchObject({ status: 4 })
  expect(check.stdout).toContain('01JX8Z3V7Q4T9K2M5N6P7R8S01')
})

test('its second job fails if a branch changes files outside of the area of its Ticket', () => {
  using repository = temporaryRepository()
  const { root } = repository
  const commit = (file: string) => {
    writeFileSync(join(root, file), file)
    runGit(root, 'add', '--all')
    runGit(root, 'commit', '--quiet', '--message', file)
  }
  const area = {
    id: '01JX8Z3V7Q4T9K2M5N6P7R8S00',
    kind: 'touches',
    by: 'x',
    at: '2026-06-08T11:30:00.000Z',
    paths: ['*.ts'],
  }
  putTicket(root, 'A', { decisions: [asDecision(area)] })
  commit('README')
  runGit(root, 'update-ref', 'refs/remotes/origin/main', 'HEAD')
  commit('a.ts')
  expect(runCheck(root, 'scope')).toMatchObject({ status: 0 })
  commit('b.js')
  const check = runCheck(root, 'scope')
  expect(check).toMatchObject({ status: 4 })
  expect(check.stdout).toContain('2 changed files, 1 outside:\n  b.js')
})
