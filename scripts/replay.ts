/**
 * Imports every commit of a history of Tickets, and compares each verdict with an oracle that reads the source itself.
 *
 * `npm run replay -- yoi|beads <checkout>`; `--path` names the source from the root of the checkout, `--last N` takes the newest
 * commits only. Exit status 1 on a difference or where nothing could be compared, 2 where there is nothing to replay.
 */
import { parseArgs } from 'node:util'
import { count } from '../src/model/count.ts'
import { ReplayProblem } from './replay-history.ts'
import { REPLAY_SOURCES, type Replay, type ReplaySystem, replay } from './replay-run.ts'

const USAGE = `usage: npm run replay -- ${Object.keys(REPLAY_SOURCES).join('|')} <checkout> [--path <path>] [--last <commits>]`

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { path: { type: 'string' }, last: { type: 'string' } },
  })
  const [system = '', checkout, ...others] = positionals
  if (!Object.hasOwn(REPLAY_SOURCES, system)) throw new ReplayProblem(`there is no source "${system}"\n${USAGE}`)
  if (checkout === undefined || others.length > 0) throw new ReplayProblem(`name one checkout\n${USAGE}`)
  if (values.last !== undefined && !/^[1-9]\d*$/.test(values.last))
    throw new ReplayProblem('--last takes a number from 1')
  const result = replay({
    system: system as ReplaySystem,
    checkout,
    path: values.path,
    last: values.last === undefined ? undefined : Number(values.last),
    onCommit: (done, all) =>
      process.stderr.isTTY && process.stderr.write(`\r${done}/${all}${done === all ? '\n' : ''}`),
  })
  print(result)
  return result.differences.length > 0 || result.refused.length + result.without === result.commits ? 1 : 0
}

function print({ path, differences, refused, ...result }: Replay): void {
  for (const { commit, message } of refused) console.log(`refused ${commit.slice(0, 12)}: ${message}`)
  for (const { commit, id, asked, program, oracle } of differences)
    console.log(`DIFFERENT ${commit.slice(0, 12)} ${id}: ${asked} ${program}, oracle ${oracle}`)
  const aside = [
    ...(result.without ? [`${result.without} without the source`] : []),
    ...(refused.length ? [`${refused.length} refused by the import`] : []),
  ]
  console.log(
    [
      `${path}: ${count(result.commits, 'commit')}${aside.length ? ` (${aside.join(', ')})` : ''}`,
      `${count(result.tickets, 'Ticket')} imported${result.dropped ? `, ${count(result.dropped, 'part of a record', 'parts of records')} reported as left out` : ''}`,
      `${count(result.verdicts, 'verdict')} compared, ${result.accepts} of them accept`,
      count(differences.length, 'difference'),
    ].join('; '),
  )
}

try {
  process.exitCode = main()
} catch (error) {
  const isUsage =
    error instanceof ReplayProblem || String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')
  if (!isUsage) throw error
  console.error(`replay: ${(error as Error).message}`)
  process.exitCode = 2
}
