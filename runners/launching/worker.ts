// A process that local.ts starts: works through the trials it is assigned and reports over its channel. Without
// its parent it saves a checkpoint and ends.
import { join } from 'node:path';
import { messageOf } from '../../registry/errors.js';
import { loadComponents } from '../config/components-of.js';
import { DataSources } from '../training/data-sources.js';
import { Ledger } from '../store/ledger/ledger.js';
import { workThrough } from '../training/work.js';
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

async function work(assignment: Assignment): Promise<void> {
  const { runs, experiment, trials, settings, only, tags, skip } = assignment;
  loadComponents(trials);
  const sources = new DataSources(join(runs, experiment), () => {});
  await sources.prepare(trials);
  const worked = await workThrough({
    ledger: new Ledger(runs, trials, { only, tags, probes: Jobs.of(runs, experiment).probes }),
    specOf: (trial) => trial,
    sources,
    settings,
    observe: (event) => send({ event }),
    stopRequested: () => stopping,
    skip: ({ trial }) => skip.some(({ row, seed }) => row === trial.row && seed === trial.seed),
  });
  send({ worked });
}
