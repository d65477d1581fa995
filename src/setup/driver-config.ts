/**
 * The values of this clone's git configuration: the command lines of the merge driver and of the program for the hooks.
 *
 * When the program of a driver is missing, git keeps "ours" without markers. So the driver is a shell command that checks
 * for the program first; on a failure it leaves the markers of a text merge, status 1 and a message on standard error.
 */
import { shellWord } from '../git/shell-word.ts'

/** The programs of an installation, as absolute paths. */
export interface Programs {
  node: string
  cli: string
  mergeDriver: string
}

/** Returns the command that starts the program, for a POSIX shell to evaluate. */
export function cliCommand({ node, cli }: Programs): string {
  return `${shellWord(node)} ${shellWord(cli)}`
}

/** Returns the value of `merge.ticketplan.driver`. In it git replaces %O, %A, %B, %L and %P, the last of them quoted. */
export function driverCommand({ node, mergeDriver }: Programs): string {
  return [
    `node=${driverWord(node)}`,
    `driver=${driverWord(mergeDriver)}`,
    [
      'if test ! -x "$node"; then why="$node is missing"',
      'elif test ! -f "$driver"; then why="$driver is missing"',
      'else "$node" "$driver" %O %A %B %P; ended=$?',
      // No accident ends with these numbers: Node exits with 0 for an empty file, and with 1 for a damaged one.
      'case "$ended" in 10) exit 0;; 11) exit 1;; esac',
      'why="$driver ended with status $ended"',
      'fi',
    ].join('; '),
    // A "%" before a quote is no placeholder in any version of git; "%%" is a percent sign in some versions only.
    `printf "%""s\\n" "ticketplan: the merge driver failed: $why." "ticketplan: git merged "%P" as text and left conflict markers; run \\"ticketplan init\\" again, then \\"ticketplan resolve\\"." >&2`,
    'git merge-file --marker-size=%L -L ours -L base -L theirs %A %O %B',
    // A binary file gets no markers: then theirs is appended to ours.
    'test "$?" -lt 128 || { echo "======="; cat %B; echo ">>>>>>> theirs"; } >> %A',
    'exit 1',
  ].join('; ')
}

/** Returns a shell word for a driver's command line, in which git replaces "%" and certain letters: a quote after "%" keeps it. */
function driverWord(text: string): string {
  return shellWord(text).replaceAll('%', "%''")
}

const WORD = "((?:'[^']*'|\\\\')+)"
const DRIVER = new RegExp(`^node=${WORD}; driver=${WORD}; `)

/** Returns the programs in a driver's command line; undefined for a command line that `init` did not write. */
export function programsIn(driver: string): Pick<Programs, 'node' | 'mergeDriver'> | undefined {
  const [, node, mergeDriver] = DRIVER.exec(driver) ?? []
  if (node === undefined || mergeDriver === undefined) return undefined
  return { node: unquote(node), mergeDriver: unquote(mergeDriver) }
}

/** Returns the paths in a command that `cliCommand` returned; none for any other command. */
export function programsOfCommand(command: string): string[] {
  const words = new RegExp(`^${WORD} ${WORD}$`).exec(command)
  return words ? words.slice(1).map(unquote) : []
}

function unquote(word: string): string {
  return word.replace(/'([^']*)'|\\'/g, (_, inner?: string) => inner ?? "'")
}
