// Every reader of files that others made or that lay on a disk, with a sound file for it to begin from.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import h5wasm from 'h5wasm/node';
import sharp from 'sharp';
import { parseJpeg } from '../../../modules/datasets/formats/jpeg.js';
import { Hdf5File } from '../../../modules/datasets/formats/hdf5.js';
import { encodeMat, matStructs, matText, readMat } from '../../../modules/datasets/formats/mat.js';
import { encodeNpy, readNpy } from '../../../modules/datasets/formats/npy.js';
import {
  encodeLabelPng,
  encodeRgbPng,
  readLabelPng,
  readRgbPng,
} from '../../../modules/datasets/formats/png.js';
import { readBytes } from '../../../modules/datasets/formats/file.js';
import { MtcpError } from '../../../registry/errors.js';
import { changedFiles, readPrepared } from '../../../modules/datasets/prepare/target.js';
import { writeResolved, type TrialSpec } from '../../../runners/config/index.js';
import { readTrustList } from '../../../runners/config/trust.js';
import { Jobs } from '../../../runners/launching/jobs.js';
import { SubmissionFolder } from '../../../runners/launching/submission.js';
import { readInvocations } from '../../../runners/tracking/mlflow/invocation.js';
import { TRIAL_STATE } from '../../../runners/tracking/mlflow/trial-metrics.js';
import { wholeWeights, writeBest } from '../../../runners/store/checkpoint.js';
import { EventLog, readLog } from '../../../runners/store/ledger/events.js';
import { readJobMark, writeJobMark } from '../../../runners/store/ledger/job-mark.js';
import { Lease, ownerOf } from '../../../runners/store/ledger/lease.js';
import { RunFolder } from '../../../runners/store/ledger/run-folder.js';
import { readSteps, StepLog } from '../../../runners/store/ledger/steps.js';
import { readResolved } from '../../../runners/store/resolved-file.js';
import { readState } from '../../../runners/store/state-file.js';
import { readPredictionIndex } from '../../../runners/training/pictures.js';
import { readSafetensors, SafetensorsFile, writeSafetensors } from '../../../runners/support/safetensors.js';
import { WeightsSource } from '../../../runners/support/weights-source.js';

export interface Target {
  /** Writes sound files into an empty folder. @returns the one that is damaged */
  make(folder: string): string | Promise<string>;
  /** What is read from it; refusing is an MtcpError. */
  read(path: string): unknown;
  /** There is a checksum: what is read although the file was changed has to be what was written. */
  exact?: true;
  /** Nothing in the file may make this one fail. */
  total?: true;
}

const tensors = new Map([
  ['a.weight', { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ['a.bias', { dtype: 'float32', shape: [3], data: Float32Array.of(7, 8, 9) }],
  ['count', { dtype: 'int32', shape: [], data: Int32Array.of(1) }],
] as const);

const put = (path: string, content: string | Uint8Array): string => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};

const json = (path: string, value: unknown): string => put(path, JSON.stringify(value, null, 1));

const plain = (path: string) =>
  Object.fromEntries([...readSafetensors(path).tensors].map(([name, { data }]) => [name, [...data]]));

const best = (folder: string): string => {
  writeBest(folder, { entries: () => tensors }, { epoch: 3, score: 0.5, metrics: { 'depth.RMSE': 1.25 } });
  return join(folder, 'best');
};

const readBest = (path: string) => [readState(dirname(path)).state, plain(wholeWeights(dirname(path)))];

const shard = (folder: string, name: string, part: string): string => {
  const path = join(folder, name);
  writeSafetensors(path, new Map([...tensors].filter(([key]) => key.startsWith(part))), { format: 'pt' });
  return path;
};

const readSource = (path: string) => {
  const source = new WeightsSource(dirname(path));
  try {
    source.verify();
    return [[...source.tensors.keys()], source.settings, source.stripped];
  } finally {
    source.close();
  }
};

const hub = (folder: string): void => {
  shard(folder, 'model-1.safetensors', 'a');
  shard(folder, 'model-2.safetensors', 'count');
  json(join(folder, 'model.safetensors.index.json'), {
    metadata: { total_size: 40 },
    weight_map: {
      'a.weight': 'model-1.safetensors',
      'a.bias': 'model-1.safetensors',
      count: 'model-2.safetensors',
    },
  });
  json(join(folder, 'config.json'), { num_attention_heads: 4, model_type: 'mask2former' });
};

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

/** As much of a trial as its files need. */
const TRIAL = {
  experiment: 'test',
  row: 'one',
  seed: 0,
  hash: 'a'.repeat(64),
  config: { train: { epochs: 2 }, scheme: { type: 'equal' } },
  plugins: [],
  sources: {},
  code: {},
} as unknown as TrialSpec;

const SUBMITTED = 'test/.jobs/1';

/** A submission with all its files in a folder of runs. @returns the one that is damaged */
function submission(runs: string, file: string): string {
  const folder = new SubmissionFolder(join(runs, SUBMITTED));
  folder.writeTrials([TRIAL, { ...TRIAL, row: 'b', hash: 'b'.repeat(64) }], {});
  const group = { name: 'a', first: 0, trials: 2, tasks: 2, each: 1, after: [], afterJobs: [], job: '1' };
  folder.write({
    format: 1,
    key: '1',
    experiment: 'test',
    profile: null,
    file: 'x.yaml',
    command: 'mtcp run x.yaml',
    launcher: { type: 'slurm' },
    plugins: [],
    user: 'me',
    host: 'here',
    cwd: '/',
    created: '2026-01-01T00:00:00.000Z',
    groups: [group],
  });
  return join(folder.path, file);
}

const jobsOf = (path: string) => Jobs.of(join(dirname(path), '../../..'), 'test');

const TRACKED = {
  format: 1,
  server: 'http://x',
  key: 'k',
  run: { run_id: '1', experiment_id: '2', artifact_uri: 'x:/1' },
  doubtful: false,
  status: 'RUNNING',
  files: { 'a.txt': '1 2' },
  refused: {},
  events: 10,
  steps: { inode: 1, bytes: 2, step: 3 },
  system: 0,
  epoch: 1,
  evaluated: 0,
  nonFinite: [],
  parent: null,
  model: { model_id: null, done: ['uploaded'] },
  complete: false,
};

const INVOCATION = {
  format: 1,
  key: '1',
  experiment: 'test',
  name: 'test',
  title: 'test',
  description: null,
  profile: null,
  file: 'x.yaml',
  command: 'mtcp run x.yaml',
  options: { steps: 1, system: null, checkpoints: 'none', model: true, register: null },
  user: 'me',
  host: 'here',
  version: '1',
  git: { commit: 'a', branch: 'b', url: 'c', dirty: false },
  job: null,
  started: 'x',
  ended: null,
  outcome: 'finished',
  trials: ['one-s0-aaaaaaaa'],
};

const PREPARED = {
  format: 1,
  benchmark: 'nyud-v2',
  sources: { archive: 'a'.repeat(64) },
  notes: ['semseg: none'],
  files: { 'prepared.json': 'a'.repeat(64), 'b.png': 'b'.repeat(64) },
};

const classes = Uint8Array.from({ length: 12 * 16 }, (_, i) => i % 7);

export const TARGETS: Readonly<Record<string, Target>> = {
  'a safetensors file': {
    make: (folder) => shard(folder, 'x.safetensors', ''),
    read(path) {
      const file = new SafetensorsFile(path);
      try {
        file.verify();
        return [...file.tensors.keys()].map((name) => file.read(name).data.length);
      } finally {
        file.close();
      }
    },
  },
  'weights of a checkpoint': {
    make: (folder) => join(best(folder), 'weights.safetensors'),
    read: readBest,
    exact: true,
  },
  'the state of a checkpoint': {
    make: (folder) => join(best(folder), 'state.json'),
    read: readBest,
    exact: true,
  },
  'a shard': { make: (folder) => (hub(folder), join(folder, 'model-1.safetensors')), read: readSource },
  'an index of shards': {
    make: (folder) => (hub(folder), join(folder, 'model.safetensors.index.json')),
    read: readSource,
  },
  'a config.json': { make: (folder) => (hub(folder), join(folder, 'config.json')), read: readSource },
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
  'the record of a submission': {
    make: (folder) => submission(folder, 'submission.json'),
    read: (path) => new SubmissionFolder(dirname(path)).read(),
  },
  'trials of a submission': {
    make: (folder) => submission(folder, 'trials.jsonl'),
    read: (path) => [new SubmissionFolder(dirname(path)).readTrials(), jobsOf(path).fault],
  },
  'trials of a submission in full': {
    make: (folder) => submission(folder, 'specs.jsonl'),
    read(path) {
      const folder = new SubmissionFolder(dirname(path));
      return folder.readTrials().map((listed) => folder.readSpec(listed));
    },
    exact: true,
  },
  'jobs of an experiment': {
    make: (folder) => submission(folder, 'submission.json'),
    read: (path) => jobsOf(path).fault,
    total: true,
  },
  'the record of a task': {
    make(folder) {
      submission(folder, 'submission.json');
      const ended = { event: 'ended', time: 'x', job: '1', restart: 0, node: 'n1', code: 0 };
      return put(join(folder, SUBMITTED, 'tasks/a-0.jsonl'), `${JSON.stringify(ended)}\n`);
    },
    read: (path) => new SubmissionFolder(join(dirname(path), '..')).readTask('a', 0),
    total: true,
  },
  'the record of a tracked run': {
    make: (folder) => json(join(folder, 'state.json'), TRACKED),
    read: (path) => TRIAL_STATE.find(path),
  },
  'the record of an invocation': {
    make: (folder) => json(join(folder, '.mlflow/1/invocation.json'), INVOCATION),
    read: (path) => readInvocations(join(dirname(path), '../..')),
    total: true,
  },
  'a prepared folder': {
    make: (folder) => json(join(folder, 'prepared.json'), PREPARED),
    read: async (path) => changedFiles(dirname(path), readPrepared(dirname(path))!, () => {}),
  },
  'a list of trusted plugins': {
    make: (folder) =>
      json(join(folder, 'trusted.json'), { code: { ['a'.repeat(64)]: '/x.ts' }, own: ['/y.ts'] }),
    read(path) {
      process.env.MTCP_TRUST_LIST = path;
      try {
        return readTrustList();
      } finally {
        delete process.env.MTCP_TRUST_LIST;
      }
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
  'a label map': {
    make: (folder) => put(join(folder, 'x.png'), encodeLabelPng(classes, 12, 16)),
    read: readLabelPng,
  },
  'a palette of few bits': {
    make: async (folder) => {
      const raw = { width: 16, height: 12, channels: 1 } as const;
      return put(
        join(folder, 'x.png'),
        await sharp(classes, { raw }).png({ palette: true, colours: 8 }).toBuffer(),
      );
    },
    read: readLabelPng,
  },
  'normals in bytes': {
    make: (folder) =>
      put(
        join(folder, 'x.png'),
        encodeRgbPng(
          Uint8Array.from({ length: 576 }, (_, i) => i),
          12,
          16,
        ),
      ),
    read: readRgbPng,
  },
  'a photograph': {
    make: async (folder) =>
      put(
        join(folder, 'x.jpg'),
        await sharp({ create: { width: 16, height: 12, channels: 3, background: '#a52' } })
          .jpeg()
          .toBuffer(),
      ),
    read: async (path) => parseJpeg(await readBytes(path), path),
  },
  'an array': {
    make: (folder) => put(join(folder, 'x.npy'), encodeNpy(Float32Array.from(classes), [12, 16])),
    read: readNpy,
  },
  'a MAT file of version 7.3': {
    async make(folder) {
      await h5wasm.ready;
      const path = join(folder, 'x.mat');
      const file = new h5wasm.File(path, 'w');
      const packed = { chunks: [1, 16, 12], compression: 4 };
      file.create_dataset({ name: 'labels', data: Uint16Array.from(classes), shape: [1, 16, 12] });
      file.create_dataset({
        name: 'depths',
        data: Float32Array.from(classes),
        shape: [1, 16, 12],
        ...packed,
      });
      file.close();
      return path;
    },
    async read(path) {
      const file = await Hdf5File.open(path);
      try {
        const labels = file.slice('labels', 0, [Uint16Array]);
        return [
          file.shapeOf('labels'),
          Array.from(labels),
          Array.from(file.slice('depths', 0, [Float32Array])),
        ];
      } finally {
        file.close();
      }
    },
  },
  'a MAT file': {
    make(folder) {
      const map = { kind: 'map', height: 12, width: 16, data: classes } as const;
      const objects = matStructs(['class', 'mask'], [{ class: matText('person'), mask: map }]);
      return put(join(folder, 'x.mat'), encodeMat({ LabelMap: map, anno: objects }));
    },
    read: (path) => readMat(path),
  },
};

/** What a reader did with a damaged file. */
export type Outcome = 'refused' | 'accepted' | { fault: string };

/** Seconds of processor time that any reader may take, and seconds until it hangs, on a busy machine. */
const SLOW = 2;
const HANGS = 60;

export async function attempt(target: Target, path: string, sound: string): Promise<Outcome> {
  const began = performance.now();
  const before = process.cpuUsage();
  let outcome: Outcome;
  try {
    const read = await target.read(path);
    const wrong = target.exact === true && text(read) !== sound;
    outcome = wrong ? { fault: 'wrong acceptance: something else was read' } : 'accepted';
  } catch (error) {
    if (!MtcpError.is(error)) outcome = { fault: `crash: ${(error as Error).stack}` };
    else if (target.total) outcome = { fault: `refused: ${error.format()}` };
    else if (!/\S/.test(error.message)) outcome = { fault: `says nothing about ${basename(path)}` };
    else outcome = 'refused';
  }
  const { user, system } = process.cpuUsage(before);
  const taken = (user + system) / 1e6;
  if (taken > SLOW) return { fault: `slow: ${taken} s` };
  const waited = (performance.now() - began) / 1000;
  return waited > HANGS ? { fault: `hangs: ${waited} s` } : outcome;
}

export const text = (value: unknown): string => JSON.stringify(value) ?? '';
