// What a trial leaves in its folder.
import { dirname, join } from 'node:path';
import { writeResolved } from '../../../../runners/config/index.js';
import { EventLog, readLog } from '../../../../runners/store/ledger/events.js';
import { readJobMark, writeJobMark } from '../../../../runners/store/ledger/job-mark.js';
import { Lease, ownerOf } from '../../../../runners/store/ledger/lease.js';
import { RunFolder } from '../../../../runners/store/ledger/run-folder.js';
import { readSteps, StepLog } from '../../../../runners/store/ledger/steps.js';
import { readResolved } from '../../../../runners/store/resolved-file.js';
import { readPredictionIndex } from '../../../../runners/training/pictures.js';
import { json, put, TRIAL, type Targets } from '../target.js';

const result = {
  row: 'one',
  seed: 0,
  hash: 'a'.repeat(64),
  metrics: { 'depth.RMSE': 1.5, 'semseg.mIoU': null },
  selected: { rule: 'last', split: 'test', metric: 'all', epoch: 2 },
  last: { 'depth.RMSE': 1.5 },
  best: { epoch: 1, metrics: { 'depth.RMSE': 1.4 } },
  parameters: 10,
  epochs: 2,
  steps: 8,
  seconds: 1.5,
  data: { caption: 'x', digest: 'y', notes: ['z'] },
  engine: 'cpu',
};

export const TRIALS: Targets = {
  'a result': {
    make: (folder) => json(join(folder, 'result.json'), result),
    read(path) {
      const folder = new RunFolder(dirname(path));
      return [folder.state(), folder.result(), folder.faults(), folder.failure(), folder.dataDigest()];
    },
    total: true,
  },
  events: {
    make(folder) {
      const log = new EventLog(join(folder, 'events.jsonl'));
      const data = { caption: 'x', digest: 'y', notes: [] };
      log.append({ event: 'started', row: 'one', seed: 0, hash: 'a', data });
      for (let epoch = 1; epoch < 4; epoch++) {
        log.append({ event: 'evaluated', epoch, metrics: { 'depth.RMSE': 1 / epoch }, seconds: 1 });
        log.append({ event: 'checkpoint', epoch, step: 4 * epoch, path: 'x' });
      }
      log.append({ event: 'resumed', epoch: 2, step: 8 });
      log.append({ event: 'failed', message: 'why' });
      return log.path;
    },
    read(path) {
      const folder = new RunFolder(dirname(path));
      return [readLog(path), folder.state(), folder.failure(), folder.dataDigest(), folder.faults()];
    },
    total: true,
  },
  steps: {
    make(folder) {
      const log = new StepLog(join(folder, 'steps.jsonl'));
      for (let step = 1; step < 6; step++) {
        const values = { depth: 1 / step };
        log.add({
          epoch: 1,
          step,
          rate: 0.1,
          total: 1,
          raw: values,
          projected: values,
          weights: values,
          cosines: {},
        });
      }
      log.flush();
      return log.path;
    },
    read(path) {
      const before = readSteps(path);
      new StepLog(path).rewind(3);
      return [before, readSteps(path)];
    },
    total: true,
  },
  'a lock': {
    make(folder) {
      return json(join(folder, 'lock-1.json'), {
        pid: 1,
        host: 'another',
        machine: 'boot pid:[1]',
        started: '1',
        since: '2026-01-01T00:00:00.000Z',
        tags: { job: '17' },
      });
    },
    read(path) {
      ownerOf(dirname(path));
      const lease = Lease.take(dirname(path), { silence: 0, probes: [() => 'dead'] });
      if (lease instanceof Lease) lease.release();
      return undefined;
    },
    total: true,
  },
  'the mark of a job': {
    make(folder) {
      writeJobMark(folder, { job: '1', task: 2, host: 'here', log: 'x.log' });
      return join(folder, 'job.json');
    },
    read: (path) => readJobMark(dirname(path)),
    total: true,
  },
  'a resolved configuration': {
    make: (folder) => put(join(folder, 'resolved.yaml'), writeResolved(TRIAL)),
    read(path) {
      readResolved(dirname(path));
      return new RunFolder(dirname(path)).faults().length === 0;
    },
  },
  'an index of predictions': {
    make: (folder) =>
      json(join(folder, 'predictions/index.json'), {
        tasks: [
          { name: 'depth', legend: { kind: 'scale', low: '0', high: '1', colours: ['#000', '#fff'] } },
          { name: 'semseg', legend: { kind: 'swatches', entries: [{ name: 'wall', colour: '#123456' }] } },
        ],
        images: [
          {
            id: '1',
            image: '1.jpg',
            tasks: { depth: { label: '1.depth.label.png', prediction: '1.depth.png' } },
          },
        ],
      }),
    read: (path) => readPredictionIndex(dirname(dirname(path))),
  },
};
