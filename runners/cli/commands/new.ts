// mtcp new
import type { Command } from 'commander';

export function newCommand(program: Command): void {
  const fresh = program.command('new').summary('write a starting point');
  fresh
    .command('component')
    .summary('write a component of your own that works as it is')
    .argument('<kind>', 'interaction, head, loss, scheme, dataset, ...')
    .argument('<name>', 'what experiment files call it, such as my-block')
    .option('-o, --out <path>', 'folder, or the file itself', '.')
    .addHelpText('after', '\nExample:\n  mtcp new component interaction my-block')
    .action(async (kind, name, options) => (await import('../new.js')).component(kind, name, options));
  fresh
    .command('experiment')
    .summary('write an experiment file from one that exists')
    .argument('<name>', 'names the file and the folder of the runs')
    .option('--from <experiment>', 'an experiment that comes with mtcp, such as table3, or a file')
    .option('-o, --out <path>', 'folder, or the file itself', '.')
    .addHelpText('after', '\nExample:\n  mtcp new experiment my-study --from table3')
    .action(async (name, options) => (await import('../new.js')).experiment(name, options));
}
