/**
 * Runs the main job on real input: the decisions of this project, in a temporary repository, command by command.
 *
 * It prints every command that it runs, so that a reader learns the tool from it. Exit status 1 if a step has an unexpected
 * exit status.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const cli = join(root, 'dist', 'cli.js')
if (!existsSync(cli)) throw new Error('dist/ is missing: run "npm ci" or "npm run build" first')
const folder = mkdtempSync(join(tmpdir(), 'ticketplan-demo-'))
const env = {
  ...process.env,
  TICKETPLAN_ACTOR: 'orchestrator',
  GIT_AUTHOR_NAME: 'demo',
  GIT_AUTHOR_EMAIL: 'demo@localhost',
  GIT_COMMITTER_NAME: 'demo',
  GIT_COMMITTER_EMAIL: 'demo@localhost',
}

try {
  say('A repository with the decisions of this project.')
  git('init', '--quiet', '.')
  plan('init')
  cpSync(join(root, 'tickets'), join(folder, 'tickets'), { recursive: true })
  // The states from before the work began.
  for (const ticket of ['claims', 'accept', 'mcp', 'brief']) quietly('set', ticket, '--state', 'open')
  for (const ticket of ['TP-22', 'TP-23', 'TP-24', 'TP-25']) quietly('set', ticket, '--state', 'queued')
  git('add', '.')
  git('commit', '--quiet', '--message', "the project's decisions")

  say('Four Tickets are queued. Which may be accepted now?')
  plan('queue')

  say('Before it accepts a Ticket, the orchestrator consults. Exit status 0 is accept, 3 is hold.')
  plan('consult', 'merge-driver')
  plan(3, 'consult', 'init-git')

  say('Accepting is one step: verdict, claim, plan. A second worker is refused, with the reasons.')
  plan('accept', 'merge-driver', '--holder', 'pod-1', '--summary', 'the pure merge first', '--branch', 'merge-driver')
  plan(3, 'accept', 'merge-driver', '--holder', 'pod-2')

  say('Somebody queues the first release. What holds it? The whole chain of blockers:')
  plan('set', 'release', '--state', 'queued')
  plan(3, 'consult', 'release')

  say('A decision: two Tickets must not run side by side. It is stored once and shown from both sides.')
  plan('record', 'mcp', 'conflicts_with', 'brief', '--reason', 'both add to the list of tools')
  plan('relations', '--ticket', 'brief')
  say('In git it is one line of one file (and a comma).')
  git('--no-pager', 'diff', '--unified=0', '--', 'tickets/TP-26.json')
  say('Recording it again changes nothing.')
  plan('record', 'brief', 'do-not-parallelize', 'mcp')

  say('One of the two starts, so the other one is held.')
  plan('set', 'brief', '--state', 'in_progress')
  plan('set', 'mcp', '--state', 'queued')
  plan(3, 'consult', 'mcp')

  say('Another branch records a decision about the same Ticket. git merges both by meaning.')
  git('commit', '--quiet', '--all', '--message', 'decisions of the main branch')
  git('switch', '--quiet', '--create', 'other', 'HEAD~1')
  plan('record', 'mcp', 'after', 'watch', '--reason', 'resource updates come from the watcher')
  git('commit', '--quiet', '--all', '--message', 'a decision of another branch')
  git('switch', '--quiet', '-')
  git('merge', '--quiet', '--message', 'both', 'other')
  plan('relations', '--ticket', 'mcp', '--status', 'active')
  plan('verify', '--since', 'HEAD~1')

  say('After losing its memory, the orchestrator gets what it must know, within a budget of tokens.')
  plan('brief', '--budget', 400)

  say('The index is a SQLite database for any query.')
  plan(
    'sql',
    'select ticket_id, count(*) as held_by from blockers group by ticket_id order by held_by desc, ticket_id limit 3',
  )

  say('Check all files, and that the index equals them.')
  plan('verify')
  console.log('\nThat was the main job. "ticketplan --help" lists all commands; README.md has a tour.')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function say(text: string): void {
  console.log(`\n# ${text}`)
}

function git(...args: string[]): void {
  print('git', args)
  run('git', args, 0)
}

/** Prints and runs a command of ticketplan. A leading number is its expected exit status. */
function plan(...words: (string | number)[]): void {
  const expected = typeof words[0] === 'number' ? (words.shift() as number) : 0
  print('ticketplan', words.map(String))
  run(process.execPath, [cli, ...words.map(String)], expected)
}

function quietly(...args: string[]): void {
  spawnSync(process.execPath, [cli, ...args], { cwd: folder, env })
}

function print(program: string, args: string[]): void {
  console.log(`$ ${[program, ...args.map(arg => (/^[\w./=:@-]+$/.test(arg) ? arg : `"${arg}"`))].join(' ')}`)
}

function run(program: string, args: string[], expected: number): void {
  const { status, error } = spawnSync(program, args, { cwd: folder, env, stdio: 'inherit' })
  if (error) throw error
  if (status !== expected) {
    console.error(`exit status ${status}, expected ${expected}`)
    process.exit(1)
  }
  if (expected !== 0) console.log(`(exit status ${status})`)
}
