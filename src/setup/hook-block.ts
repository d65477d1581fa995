/**
 * The lines that ticketplan has in git's hooks, as texts.
 *
 * A block holds no path of this machine, because a folder of hooks may be committed: it asks the configuration, and is
 * silent in a clone that has none. It stands right after the first line, since a hook may end in `exit` or `exec`. Texts are
 * the file's bytes as latin1.
 */

/** The hooks that keep the index current, and the one that checks what is about to be committed. */
export const SYNC_HOOKS = ['post-merge', 'post-checkout', 'post-rewrite'] as const
export const CHECK_HOOK = 'pre-commit'
export type HookName = (typeof SYNC_HOOKS)[number] | typeof CHECK_HOOK

const BEGIN = '# >>> ticketplan init >>>\n'
const END = '# <<< ticketplan init <<<'
const SHELL = /^#![ \t]*(?:\S*\/env[ \t]+(?:-S[ \t]+)?)?(?:\S*\/)?(?:sh|bash|dash|zsh)(?:\s|$)/
/** What a hook of ours begins with; the empty line tells it from one that was there with nothing but its first line. */
const NEW_HEAD = '#!/bin/sh\n\n'

const LOOK = `(
  ticketplan=$(git config --get ticketplan.command) || exit 0
  eval "set -- $ticketplan"
  if ! command -v "$1" >/dev/null || { test $# -gt 1 && ! test -e "$2"; }; then
    printf '%s\\n' "ticketplan: $ticketplan is gone: run \\"ticketplan init\\" again" >&2
    exit 0
  fi
`
const SYNC_BLOCK = `${BEGIN}# Keeps the index of Tickets current. "ticketplan init --undo" takes these lines out.
${LOOK}  "$@" sync --quiet
) </dev/null >&2 || :
${END}\n`
const CHECK_BLOCK = `${BEGIN}# Checks the Tickets that are staged. "ticketplan init --undo" takes these lines out.
${LOOK}  ended=0
  found=$("$@" verify --staged 2>&1) || ended=$?
  test "$ended" -eq 0 || printf '%s\\n' "$found"
  test "$ended" -ne 4 || exit 4
) </dev/null >&2 || test $? -ne 4 || exit 1
${END}\n`

function blockOf(hook: HookName): string {
  return hook === CHECK_HOOK ? CHECK_BLOCK : SYNC_BLOCK
}

/** What a person adds to a hook that is not ours to change; for any POSIX shell. */
export function lineByHand(hook: HookName): string {
  const ask = 'command=$(git config --get ticketplan.command)'
  if (hook === CHECK_HOOK) return `${ask} && eval "$command verify --staged" </dev/null >&2 || test $? -ne 4 || exit 1`
  return `${ask} && eval "$command sync --quiet" </dev/null >&2 || :`
}

/** True for a text that calls ticketplan: by what we put in, or by a line that somebody added. */
export function callsTicketplan(text: string): boolean {
  return text.includes('ticketplan.command')
}

/** True for a text that has a mark of our block. */
export function hasMarks(text: string): boolean {
  return findBlock(text) !== undefined
}

/** True for a text whose first line names a POSIX shell that we know. */
export function isShellScript(text: string): boolean {
  return SHELL.test(text)
}

/** A new hook. */
export function newHook(hook: HookName): string {
  return NEW_HEAD + blockOf(hook)
}

/** The hook with its block in it, or with the block of this version in place of another; null where the marks do not match. */
export function withBlock(text: string, hook: HookName): string | null {
  const block = blockOf(hook)
  const place = findBlock(text)
  if (place === null) return null
  if (place) return text.slice(0, place.start) + block.slice(0, -1) + text.slice(place.end)
  if (!text.startsWith('#!')) return block + text
  const firstLine = text.indexOf('\n') + 1
  return firstLine === 0 ? `${text}\n${block.slice(0, -1)}` : text.slice(0, firstLine) + block + text.slice(firstLine)
}

/** The hook without the block: null for one that was ours alone. As it is where it has none, or one whose marks do not match. */
export function withoutBlock(text: string): string | null {
  const place = findBlock(text)
  if (!place) return text
  const { start, end } = place
  const isLast = end === text.length
  const rest = isLast ? text.slice(0, Math.max(0, start - 1)) : text.slice(0, start) + text.slice(end + 1)
  return rest === NEW_HEAD && start === NEW_HEAD.length ? null : rest
}

/** Where the block begins, and where its last line ends before the line break; undefined for none, null for half of one. */
function findBlock(text: string): { start: number; end: number } | null | undefined {
  const start = `\n${text}`.indexOf(`\n${BEGIN}`)
  const end = text.indexOf(`\n${END}`, Math.max(0, start))
  if (start === -1) return end === -1 ? undefined : null
  return end === -1 ? null : { start, end: end + 1 + END.length }
}
