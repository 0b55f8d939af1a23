// One `mtcp run`, as the parent of the runs of its trials: runs/<experiment>/.mlflow/<key>/
//
//   invocation.json    what was asked for, and what became of it
//   experiment.yaml    the experiment file at that time
//   uncommitted.diff   what differs from the commit, if anything does
//   state.json         what the server knows of it
//
// An invocation that was interrupted or died is continued by the next one of the same experiment.
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { InvocationOutcome, TrackedRun } from '../../../registry/contracts/tracking.js';
import { MtcpError } from '../../../registry/errors.js';
import { JsonFormat } from '../../../registry/support/json-file.js';
import { readText } from '../../../registry/support/plain-file.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import { display } from '../../config/compose.js';
import { PRIVATE_FILE, writeWhole } from '../../support/files.js';
import { ownerOf } from '../../store/ledger/lease.js';
import type { Redactor } from './client/connection.js';
import { gitState } from './git.js';
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

const TEXT = { type: 'string' };
const TEXT_OR_NULL = { type: ['string', 'null'] };
/** A part of a path. */
const NAME = { type: 'string', pattern: '^[^/\\\\]+$' };

const FIELDS = {
  format: { const: 1 },
  key: NAME,
  experiment: TEXT,
  name: TEXT,
  title: TEXT,
  description: TEXT_OR_NULL,
  profile: TEXT_OR_NULL,
  file: TEXT,
  command: TEXT,
  options: {
    type: 'object',
    required: ['steps', 'system', 'checkpoints', 'model', 'register'],
    properties: {
      steps: { type: 'integer', minimum: 0 },
      system: { type: ['number', 'null'] },
      checkpoints: { enum: ['none', 'kept'] },
      model: { type: 'boolean' },
      register: TEXT_OR_NULL,
    },
  },
  user: TEXT,
  host: TEXT,
  version: TEXT,
  git: {
    type: ['object', 'null'],
    required: ['commit', 'branch', 'url', 'dirty'],
    properties: { commit: TEXT, branch: TEXT, url: TEXT, dirty: { type: 'boolean' } },
  },
  job: TEXT_OR_NULL,
  started: TEXT,
  ended: TEXT_OR_NULL,
  outcome: { enum: ['finished', 'failed', 'interrupted', null] },
  trials: { type: 'array', items: NAME },
};

const INVOCATION = new JsonFormat<Invocation>('the record of an invocation', {
  type: 'object',
  required: Object.keys(FIELDS),
  properties: FIELDS,
});

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
  const git = gitState(dirname(run.file)) ?? null;
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
  const keep = (name: string, text: string) => writeWhole(join(folder, name), text, PRIVATE_FILE);
  if (existsSync(run.file)) keep('experiment.yaml', readText(run.file, { kind: 'io' }));
  if (git?.diff) keep('uncommitted.diff', redactor.text(git.diff));
  writeInvocation(folder, record);
  return { folder, record };
}

/** No other process has it. */
function isFree(folder: string): boolean {
  const ownership = ownerOf(folder);
  return !ownership?.alive || (ownership.owner.pid === process.pid && ownership.owner.host === hostname());
}

export function writeInvocation(folder: string, record: Invocation): void {
  writeWhole(join(folder, RECORD), `${JSON.stringify(record, null, 1)}\n`, PRIVATE_FILE);
}

/** All invocations of an experiment, oldest first. Trials of one that cannot be read get a new one. */
export function readInvocations(experimentFolder: string): { folder: string; record: Invocation }[] {
  const home = join(experimentFolder, PRIVATE);
  if (!existsSync(home)) return [];
  return readdirSync(home)
    .flatMap((key) => {
      const folder = join(home, key);
      try {
        const record = INVOCATION.find(join(folder, RECORD));
        return record ? [{ folder, record }] : [];
      } catch (error) {
        if (!MtcpError.is(error)) throw error;
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
