// What was handed to a batch system at one time: runs/<experiment>/.jobs/<key>/
//
//   submission.json    who asked for what, and the jobs that came of it
//   a.sh, b.sh, ...    the scripts, one for each group of trials; those of b wait for those of a
//   trials.jsonl       the trials in the order of the groups, one a line
//   specs.jsonl        the trials in full, one a line: later changes of the experiment file do not count
//   tasks/a-7.jsonl    beginnings and ends of a task
//   logs/JOB_7.log     what it printed
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Slot } from '../../registry/container.js';
import { MtcpError } from '../../registry/errors.js';
import type { TrialSpec } from '../config/index.js';
import { writeWhole } from '../support/files.js';
import type { Attempts, TrialRef } from '../store/ledger/ledger.js';
import { RunFolder } from '../store/ledger/run-folder.js';

const SPECS = 'specs.jsonl';

/** Folder of submissions in the folder of an experiment. */
export const JOBS = '.jobs';

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

/** What tells a trial's folder from all others. */
export type TrialName = Pick<TrialSpec, 'experiment' | 'row' | 'seed' | 'hash'>;

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

export class SubmissionFolder {
  constructor(readonly path: string) {}

  get runs(): string {
    return join(this.path, '..', '..', '..');
  }
  get logs(): string {
    return join(this.path, 'logs');
  }
  get tasks(): string {
    return join(this.path, 'tasks');
  }
  get #record(): string {
    return join(this.path, 'submission.json');
  }
  script(group: string): string {
    return join(this.path, `${group}.sh`);
  }
  records(group: string): string {
    return join(this.tasks, group);
  }
  log(job: string, task: number): string {
    return join(this.logs, `${job}_${task}.log`);
  }

  read(): Submission {
    try {
      const record = JSON.parse(readFileSync(this.#record, 'utf8')) as Submission;
      if (record.format === 1) return record;
    } catch (cause) {
      throw new MtcpError('usage', 'there is no submission here', { where: this.path, cause });
    }
    throw new MtcpError('usage', 'another version of mtcp wrote this submission', { where: this.path });
  }

  write(submission: Submission): void {
    writeWhole(this.#record, `${JSON.stringify(submission, null, 2)}\n`);
  }

  writeTrials(trials: readonly TrialSpec[], attempts: Attempts): void {
    const specs: Buffer[] = [];
    let end = 0;
    const lines = trials.map((trial) => {
      const text = Buffer.from(`${JSON.stringify(trial)}\n`);
      specs.push(text);
      const listed: Listed = {
        ...refOf(trial),
        at: [end, text.length],
        crc: crc32(text),
        attempts: attempts[this.#nameOf(trial)],
      };
      end += text.length;
      return JSON.stringify(listed);
    });
    writeWhole(join(this.path, SPECS), Buffer.concat(specs));
    writeWhole(join(this.path, 'trials.jsonl'), `${lines.join('\n')}\n`);
  }

  readTrials(): Listed[] {
    return readFileSync(join(this.path, 'trials.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Listed);
  }

  attemptsOf(listed: readonly Listed[]): Attempts {
    return Object.fromEntries(
      listed.flatMap((each) => (each.attempts ? [[this.#nameOf(each), each.attempts]] : [])),
    );
  }

  #nameOf(trial: TrialName): string {
    return new RunFolder(this.runs, trial).name;
  }

  /**
   * The whole of a listed trial.
   * @throws MtcpError `io` if it is not there any more or damaged
   */
  readSpec({ at: [first, length], crc }: Listed): TrialSpec {
    const path = join(this.path, SPECS);
    try {
      const file = openSync(path, 'r');
      try {
        const text = Buffer.alloc(length);
        readSync(file, text, 0, length, first);
        if (crc32(text) === crc) return JSON.parse(text.toString('utf8')) as TrialSpec;
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      throw new MtcpError('io', 'a trial of this submission cannot be read', { where: path, cause });
    }
    throw new MtcpError('io', 'a trial of this submission is not what it was when it was submitted', {
      where: path,
      hint: 'submit it again',
    });
  }

  /** What a task wrote down; a line that was cut off is left out. */
  readTask(group: string, task: number): TaskRecord[] {
    const path = `${this.records(group)}-${task}.jsonl`;
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line): TaskRecord[] => {
        try {
          return line === '' ? [] : [JSON.parse(line) as TaskRecord];
        } catch {
          return [];
        }
      });
  }
}

/** Last lines of a file. */
export function tail(path: string, lines: number): string[] {
  if (!existsSync(path)) return [];
  const { size } = statSync(path);
  const length = Math.min(size, 64 * 1024);
  const file = openSync(path, 'r');
  try {
    const text = Buffer.alloc(length);
    readSync(file, text, 0, length, size - length);
    return text.toString('utf8').trimEnd().split('\n').slice(-lines);
  } finally {
    closeSync(file);
  }
}

/** All submissions of an experiment, oldest first. */
export function submissionsOf(
  runs: string,
  experiment: string,
): { folder: SubmissionFolder; record: Submission }[] {
  const home = join(runs, experiment, JOBS);
  if (!existsSync(home)) return [];
  return readdirSync(home)
    .sort()
    .flatMap((key) => {
      const folder = new SubmissionFolder(join(home, key));
      try {
        return [{ folder, record: folder.read() }];
      } catch {
        // Being written.
        return [];
      }
    });
}

const refOf = ({ experiment, row, seed, hash, sources }: TrialRef): TrialRef => ({
  experiment,
  row,
  seed,
  hash,
  sources: Object.fromEntries(Object.entries(sources).map(([path, source]) => [path, refOf(source)])),
});

/** Path of a trial's folder, as what identifies it in a folder of runs. */
export const pathOf = (runs: string, trial: TrialName): string => new RunFolder(runs, trial).path;
