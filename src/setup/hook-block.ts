/**
 * The lines of ticketplan in git's hooks, as texts.
 *
 * A block contains no path of this machine, because a folder of hooks may be committed: it reads the program from git's
 * configuration, and does nothing in a clone without that configuration. It goes right after the first line, since a hook may
 * end in `exit` or `exec`. Texts are the file's bytes as latin1.
 */
import { findBlock, replaceBlock } from './marked-block.ts'

/** The hooks that update the index, and the one that checks what is about to be committed. */
export const SYNC_HOOKS = ['post-merge', 'post-checkout', 'post-rewrite'] as const
export const CHECK_HOOK = 'pre-commit'
export type HookName = (typeof SYNC_HOOKS)[number] | typeof CHECK_HOOK

const BEGIN = '# >>> ticketplan init >>>\n'
const END = '# <<< ticketplan init <<<'
const SHELL = /^#![ \t]*(?:\S*\/env[ \t]+(?:-S[ \t]+)?)?(?:\S*\/)?(?:sh|bash|dash|zsh)(?:\s|$)/
/** The beginning of a hook that `init` created; the empty line distinguishes it from an existing hook with a first line only. */
const NEW_HEAD = '#!/bin/sh\n\n'

const FIND_PROGRAM = `(
  ticketplan=$(git config --get ticketplan.command) || exit 0
  eval "set -- $ticketplan"
  if ! command -v "$1" >/dev/null || { test $# -gt 1 && ! test -e "$2"; }; then
    printf '%s\\n' "ticketplan: $ticketplan is missing; run \\"ticketplan init\\" again" >&2
    exit 0
  fi
`
const SYNC_BLOCK = `${BEGIN}# Updates the index of Tickets. "ticketplan init --undo" removes these lines.
${FIND_PROGRAM}  "$@" sync --quiet
) </dev/null >&2 || :
${END}\n`
const CHECK_BLOCK = `${BEGIN}# Checks the staged Tickets. "ticketplan init --undo" removes these lines.
${FIND_PROGRAM}  ended=0
  found=$("$@" verify --staged 2>&1) || ended=$?
  test "$ended" -eq 0 || printf '%s\\n' "$found"
  test "$ended" -ne 4 || exit 4
) </dev/null >&2 || test $? -ne 4 || exit 1
${END}\n`

function blockOf(hook: HookName): string {
  return hook === CHECK_HOOK ? CHECK_BLOCK : SYNC_BLOCK
}

/** Returns the line to add by hand to a hook that `init` must not change; for any POSIX shell. */
export function lineByHand(hook: HookName): string {
  const find = 'command=$(git config --get ticketplan.command)'
  if (hook === CHECK_HOOK) return `${find} && eval "$command verify --staged" </dev/null >&2 || test $? -ne 4 || exit 1`
  return `${find} && eval "$command sync --quiet" </dev/null >&2 || :`
}

/** True for a text that calls ticketplan: in our block, or in a line that somebody added. */
export function callsTicketplan(text: string): boolean {
  return text.includes('ticketplan.command')
}

/** True for a text that has a marker of our block. */
export function hasMarks(text: string): boolean {
  return findBlock(text, BEGIN, END) !== 'absent'
}

/** True for a text whose first line names a supported POSIX shell. */
export function isShellScript(text: string): boolean {
  return SHELL.test(text)
}

/** Returns a new hook. */
export function newHook(hook: HookName): string {
  return NEW_HEAD + blockOf(hook)
}

/** Returns the hook with the current block; null where only one of the markers is there. */
export function withBlock(text: string, hook: HookName): string | null {
  const block = blockOf(hook)
  const place = findBlock(text, BEGIN, END)
  if (place === 'incomplete') return null
  if (place !== 'absent') return replaceBlock(text, place, block.slice(0, -1))
  if (!text.startsWith('#!')) return block + text
  const firstLine = text.indexOf('\n') + 1
  return firstLine === 0 ? `${text}\n${block.slice(0, -1)}` : text.slice(0, firstLine) + block + text.slice(firstLine)
}

/** Returns the hook without the block: null for one that `init` created, the same text where there is no whole block. */
export function withoutBlock(text: string): string | null {
  const place = findBlock(text, BEGIN, END)
  if (place === 'absent' || place === 'incomplete') return text
  const { start, end } = place
  const isLast = end === text.length
  const rest = isLast ? text.slice(0, Math.max(0, start - 1)) : text.slice(0, start) + text.slice(end + 1)
  return rest === NEW_HEAD && start === NEW_HEAD.length ? null : rest
}
