// What was handed to a batch system at one time: runs/<experiment>/.jobs/<key>/
//
//   submission.json    who asked for what, and the jobs that came of it
//   a.sh, b.sh, ...    the scripts, one for each group of trials; those of b wait for those of a
//   trials.jsonl       the trials in the order of the groups, one a line
//   specs.jsonl        the trials in full, one a line: later changes of the experiment file do not count
//   tasks/a-7.jsonl    beginnings and ends of a task
//   logs/JOB_7.log     what it printed
import { closeSync, existsSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { MtcpError } from '../../registry/errors.js';
import { openPlain } from '../../registry/support/plain-file.js';
import type { TrialSpec } from '../config/index.js';
import { PRIVATE_FILE, writeWhole } from '../support/files.js';
import type { Attempts, TrialRef } from '../store/ledger/ledger.js';
import { RunFolder } from '../store/ledger/run-folder.js';
import {
  LISTED,
  SUBMISSION,
  TASK_RECORDS,
  type Listed,
  type Submission,
  type TaskRecord,
} from './submission-formats.js';

const SPECS = 'specs.jsonl';
const TRIALS = 'trials.jsonl';

const AGAIN = 'submit it again';

/** Folder of submissions in the folder of an experiment. */
export const JOBS = '.jobs';

/** What tells a trial's folder from all others. */
export type TrialName = Pick<TrialSpec, 'experiment' | 'row' | 'seed' | 'hash'>;

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

  /**
   * What was submitted.
   * @throws MtcpError `usage` if there is no submission here, `io` if it is damaged or of another version
   */
  read(): Submission {
    const record = this.find();
    if (!record) throw new MtcpError('usage', 'there is no submission here', { where: this.path });
    return record;
  }

  /** The same; undefined if there is none, or if it is being written. @throws MtcpError `io` */
  find(): Submission | undefined {
    return SUBMISSION.find(this.#record);
  }

  /** For its user alone, as are trials in full and scripts: commands and settings may hold what is secret. */
  write(submission: Submission): void {
    writeWhole(this.#record, `${JSON.stringify(submission, null, 2)}\n`, PRIVATE_FILE);
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
    writeWhole(join(this.path, SPECS), Buffer.concat(specs), PRIVATE_FILE);
    writeWhole(join(this.path, TRIALS), `${lines.join('\n')}\n`);
  }

  /** @throws MtcpError `io` if one of them cannot be read: jobs count their trials by lines */
  readTrials(): Listed[] {
    const path = join(this.path, TRIALS);
    if (!existsSync(path)) throw new MtcpError('io', 'file not found', { where: path, hint: AGAIN });
    const { records, malformed } = LISTED.lines(path);
    if (malformed.length === 0) return records;
    throw new MtcpError('io', 'is not a trial of a submission', {
      where: `${path}:${malformed[0]}`,
      hint: AGAIN,
    });
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
    const { file } = openPlain(path, { kind: 'io', hint: AGAIN });
    try {
      const text = Buffer.alloc(length);
      readSync(file, text, 0, length, first);
      if (crc32(text) === crc) return JSON.parse(text.toString('utf8')) as TrialSpec;
    } finally {
      closeSync(file);
    }
    throw new MtcpError('io', 'a trial of this submission is not what it was when it was submitted', {
      where: path,
      hint: AGAIN,
    });
  }

  /** Where the processes of a task meet; see `JobRequest.join`. */
  meeting(group: string, task: number): string {
    return `${this.records(group)}-${task}.meeting.json`;
  }

  /** What a task wrote down; lines that cannot be read are left out. */
  readTask(group: string, task: number): TaskRecord[] {
    try {
      return TASK_RECORDS.lines(`${this.records(group)}-${task}.jsonl`).records;
    } catch (error) {
      if (!MtcpError.is(error)) throw error;
      return [];
    }
  }
}

/** Bytes at the end of a log that are looked at. */
const TAIL = 64 * 1024;

/** Last lines of a file; none if it is no file that can be read. */
export function tail(path: string, lines: number): string[] {
  let open;
  try {
    open = openPlain(path, { kind: 'io' });
  } catch (error) {
    if (!MtcpError.is(error)) throw error;
    return [];
  }
  const { file, size } = open;
  try {
    const text = Buffer.alloc(Math.min(size, TAIL));
    readSync(file, text, 0, text.length, size - text.length);
    return text.toString('utf8').trimEnd().split('\n').slice(-lines);
  } finally {
    closeSync(file);
  }
}

/** Folders of an experiment's submissions, oldest first; of those that are being written as well. */
export function submissionsOf(runs: string, experiment: string): SubmissionFolder[] {
  const home = join(runs, experiment, JOBS);
  if (!existsSync(home)) return [];
  return readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => new SubmissionFolder(join(home, name)))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
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
