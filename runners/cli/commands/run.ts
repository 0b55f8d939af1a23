// mtcp run
import type { Command } from 'commander';
import { DATA, engineOptions, experimentCommand, QUIET, RUNS } from '../flags.js';

export function run(program: Command): void {
  engineOptions(experimentCommand(program.command('run')))
    .summary('train the rows of an experiment and print its table')
    .description(
      'Trains every row that is not done yet, one after the other. Rows that were interrupted continue where they were, a row that fails does not stop the others. Several processes, on one machine or many, may run the same file in the same folder of runs: each takes rows that no other has. The table goes to stdout, progress to stderr. Ctrl-C saves a checkpoint and stops, a second one stops at once.',
    )
    .option(...RUNS)
    .option(...DATA)
    .option('--needed', 'train what is not done yet, whatever the reason; the default')
    .option('--only <states>', 'train only trials in these states: queued, failed, interrupted, stale')
    .option('--fresh', 'train everything again; what there is is set aside, not deleted')
    .option(
      '--jobs <n>',
      'trials at once, each in its own process with its share of the threads; auto (the default): one for each core where networks are small',
    )
    .option('--launcher <name>', 'where to train: local, or slurm for the jobs of a cluster')
    .option('--detach', 'with slurm: return when the jobs are handed in')
    .option('--dry-run', 'with slurm: print the scripts of the jobs, hand nothing in')
    .option('--json', 'events as JSON, one object a line, the table last')
    .option(...QUIET)
    .addHelpText(
      'after',
      `
Examples:
  mtcp run experiments/table3.yaml
  mtcp run experiments/table3.yaml --row "MT-CP" --seeds 0,1,2 --jobs 2
  mtcp run my.yaml --profile full --engine onnx:cuda train.epochs=5
  mtcp run my.yaml --launcher slurm --dry-run           the script of the job array
  mtcp run my.yaml --launcher slurm --detach            mtcp status and mtcp cancel do the rest`,
    )
    .action(async (file, overrides, options) => (await import('../run.js')).run(file, overrides, options));
}
