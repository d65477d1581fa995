/**
 * What this clone's git configuration says: the command line of the merge driver, and that of the program for the hooks.
 *
 * git takes a driver whose program is missing for one that kept "ours". So the driver is a shell command that looks
 * first, and otherwise leaves the markers of a text merge and status 1, with a word on standard error.
 */

import { shellWord } from '../git/shell-word.ts'

/** The programs of this installation, as absolute paths. */
export interface Programs {
  node: string
  cli: string
  mergeDriver: string
}

/** The command that starts this program, for a POSIX shell to evaluate. */
export function cliCommand({ node, cli }: Programs): string {
  return `${shellWord(node)} ${shellWord(cli)}`
}

/** The value of `merge.ticketplan.driver`; git replaces %O, %A, %B, %L and %P, the last of them quoted. */
export function driverCommand({ node, mergeDriver }: Programs): string {
  return [
    `node=${driverWord(node)}`,
    `driver=${driverWord(mergeDriver)}`,
    [
      'if test ! -x "$node"; then why="$node is missing"',
      'elif test ! -f "$driver"; then why="$driver is missing"',
      'else "$node" "$driver" %O %A %B %P; ended=$?',
      // Numbers that no accident gives: Node ends with 0 for an empty file, and with 1 for a damaged one.
      'case "$ended" in 10) exit 0;; 11) exit 1;; esac',
      'why="$driver ended with status $ended"',
      'fi',
    ].join('; '),
    // A "%" before a quote is no placeholder in any version of git; "%%" is one percent sign in some only.
    `printf "%""s\\n" "ticketplan: the merge driver failed: $why." "ticketplan: merged as text instead, see the conflict in "%P"; run \\"ticketplan init\\" again." >&2`,
    'git merge-file --marker-size=%L -L ours -L base -L theirs %A %O %B',
    // A file that is no text has no markers: theirs is put below ours then.
    'test "$?" -lt 128 || { echo "======="; cat %B; echo ">>>>>>> theirs"; } >> %A',
    'exit 1',
  ].join('; ')
}

/** The same for a driver's command line, in which git replaces "%" and certain letters: a quote after it keeps it. */
function driverWord(text: string): string {
  return shellWord(text).replaceAll('%', "%''")
}

const WORD = "((?:'[^']*'|\\\\')+)"
const DRIVER = new RegExp(`^node=${WORD}; driver=${WORD}; `)

/** The programs that a driver's command line names; undefined for one that `init` did not write. */
export function programsIn(driver: string): Pick<Programs, 'node' | 'mergeDriver'> | undefined {
  const [, node, mergeDriver] = DRIVER.exec(driver) ?? []
  if (node === undefined || mergeDriver === undefined) return undefined
  return { node: unquote(node), mergeDriver: unquote(mergeDriver) }
}

/** The paths that `cliCommand` has put into a command; none for one that it did not write. */
export function programsOfCommand(command: string): string[] {
  const words = new RegExp(`^${WORD} ${WORD}$`).exec(command)
  return words ? words.slice(1).map(unquote) : []
}

function unquote(word: string): string {
  return word.replace(/'([^']*)'|\\'/g, (_, inner?: string) => inner ?? "'")
}
