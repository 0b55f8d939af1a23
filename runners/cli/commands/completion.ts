// mtcp completion
import type { Command } from 'commander';

export function completion(program: Command): void {
  program
    .command('completion')
    .summary('print a script that completes mtcp in a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText(
      'after',
      `
Install:
  bash   eval "$(mtcp completion bash)"       in ~/.bashrc
  zsh    eval "$(mtcp completion zsh)"        in ~/.zshrc, after compinit
  fish   mtcp completion fish | source        in ~/.config/fish/config.fish`,
    )
    .action(async (shell) => (await import('../completion.js')).script(shell));
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words) => (await import('../completion.js')).complete(program, words));
}
