// mtcp engine: plugins of the xla engine.
import type { Command } from 'commander';
import { choiceOf, DEVICES, experimentCommand, parseDevices, type ExperimentOptions } from '../flags.js';

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
    .description('Lists the plugins found on this machine, in the order in which they are tried.')
    .addHelpText('after', '\nExample:\n  mtcp engine list')
    .action(list);
  const precompiles = command
    .command('precompile')
    .summary('compile the programs of an experiment')
    .description(
      'Compiles the programs of every row into the cache, for the XLA device of this machine or for another one, so that runs start at once.',
    );
  experimentCommand(precompiles)
    .option('--engine <name>', 'xla, or xla:cuda13 and others')
    .option(...DEVICES)
    .option(
      '--device <name>',
      'a device that is not here: h100, or a file with a target configuration of XLA',
    )
    .addHelpText(
      'after',
      `
Examples:
  mtcp engine precompile experiments/table3.yaml --engine xla
  mtcp engine precompile experiments/table3.yaml --profile full --row MT-CP --device h100`,
    )
    .action(precompileRows);
}

async function precompileRows(
  file: string,
  overrides: string[],
  {
    engine,
    devices,
    device,
    ...choice
  }: ExperimentOptions & { engine?: string; devices?: string; device?: string },
): Promise<void> {
  await import('../../../modules/index.js');
  const { openExperiment } = await import('../../config/open.js');
  const { precompile } = await import('../../app/precompile.js');
  const experiment = openExperiment(file, {
    ...choiceOf(choice, overrides),
    engine,
    devices: parseDevices(devices),
  });
  const compiled = await precompile(experiment.needed, {
    device,
    tell: (what) => process.stderr.write(`${what}\n`),
  });
  for (const { row, seconds, memory } of compiled) {
    const takes = memory === undefined ? '' : `, ${(memory / 1e9).toFixed(2)} GB on the device`;
    process.stdout.write(`${row}: compiled in ${seconds.toFixed(0)} s${takes}\n`);
  }
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
