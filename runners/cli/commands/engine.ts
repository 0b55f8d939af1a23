// mtcp engine: plugins of the xla engine.
import type { Command } from 'commander';

export function declare(command: Command): void {
  command.description(
    'Plugins with which `--engine xla` computes on GPUs, TPUs and CPUs; see docs/engines.md.',
  );
  command
    .command('install')
    .summary('install a plugin')
    .description('Installs a plugin into the cache, with a Python environment of its own.')
    .argument('<name>', 'xla:cuda13, xla:rocm, xla:tpu or xla:cpu')
    .addHelpText('after', '\nExample:\n  mtcp engine install xla:cuda13')
    .action(install);
  command
    .command('list')
    .summary('list the plugins')
    .description('Lists the plugins that are found on this machine, in the order in which they are tried.')
    .addHelpText('after', '\nExample:\n  mtcp engine list')
    .action(list);
}

async function install(name: string): Promise<void> {
  const { installEngine } = await import('../../app/engine-install.js');
  const { path } = await installEngine(name, (what) => process.stderr.write(`${what}\n`));
  process.stdout.write(`${path}\n`);
}

async function list(): Promise<void> {
  const { findPlugins } = await import('../../engine/xla/plugin.js');
  const found = findPlugins();
  if (found.length === 0)
    process.stderr.write('no plugin is found; `mtcp engine install xla:cpu` installs one\n');
  for (const { variant, path } of found) process.stdout.write(`${variant.padEnd(8)}${path}\n`);
}
