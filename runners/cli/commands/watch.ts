// mtcp watch: a live page of what is trained.
import type { Command } from 'commander';
import { MtcpError } from '../../../registry/errors.js';
import { PROFILE, ROWS, RUNS, choiceOf, parseWhole, type RunsOptions } from '../flags.js';

export function declare(command: Command): void {
  command
    .description(
      'Serves a live page: the state, curves and predictions of trials while they train, and the load of the machine. The page can be reached from this machine only; over ssh, forward the port. The server only reads the folder of runs. Ctrl-C stops it.',
    )
    .argument('[file]', 'experiment file; all trials in the folder of runs if left out')
    .argument('[overrides...]', 'path=value, as given to mtcp run')
    .option(...PROFILE)
    .option(...ROWS)
    .option('--seeds <list>', 'as given to mtcp run')
    .option('--where-it-fits', 'as given to mtcp run')
    .option(...RUNS)
    .option('--port <n>', 'port on 127.0.0.1; 0: any free one', '8420')
    .addHelpText(
      'after',
      `
Examples:
  mtcp watch                                  everything in runs/
  mtcp watch experiments/table3.yaml
  ssh -L 8420:localhost:8420 HOST             then open http://localhost:8420 here`,
    )
    .action(watch);
}

async function watch(
  file: string | undefined,
  overrides: string[],
  { runs, port, ...choice }: RunsOptions & { port: string },
): Promise<void> {
  const { Watch } = await import('../../app/watch/snapshot.js');
  const { serve } = await import('../../app/watch/server.js');
  const number = parseWhole(port, '--port');
  if (number < 0 || number > 65_535)
    throw new MtcpError('usage', `${number} is not a port`, {
      where: `argument "--port ${port}"`,
      hint: 'a number from 0 to 65535',
    });
  const server = await serve(new Watch(runs, file === undefined ? undefined : await expected()), number);
  process.stdout.write(`${server.url}\n`);
  await new Promise<void>((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
  await server.close();

  async function expected() {
    const { openExperiment } = await import('../../config/open.js');
    const { RunFolder } = await import('../../store/ledger/run-folder.js');
    const { trials } = openExperiment(file!, { ...choiceOf(choice, overrides), runs });
    return trials.map((trial) => ({
      folder: new RunFolder(runs, trial).path,
      experiment: trial.experiment,
      row: trial.row,
      seed: trial.seed,
      epochs: trial.config.train.epochs,
    }));
  }
}
