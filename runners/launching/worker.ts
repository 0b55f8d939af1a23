// The process that local.ts starts: trains the trials that it is assigned and reports over its channel. If its parent
// dies, it saves a checkpoint and ends.
import { join } from 'node:path';
import { messageOf } from '../../registry/errors.js';
import { loadComponents } from '../config/components-of.js';
import { DataSources } from '../training/data-sources.js';
import { Ledger } from '../store/ledger/ledger.js';
import { guardOutput, noteLoss } from '../support/output.js';
import { dieWith } from '../support/parent.js';
import { workThrough } from '../training/work.js';
import { Jobs } from './jobs.js';
import { processesOf } from './processes.js';
import type { Assignment, FromWorker, ToWorker } from './local.js';

// A parent that has just died is known by `disconnect`, a moment later; until then sending fails, which is no fault here.
const send = (message: FromWorker): void =>
  void (process.connected && process.send!(message, undefined, undefined, () => {}));

// Nothing that happens to the output of the whole command ends training.
guardOutput();
dieWith(Number(process.argv[2]));
let stopping = false;
process.on('disconnect', () => (stopping = true));
// Ctrl-C, and the end of a terminal, reach the whole group of processes; when to stop is the parent's decision.
process.on('SIGINT', () => {}).on('SIGHUP', () => {});
process.on('SIGTERM', () => (stopping = true));
// Otherwise it opens Node's debugger.
process.on('SIGUSR1', () => {});

process.on('message', (message: ToWorker) => {
  if ('stop' in message) stopping = true;
  else if ('lost' in message) noteLoss(message.lost);
  else
    void work(message.assignment)
      .catch((error: unknown) => send({ broken: messageOf(error) }))
      .finally(() => process.connected && process.disconnect());
});

async function work(assignment: Assignment): Promise<void> {
  const { runs, experiment, trials, settings, only, attempts, tags, skip } = assignment;
  loadComponents(trials);
  const sources = new DataSources(join(runs, experiment), () => {});
  await sources.prepare(trials);
  const worked = await workThrough({
    ledger: new Ledger(runs, trials, { only, attempts, tags, probes: Jobs.of(runs, experiment).probes }),
    specOf: (trial) => trial,
    sources,
    settings,
    ...processesOf(settings),
    observe: (event) => send({ event }),
    stopRequested: () => stopping,
    skip: ({ trial }) => skip.some(({ row, seed }) => row === trial.row && seed === trial.seed),
  });
  send({ worked });
}
