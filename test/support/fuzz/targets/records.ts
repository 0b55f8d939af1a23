// What mtcp keeps beside trials: submissions, trackers, prepared data, trust.
import { dirname, join } from 'node:path';
import { changedFiles, readPrepared } from '../../../../modules/datasets/prepare/target.js';
import { readTrustList } from '../../../../runners/config/trust.js';
import { Jobs } from '../../../../runners/launching/jobs.js';
import { SubmissionFolder } from '../../../../runners/launching/submission.js';
import { readInvocations } from '../../../../runners/tracking/mlflow/invocation.js';
import { TRIAL_STATE } from '../../../../runners/tracking/mlflow/trial-metrics.js';
import { json, put, TRIAL, type Targets } from '../target.js';

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

export const RECORDS: Targets = {
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
};
