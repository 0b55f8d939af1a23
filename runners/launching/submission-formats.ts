// The files of a submission and their formats; see submission.ts. They lie on shared disks, and are written by mtcp of
// other versions and by shell scripts. So each is checked when it is read.
import type { Slot } from '../../registry/container.js';
import { JsonFormat, type FileSchema } from '../../registry/support/json-file.js';
import type { Attempts, TrialRef } from '../store/ledger/ledger.js';

export interface Group {
  /** a, b, ... */
  name: string;
  /** Its trials: this one and those up to the next group's first. */
  first: number;
  trials: number;
  tasks: number;
  /** Trials of a task. */
  each: number;
  /** Names of the groups that it waits for, and numbers of earlier jobs. */
  after: string[];
  afterJobs: string[];
  /** Number of its job; null until the system has taken it. */
  job: string | null;
}

export interface Submission {
  format: 1;
  key: string;
  experiment: string;
  profile: string | null;
  /** The experiment file. */
  file: string;
  command: string;
  launcher: Slot;
  /** Files of components that it needs, absolute. */
  plugins: readonly string[];
  user: string;
  host: string;
  cwd: string;
  created: string;
  groups: Group[];
}

/** A trial of a submission, as much as it takes to claim it. */
export interface Listed extends TrialRef {
  /** The trial in specs.jsonl: first byte and length. */
  at: [number, number];
  /** CRC-32 of these bytes. */
  crc: number;
  /** What had been tried when it was submitted; absent if nothing had. */
  attempts?: Attempts[string];
}

/** What the script of a task writes down; see slurm/script.ts. */
export type TaskRecord =
  | { event: 'started'; time: string; job: string; restart: number; node: string }
  | {
      event: 'requeued' | 'ended';
      time: string;
      job: string;
      restart: number;
      node: string;
      code: number | null;
    };

const TEXT = { type: 'string' };
const COUNT = { type: 'integer', minimum: 0 };
const NAMES = { type: 'array', items: TEXT };

/** An object with at least these properties. */
const having = (properties: Readonly<Record<string, FileSchema>>): FileSchema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});

export const SUBMISSION = new JsonFormat<Submission>(
  'the record of a submission by this version of mtcp',
  having({
    format: { const: 1 },
    key: TEXT,
    experiment: TEXT,
    profile: { type: ['string', 'null'] },
    file: TEXT,
    command: TEXT,
    launcher: having({ type: TEXT }),
    plugins: NAMES,
    user: TEXT,
    host: TEXT,
    cwd: TEXT,
    created: TEXT,
    groups: {
      type: 'array',
      items: having({
        name: TEXT,
        first: COUNT,
        trials: COUNT,
        tasks: COUNT,
        each: { type: 'integer', minimum: 1 },
        after: NAMES,
        afterJobs: NAMES,
        job: { type: ['string', 'null'] },
      }),
    },
  }),
  { hint: 'once its jobs have ended, the folder can be removed' },
);

/** No trial is longer in full. */
const LONGEST_SPEC = 2 ** 28;

const TRIAL_REF: Readonly<Record<string, FileSchema>> = {
  experiment: TEXT,
  row: TEXT,
  seed: { type: 'integer' },
  hash: TEXT,
  sources: { type: 'object', additionalProperties: { $ref: '#/definitions/ref' } },
};

export const LISTED = new JsonFormat<Listed>(
  'a list of trials',
  {
    definitions: { ref: having(TRIAL_REF) },
    ...having({
      ...TRIAL_REF,
      at: { type: 'array', items: { ...COUNT, maximum: LONGEST_SPEC }, minItems: 2, maxItems: 2 },
      crc: COUNT,
    }),
  },
  { hint: 'submit it again' },
);

export const TASK_RECORDS = new JsonFormat<TaskRecord>('the record of a task', {
  ...having({
    event: { enum: ['started', 'requeued', 'ended'] },
    time: TEXT,
    job: TEXT,
    restart: COUNT,
    node: TEXT,
  }),
});
