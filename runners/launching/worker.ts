// A process that local.ts starts: works through the trials it is assigned and reports over its channel. Without
// its parent it saves a checkpoint and ends.
import { join } from 'node:path';
import { messageOf } from '../../registry/errors.js';
import { withSources } from '../config/index.js';
import { DataSources } from '../training/data-sources.js';
import { openExperiment } from '../config/open.js';
import { Ledger } from '../store/ledger/ledger.js';
import { shareThreads, workThrough } from '../training/work.js';
import { Jobs } from './jobs.js';
import type { Assignment, FromWorker, ToWorker } from './local.js';

const send = (message: FromWorker): void => void (process.connected && process.send!(message));

let stopping = false;
process.on('disconnect', () => (stopping = true));
// Ctrl-C reaches the whole group of processes; when to stop is the parent's decision.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => (stopping = true));

process.on('message', (message: ToWorker) => {
  if ('stop' in message) stopping = true;
  else
    void work(message.assignment)
      .catch((error: unknown) => send({ broken: messageOf(error) }))
      .finally(() => process.connected && process.disconnect());
});

async function work({ file, options, skip }: Assignment): Promise<void> {
  const experiment = openExperiment(file, options);
  const { name } = experiment;
  const trials = withSources(experiment.trials);
  shareThreads(trials, options.jobs);
  const sources = new DataSources(join(options.runs, name), () => {});
  await sources.prepare(trials);
  const worked = await workThrough({
    ledger: new Ledger(options.runs, trials, {
      only: options.only,
      tags: options.tags,
      probes: Jobs.of(options.runs, name).probes,
    }),
    sources,
    observe: (event) => send({ event }),
    stopRequested: () => stopping,
    skip: ({ trial }) => skip.some(({ row, seed }) => row === trial.row && seed === trial.seed),
  });
  send({ worked });
}
