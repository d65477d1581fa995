/**
 * Runs the main job on this project's own decisions, in a temporary repository.
 *
 * Prints every command that it runs, so that a reader learns the tool from it. Exits with 1 if a step has an unexpected
 * exit status.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
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
  // The states from before the first version; later work is done, so that the output stays short.
  const later = readdirSync(join(root, 'tickets')).filter(name => /^TP-[4-9]\d\.json$/.test(name))
  for (const file of later) quietly('set', file.slice(0, -'.json'.length), '--state', 'done')
  for (const ticket of ['claims', 'accept', 'mcp', 'brief']) quietly('set', ticket, '--state', 'open')
  for (const ticket of ['TP-22', 'TP-23', 'TP-24', 'TP-25']) quietly('set', ticket, '--state', 'queued')
  git('add', '.')
  git('commit', '--quiet', '--message', "the project's decisions")

  say('Four pieces of work are queued. What may be accepted now?')
  plan('queue')

  say('Before the orchestrator accepts one, it runs consult. Exit status 0 means accept, 3 means hold.')
  plan('consult', 'merge-driver')
  plan(3, 'consult', 'init-git')

  say('accept is one atomic step: verdict, claim, plan. A second worker is refused, with the reason.')
  plan('accept', 'merge-driver', '--holder', 'pod-1', '--summary', 'the pure merge first', '--branch', 'merge-driver')
  plan(3, 'accept', 'merge-driver', '--holder', 'pod-2')

  say('Somebody queues the first release. Why is it held? With the whole chain of blockers:')
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

  say('Another branch decides about the same Ticket. git merges the two by meaning.')
  git('commit', '--quiet', '--all', '--message', 'decisions of the main branch')
  git('switch', '--quiet', '--create', 'other', 'HEAD~1')
  plan('record', 'mcp', 'after', 'watch', '--reason', 'resource updates come from the watcher')
  git('commit', '--quiet', '--all', '--message', 'a decision of another branch')
  git('switch', '--quiet', '-')
  git('merge', '--quiet', '--message', 'both', 'other')
  plan('relations', '--ticket', 'mcp', '--status', 'active')
  plan('verify', '--since', 'HEAD~1')

  say('After the orchestrator has lost its context, brief prints what it must know, within a budget of tokens.')
  plan('brief', '--budget', 400)

  say('The index is SQLite, open to any query.')
  plan(
    'sql',
    'select ticket_id, count(*) as held_by from blockers group by ticket_id order by held_by desc, ticket_id limit 3',
  )

  say('verify checks all files, and compares the index with them.')
  plan('verify')
  console.log('\nThat was the main job. "ticketplan --help" lists the rest; README.md has the tour.')
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

/** Prints and runs a command of ticketplan. A number as the first argument is the expected exit status. */
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
