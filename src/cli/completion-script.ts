/**
 * The scripts that connect ticketplan to bash, zsh and fish.
 *
 * They hold no list: each TAB asks `ticketplan __complete`. Invariant: what comes back is data. It is never evaluated, and the
 * program that is asked is the one that wrote the script, or that of the PATH, never one that the line names.
 */
import { shellWord } from '../git/shell-word.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** Returns the script for a shell. `program` is the command that starts ticketplan: Node, and the path of the entry. */
export function completionScript(shell: Shell, program: readonly [node: string, entry: string]): string {
  const [node, entry] = program.map(shell === 'fish' ? fishWord : shellWord)
  return SCRIPTS[shell](node!, entry!)
}

function fishWord(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

const SCRIPTS: Record<Shell, (node: string, entry: string) => string> = {
  bash: (node, entry) => `# Completion of ticketplan for bash. Put this line into ~/.bashrc:
#   source <(ticketplan completion bash)

_ticketplan_ask() {
  local node=${node} entry=${entry}
  if [[ -x $node && -f $entry ]]; then
    "$node" "$entry" __complete bash "$@" 2>/dev/null </dev/null
  else
    command ticketplan __complete bash "$@" 2>/dev/null </dev/null
  fi
}

_ticketplan() {
  local mode='' line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -z $mode ]]; then mode=$line; else COMPREPLY+=("$line"); fi
  done < <(_ticketplan_ask "$COMP_WORDBREAKS" "\${COMP_LINE:0:COMP_POINT}")
  case $mode in
    files) compopt -o bashdefault -o default 2>/dev/null ;;
    folders) compopt -o dirnames 2>/dev/null ;;
  esac
}

complete -F _ticketplan ticketplan
`,
  zsh: (node, entry) => `#compdef ticketplan
# Completion of ticketplan for zsh. Put this line into ~/.zshrc, below the one with compinit:
#   source <(ticketplan completion zsh)

_ticketplan() {
  local node=${node} entry=${entry} mode
  local -a ask lines candidates
  if [[ -x $node && -f $entry ]]; then
    ask=("$node" "$entry")
  else
    ask=(command ticketplan)
  fi
  lines=("\${(@f)$("\${ask[@]}" __complete zsh "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null </dev/null)}")
  mode=\${lines[1]}
  candidates=("\${(@)lines[2,-1]}")
  case $mode in
    words) (( \${#candidates} )) && _describe -V ticketplan candidates ;;
    files|folders)
      [[ $PREFIX == --*=* ]] && compset -P 1 '*='
      if [[ $mode == folders ]]; then _files -/; else _files; fi
      ;;
  esac
}

if [[ \${funcstack[1]} == _ticketplan ]]; then
  _ticketplan "$@"
elif (( \${+functions[compdef]} )); then
  compdef _ticketplan ticketplan
else
  print -u2 'ticketplan: completion needs compinit; run "autoload -Uz compinit && compinit" first'
fi
`,
  fish: (node, entry) => `# Completion of ticketplan for fish. Write it to a file once:
#   ticketplan completion fish > ~/.config/fish/completions/ticketplan.fish

function __ticketplan_ask
    set -l node ${node}
    set -l entry ${entry}
    if test -x $node -a -f $entry
        $node $entry __complete fish $argv 2>/dev/null </dev/null
    else
        command ticketplan __complete fish $argv 2>/dev/null </dev/null
    end
end

function __ticketplan_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (__ticketplan_ask $words[2..-1] "$current")
    set -l option (string match -r -- '^--[^=]*=' "$current")
    set -l path (string replace -r -- '^--[^=]*=' '' "$current")
    switch "$lines[1]"
        case words
            printf '%s\\n' $lines[2..-1]
        case files
            printf '%s\\n' "$option"(__fish_complete_path "$path")
        case folders
            printf '%s\\n' "$option"(__fish_complete_directories "$path" '')
    end
end

complete -c ticketplan -f -k -a '(__ticketplan_complete)'
`,
}
