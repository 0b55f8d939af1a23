// mtcp engine
import type { Command } from 'commander';

export function engine(program: Command): void {
  const group = program
    .command('engine')
    .summary('install plugins of the xla engine')
    .description('Plugins with which `--engine xla` computes on GPUs, TPUs and CPUs; see docs/engines.md.')
    .addHelpText('after', '\nExamples:\n  mtcp engine install xla:cuda13\n  mtcp engine list');
  group
    .command('install')
    .description('install a plugin into the cache, with a Python environment of its own')
    .argument('<name>', 'xla:cuda13, xla:rocm, xla:tpu or xla:cpu')
    .action(async (name) => (await import('../engine.js')).install(name));
  group
    .command('list')
    .description('the plugins that are found on this machine, in the order in which they are tried')
    .action(async () => (await import('../engine.js')).list());
}
