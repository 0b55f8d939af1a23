// mtcp completion: the script that completes mtcp in a shell. It asks `mtcp complete` at every Tab.
import type { Command } from 'commander';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';

export function declare(command: Command): void {
  command
    .description('Prints a script with which the shell completes commands, flags, rows and values.')
    .argument('<shell>', SHELLS.join(', ').replace(/, (?=[^,]*$)/, ' or '))
    .addHelpText(
      'after',
      `
Install:
  bash   eval "$(mtcp completion bash)"       in ~/.bashrc
  zsh    eval "$(mtcp completion zsh)"        in ~/.zshrc, after compinit
  fish   mtcp completion fish | source        in ~/.config/fish/config.fish`,
    )
    .action(script);
}

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# mtcp completion for bash. In ~/.bashrc: eval "$(mtcp completion bash)"
_mtcp() {
  local current line value
  COMPREPLY=()
  # An "=" parts words for bash, but not for mtcp.
  _get_comp_words_by_ref -n = cur words cword 2>/dev/null || { words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; }
  current="\${words[cword]}"
  while IFS= read -r line; do
    value="\${line%%$'\\t'*}"
    if [[ $value == ":files" ]]; then
      while IFS= read -r value; do
        [[ -d $value ]] && value+=/
        COMPREPLY+=("$value")
      done < <(compgen -f -- "$current")
    else
      # Only what follows the last break is replaced.
      [[ $value =~ ^[A-Za-z0-9_.-]+=. && $COMP_WORDBREAKS == *=* ]] && value="\${value#*=}"
      [[ $value == *[=/] ]] && compopt -o nospace 2>/dev/null
      COMPREPLY+=("$(printf '%q' "$value")")
    fi
  done < <(mtcp complete -- "\${words[@]:1:cword}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _mtcp mtcp
`,
  zsh: `#compdef mtcp
# mtcp completion for zsh. In ~/.zshrc, after compinit: eval "$(mtcp completion zsh)"
_mtcp() {
  local line files=0
  local -a described open
  while IFS= read -r line; do
    if [[ $line == ":files" ]]; then files=1
    elif [[ $line == *= ]]; then open+=("$line")
    else described+=("\${\${line//:/\\\\:}/$'\\t'/:}")
    fi
  done < <(mtcp complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( \${#open} )) && compadd -S '' -- "\${open[@]}"
  (( \${#described} )) && _describe mtcp described
  (( files )) && _files
}
compdef _mtcp mtcp
`,
  fish: `# mtcp completion for fish. In ~/.config/fish/config.fish: mtcp completion fish | source
function __mtcp_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (mtcp complete -- $words[2..] 2>/dev/null)
    if test "$line" = ":files"
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c mtcp -f -a '(__mtcp_complete)'
`,
};

export const SHELLS = Object.keys(SCRIPTS);

function script(shell: string): void {
  const text = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (text === undefined)
    throw new MtcpError('usage', `there is no completion for "${shell}"`, {
      where: `argument "${shell}"`,
      hint: didYouMean(shell, SHELLS),
    });
  process.stdout.write(text);
}
