// One `mtcp run`, as the parent of the runs of its trials: runs/<experiment>/.mlflow/<key>/
//
//   invocation.json    what was asked for, and what became of it
//   experiment.yaml    the experiment file at that time
//   uncommitted.diff   what differs from the commit, if anything does
//   state.json         what the server knows of it
//
// An invocation that was interrupted or died is continued by the next one of the same experiment.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { InvocationOutcome, TrackedRun } from '../../../registry/contracts/tracking.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import { display } from '../../config/compose.js';
import { writeWhole } from '../../support/files.js';
import { ownerOf } from '../../store/ledger/lease.js';
import type { Redactor } from './client/connection.js';
import type { LoggingOptions } from './options.js';
import { PRIVATE } from './remote-run.js';

export interface Invocation {
  format: 1;
  key: string;
  /** Of mtcp. */
  experiment: string;
  /** Of MLflow. */
  name: string;
  title: string;
  description: string | null;
  profile: string | null;
  /** Relative to the working directory if it is below it. */
  file: string;
  command: string;
  options: LoggingOptions;
  user: string;
  host: string;
  version: string;
  git: { commit: string; branch: string; url: string; dirty: boolean } | null;
  /** Batch job, if it is one. */
  job: string | null;
  started: string;
  ended: string | null;
  /** null: under way, or died. */
  outcome: InvocationOutcome | null;
  /** Folders of its trials, below the experiment's. */
  trials: string[];
}

export interface NewInvocation extends Omit<TrackedRun, 'report'> {
  name: string;
  options: LoggingOptions;
  command: string;
}

const RECORD = 'invocation.json';

/** Starts an invocation, or continues the last one if it did not finish. */
export function beginInvocation(
  run: NewInvocation,
  redactor: Redactor,
): { folder: string; record: Invocation } {
  const open = readInvocations(run.folder).findLast(
    ({ folder, record }) =>
      (record.outcome === null || record.outcome === 'interrupted') &&
      record.profile === run.profile &&
      record.name === run.name &&
      isFree(folder),
  );
  const key =
    open?.record.key ??
    `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}-${randomUUID().slice(0, 8)}`;
  const folder = open?.folder ?? join(run.folder, PRIVATE, key);
  makeFolder(folder);
  const git = gitOf(dirname(run.file));
  const record: Invocation = {
    format: 1,
    key,
    experiment: run.experiment,
    name: run.name,
    title: run.title,
    description: run.description ?? null,
    profile: run.profile,
    file: display(run.file),
    command: redactor.text(run.command),
    options: run.options,
    user: userName(),
    host: hostname(),
    version: ownVersion(),
    git: git && {
      commit: git.commit,
      branch: git.branch,
      url: redactor.text(git.url),
      dirty: git.diff !== '',
    },
    job: process.env.SLURM_JOB_ID ?? null,
    started: open?.record.started ?? new Date().toISOString(),
    ended: null,
    outcome: null,
    trials: open?.record.trials ?? [],
  };
  if (existsSync(run.file)) copyFileSync(run.file, join(folder, 'experiment.yaml'));
  if (git?.diff) writeFileSync(join(folder, 'uncommitted.diff'), redactor.text(git.diff));
  writeInvocation(folder, record);
  return { folder, record };
}

/** No other process has it. */
function isFree(folder: string): boolean {
  const ownership = ownerOf(folder);
  return !ownership?.alive || (ownership.owner.pid === process.pid && ownership.owner.host === hostname());
}

export function writeInvocation(folder: string, record: Invocation): void {
  writeWhole(join(folder, RECORD), `${JSON.stringify(record, null, 1)}\n`);
}

/** All invocations of an experiment, oldest first. */
export function readInvocations(experimentFolder: string): { folder: string; record: Invocation }[] {
  const home = join(experimentFolder, PRIVATE);
  if (!existsSync(home)) return [];
  return readdirSync(home)
    .flatMap((key) => {
      const folder = join(home, key);
      try {
        const record = JSON.parse(readFileSync(join(folder, RECORD), 'utf8')) as Invocation;
        return record.format === 1 ? [{ folder, record }] : [];
      } catch {
        return [];
      }
    })
    .sort((a, b) => (a.record.started < b.record.started ? -1 : 1));
}

/** The command line of this process, as far as it can be reconstructed. */
export function commandLine(argv: readonly string[] = process.argv): string {
  const quoted = argv
    .slice(2)
    .map((part) => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", "'\\''")}'`));
  const program = basename(argv[1] ?? 'node');
  return [program === 'main.js' ? 'mtcp' : program, ...quoted].join(' ');
}

function ownVersion(): string {
  const file = new URL('../../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? 'unknown';
  }
}

const LONGEST_DIFF = 5 * 1024 * 1024;

function gitOf(folder: string) {
  const git = (...args: string[]): string => {
    try {
      return execFileSync('git', ['-C', folder, ...args], {
        encoding: 'utf8',
        timeout: 5000,
        maxBuffer: LONGEST_DIFF,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    } catch {
      return '';
    }
  };
  const commit = git('rev-parse', 'HEAD').trim();
  if (commit === '') return null;
  return {
    commit,
    branch: git('rev-parse', '--abbrev-ref', 'HEAD').trim(),
    url: git('remote', 'get-url', 'origin').trim(),
    diff: git('diff', 'HEAD'),
  };
}
