// mtcp trust
import type { Command } from 'commander';

export function trust(program: Command): void {
  program
    .command('trust')
    .summary('let plugins run')
    .description(
      'Plugins are programs. Commands run one only if you have trusted its code, which this command does without running it. Read it first. After a change it has to be trusted again, except with --own. Without files it lists what is trusted.',
    )
    .argument('[files...]', 'plugins: files of TypeScript or JavaScript')
    .option('--own', 'files that you write yourself: trusted whatever is in them')
    .option('--remove', 'take them off the list')
    .option('--list', 'what is trusted')
    .addHelpText('after', '\nExample: mtcp trust my-gate.ts')
    .action(async (files, options) => (await import('../trust.js')).trust(files, options));
}
