// The folder of a trial: runs/<experiment>/<row>-s<seed>-<hash>. Its files are the only record of what became of
// the trial; the state is read from them and from whether the process that has the folder still lives.
//
//   resolved.yaml   the whole configuration; runs again as it is
//   events.jsonl    what happened
//   steps.jsonl     losses, weights and gradient cosines of every step
//   checkpoints/    see store/checkpoint.ts
//   lock-N.json     who works on it; see lease.ts
//   result.json     written last: the trial is done
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { JsonFormat, NUMBERS, TEXTS } from '../../../registry/support/json-file.js';
import { entryAt } from '../../../registry/support/plain-file.js';
import type { TrialSpec } from '../../config/index.js';
import type { Measured, MetricValues } from '../../../registry/contracts/learning.js';
import { EXPERIMENT_NAME, NAME_RULE } from '../../config/names.js';
import { DIGEST, readEvents, readLog } from './events.js';
import { asIoError, writeWhole } from '../../support/files.js';
import { freeName, requireOwn, requireOwnTree } from '../../support/own.js';
import { readResolved } from '../resolved-file.js';
import { readState } from '../state-file.js';
import { ownerOf, type LeaseOptions, type Ownership } from './lease.js';

/** In the order in which tables list them. */
export const STATES = ['queued', 'running', 'done', 'failed', 'interrupted', 'stale'] as const;

/**
 * queued       not started
 * running      a process works on it
 * done         it has a result
 * failed       it ended with an error
 * interrupted  it stopped after a checkpoint because it was asked to
 * stale        its process died; the next run continues from its last checkpoint
 */
export type TrialState = (typeof STATES)[number];

export interface TrialResult extends Measured {
  row: string;
  seed: number;
  hash: string;
  /**
   * Whose metrics these are: of the epoch that `evaluate.selection` chooses. `rule` is "last" also where no evaluation
   * had a score to choose by.
   */
  selected: { rule: 'last' | 'best'; split: 'held-out' | 'test'; metric: string; epoch: number };
  last: MetricValues;
  best: { epoch: number; metrics: MetricValues } | null;
  /** Of a trial that a search ended early, because it was not among the best of `of` trials. */
  halved?: { epoch: number; rank: number; of: number };
  /** Numbers that are trained. */
  parameters: number;
  epochs: number;
  steps: number;
  /** Training, without evaluation, data generation and compilation. */
  seconds: number;
  /** Most memory that the process held at the end of a step or evaluation, bytes; absent in older results. */
  memory?: number;
  /** Of the network's forward pass for one image; see engine/graph/cost.ts. Absent in older results. */
  flops?: number;
  data: { caption: string; digest: string; notes: string[] };
  /** What each class of a task weighed in its loss, for losses that weigh classes by the training split. */
  classWeights?: Record<string, number[]>;
  engine: string;
}

export class RunFolder {
  readonly path: string;

  /**
   * @param runs the folder of all runs; without a trial, the trial's own folder
   * @throws MtcpError `usage` for names that would lead somewhere else
   */
  constructor(runs: string, trial?: Pick<TrialSpec, 'experiment' | 'row' | 'seed' | 'hash'>) {
    if (trial && !(EXPERIMENT_NAME.test(trial.experiment) && HASH.test(trial.hash)))
      throw new MtcpError('usage', `"${trial.experiment}" is not a name for an experiment`, {
        hint: NAME_RULE,
      });
    this.path = trial ? folderOf(join(runs, trial.experiment), trial) : runs;
  }

  get events(): string {
    return join(this.path, 'events.jsonl');
  }
  get steps(): string {
    return join(this.path, 'steps.jsonl');
  }
  get checkpoints(): string {
    return join(this.path, 'checkpoints');
  }
  get #result(): string {
    return join(this.path, 'result.json');
  }

  state(options?: LeaseOptions): TrialState {
    const { result, fault } = this.#read();
    if (result) return 'done';
    const ownership = this.owner(options);
    if (ownership) return ownership.alive ? 'running' : 'stale';
    if (fault !== undefined) return 'failed';
    const events = readEvents(this.events);
    if (events.length === 0) return existsSync(this.events) ? 'interrupted' : 'queued';
    return events.at(-1)!.event === 'failed' ? 'failed' : 'interrupted';
  }

  /** Undefined if the trial is not done, or if what says so is damaged: then the trial counts as failed. */
  result(): TrialResult | undefined {
    return this.#read().result;
  }

  /** The same. @throws MtcpError `io` if the file is damaged */
  wholeResult(): TrialResult | undefined {
    return RESULT.find(this.#result);
  }

  #read(): { result?: TrialResult; fault?: string } {
    try {
      return { result: this.wholeResult() };
    } catch (error) {
      if (!MtcpError.is(error)) throw error;
      return { fault: error.format() };
    }
  }

  /**
   * What cannot be read in the folder, for people: files that are damaged. Weights are not among them: they are large,
   * and verified when they are used. Checkpoints of a trial that is not done are verified when it goes on.
   */
  faults(): string[] {
    const done = existsSync(this.#result);
    const states = (done ? foldersIn(this.checkpoints) : []).map((path) => () => void readState(path));
    const faults = [() => void this.wholeResult(), () => void readResolved(this.path), ...states].map(
      faultOf,
    );
    return [...faults, readLog(this.events).fault].filter((fault) => fault !== undefined);
  }

  finish(result: TrialResult): void {
    writeWhole(this.#result, `${JSON.stringify(result, null, 2)}\n`);
  }

  get name(): string {
    return basename(this.path);
  }

  /** How often the trial has failed; 0 once it is done. */
  failures(): number {
    if (existsSync(this.#result)) return 0;
    return readEvents(this.events).filter(({ event }) => event === 'failed').length;
  }

  /** When and why the trial failed, if that was the last thing that happened. */
  failure(): { time: string; message: string } | undefined {
    const { fault } = this.#read();
    // At no time: the next run makes the result again, from the last checkpoint.
    if (fault !== undefined) return { time: '', message: fault };
    const last = readEvents(this.events).at(-1);
    return last?.event === 'failed' ? last : undefined;
  }

  /** Digest of the data that the trial was last started with. */
  dataDigest(): string | undefined {
    const started = readEvents(this.events).findLast(({ event }) => event === 'started');
    return this.result()?.data.digest ?? (started?.event === 'started' ? started.data.digest : undefined);
  }

  /** The process that works on the trial, or did until it died; undefined if there is none. */
  owner(options?: LeaseOptions): Ownership | undefined {
    return ownerOf(this.path, options);
  }

  /**
   * Looks whether everything that mtcp would change here is mtcp's own.
   * @throws MtcpError `usage` at a link, which may lead to anything
   */
  requireOwn(): void {
    requireOwn(dirname(this.path), 'folder');
    requireOwnTree(this.path, DEPTH);
  }

  /**
   * Gives the folder another name, so that the trial is new again and nothing is lost.
   * @param why part of the new name
   * @returns where it is now
   */
  setAside(why: string): string {
    const path = freeName(`${this.path}-${why}`);
    try {
      renameSync(this.path, path);
    } catch (error) {
      // Another process was faster.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw asIoError(error, this.path);
    }
    return path;
  }
}

/** What an attempt to read a file says in one line, if it fails. */
function faultOf(read: () => void): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (!MtcpError.is(error)) throw error;
    return error.format().split('\n')[0];
  }
}

/** Folders of checkpoints; those that a crash left unfinished have other names. */
const foldersIn = (checkpoints: string): string[] =>
  !entryAt(checkpoints)?.isDirectory()
    ? []
    : readdirSync(checkpoints)
        .filter((name) => CHECKPOINT.test(name))
        .map((name) => join(checkpoints, name));

const CHECKPOINT = /^(?:step-\d+|best)$/;

const NUMBER = { type: ['number', 'null'] };
const COUNT = { type: 'integer', minimum: 0 };

const RESULT = new JsonFormat<TrialResult>(
  'the result of a trial',
  {
    type: 'object',
    required: [
      'row',
      'seed',
      'hash',
      'metrics',
      'selected',
      'last',
      'best',
      'parameters',
      'epochs',
      'steps',
      'seconds',
      'data',
      'engine',
    ],
    properties: {
      row: { type: 'string' },
      seed: { type: 'integer' },
      hash: { type: 'string' },
      metrics: NUMBERS,
      absent: TEXTS,
      selected: {
        type: 'object',
        required: ['rule', 'split', 'metric', 'epoch'],
        properties: {
          rule: { enum: ['last', 'best'] },
          split: { enum: ['held-out', 'test'] },
          metric: { type: 'string' },
          epoch: COUNT,
        },
      },
      last: NUMBERS,
      best: {
        type: ['object', 'null'],
        required: ['epoch', 'metrics'],
        properties: { epoch: COUNT, metrics: NUMBERS },
      },
      parameters: COUNT,
      epochs: COUNT,
      steps: COUNT,
      seconds: { type: 'number' },
      memory: NUMBER,
      flops: NUMBER,
      data: {
        type: 'object',
        required: ['caption', 'digest', 'notes'],
        properties: {
          caption: { type: 'string' },
          digest: DIGEST,
          notes: { type: 'array', items: { type: 'string' } },
        },
      },
      classWeights: {
        type: 'object',
        additionalProperties: { type: 'array', items: { type: 'number' } },
      },
      engine: { type: 'string' },
    },
  },
  { hint: 'the file is damaged; `mtcp run` makes it again from the last checkpoint' },
);

const HASH = /^[0-9a-f]{8,}$/;

/**
 * The folder of a trial. A trial that is there under a longer or shorter name of its row keeps its folder: what an argument
 * set ("MT-CP, spread=7.5") may be in the file today.
 */
function folderOf(experiment: string, { row, seed, hash }: Pick<TrialSpec, 'row' | 'seed' | 'hash'>): string {
  const name = slug(row);
  const end = `-s${seed}-${hash.slice(0, 8)}`;
  const path = join(experiment, name + end);
  if (existsSync(path) || !existsSync(experiment)) return path;
  const isOfRow = (other: string) => `${other}-`.startsWith(`${name}-`) || `${name}-`.startsWith(`${other}-`);
  const known = readdirSync(experiment).find(
    (folder) => folder.endsWith(end) && isOfRow(folder.slice(0, -end.length)),
  );
  return known === undefined ? path : join(experiment, known);
}

/** checkpoints/, and the folder of a checkpoint in it. */
const DEPTH = 2;

/** Sweeps make long names; the hash behind it tells folders apart. */
const LONGEST_SLUG = 100;

/** A row's name as part of a file name. */
export function slug(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/&/g, ' and ')
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-/, '')
      .slice(0, LONGEST_SLUG)
      .replace(/-$/, '') || 'row'
  );
}
