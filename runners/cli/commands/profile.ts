// mtcp profile
import type { Command } from 'commander';
import { experimentCommand, JSON_DOCUMENT, RUNS } from '../flags.js';

export function profile(program: Command): void {
  experimentCommand(program.command('profile'))
    .summary('where the time and memory of a row go, module by module')
    .description(
      'Runs a few training steps and a bit of evaluation under a profiler and gathers time, floating-point operations and bytes by the modules of the network, as a table and a flame picture (profile.svg, .png, .json).',
    )
    .option(...RUNS)
    .option('--steps <n>', 'training steps to measure', '5')
    .option('--images <n>', 'validation images to evaluate', '8')
    .option('--depth <n>', 'levels of modules in the table', '3')
    .option('-o, --output <dir>', 'folder for the picture; below the runs if left out')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Example:
  mtcp profile experiments/table3.yaml --row MT-CP --depth 4`,
    )
    .action(async (file, overrides, options) =>
      (await import('../profile.js')).profile(file, overrides, options),
    );
}
