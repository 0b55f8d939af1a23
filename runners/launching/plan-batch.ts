// Plans which jobs an experiment's trials need: trials that depend on others come in a later group, and each group is
// one array job with a script. Nothing is written and nothing is submitted.
import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobRequest } from '../../registry/contracts/launching.js';
import type { TrialSpec } from '../config/index.js';
import type { LedgerTrial } from '../store/ledger/ledger.js';
import { isLost, type Jobs } from './jobs.js';
import type { Group, Submission } from './submission-formats.js';
import { JOBS, SubmissionFolder } from './submission.js';
import type { BatchContext } from './batch-context.js';

/** The jobs to submit. */
export interface BatchPlan {
  folder: SubmissionFolder;
  record: Submission;
  trials: readonly TrialSpec[];
  scripts: { path: string; text: string; command: string }[];
}

/** Trials that are not done and that no job and no process is working on or waiting for. */
export function wantedIn({
  ledger,
  jobs,
  only,
}: Pick<BatchContext, 'ledger' | 'jobs' | 'only'>): LedgerTrial[] {
  return ledger.entries.filter((entry) => {
    const state = ledger.state(entry);
    const job = jobs.job(entry.trial);
    if (state === 'done' || state === 'running' || (job && job.phase !== 'ended')) return false;
    return !only || only.includes(state) || (only.includes('failed') && isLost(state, job));
  });
}

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));

export async function planBatch(context: BatchContext, wanted: readonly LedgerTrial[]): Promise<BatchPlan> {
  const { experiment, runs, launcher, slot } = context;
  const waves = wavesOf(wanted.map(({ trial }) => trial));
  const trials = waves.flat();
  const created = new Date().toISOString();
  const key = `${created.replace(/\D/g, '').slice(0, 14)}-${randomUUID().slice(0, 4)}`;
  const folder = new SubmissionFolder(resolve(runs, experiment.name, JOBS, key));
  const groups: Group[] = [];
  for (const wave of waves) {
    const { tasks, each } = await launcher.divide(wave.length);
    groups.push({
      name: String(groups.length + 1),
      first: groups.reduce((sum, group) => sum + group.trials, 0),
      trials: wave.length,
      tasks,
      each,
      after: groups.map(({ name }) => name),
      afterJobs: [...new Set(wave.flatMap((trial) => earlierJobs(trial, context.jobs)))],
      job: null,
    });
  }
  const record: Submission = {
    format: 1,
    key,
    experiment: experiment.name,
    profile: experiment.profile,
    file: experiment.file,
    command: context.command,
    launcher: slot,
    plugins: trials[0].plugins,
    user: userInfo().username,
    host: hostname(),
    cwd: process.cwd(),
    created,
    groups,
  };
  const scripts = groups.map((group) => {
    const path = folder.script(group.name);
    return {
      path,
      text: launcher.script(requestOf(record, group, folder)),
      command: launcher.submitCommand(path, [...group.afterJobs, ...group.after.map((name) => `JOB${name}`)]),
    };
  });
  return { folder, record, trials, scripts };
}

/** Splits trials into waves: a trial comes in a later wave than the trials that it depends on. */
function wavesOf(trials: readonly TrialSpec[]): TrialSpec[][] {
  const here = new Set(trials.map(({ hash }) => hash));
  const levels = new Map<string, number>();
  const level = (trial: TrialSpec): number => {
    const known = levels.get(trial.hash);
    if (known !== undefined) return known;
    const before = sourcesOf(trial).filter(({ hash }) => here.has(hash));
    const own = before.length === 0 ? 0 : 1 + Math.max(...before.map(level));
    levels.set(trial.hash, own);
    return own;
  };
  const waves: TrialSpec[][] = [];
  for (const trial of trials) (waves[level(trial)] ??= []).push(trial);
  return waves;
}

const sourcesOf = ({ sources }: TrialSpec): TrialSpec[] => Object.values(sources);

/** Jobs of earlier submissions that train what a trial depends on. */
function earlierJobs(trial: TrialSpec, jobs: Jobs): string[] {
  return sourcesOf(trial).flatMap((source) => {
    const job = jobs.job(source);
    return job && job.phase !== 'ended' ? [job.job] : [];
  });
}

function requestOf(record: Submission, group: Group, folder: SubmissionFolder): JobRequest {
  const { experiment, profile, groups } = record;
  const { name, trials, tasks, each, after } = group;
  const words = ['work', folder.path, '--group', name];
  const joining = ['join', folder.records(name)];
  const of = groups.length > 1 ? ` (part ${name} of ${groups.length})` : '';
  return {
    name: groups.length > 1 ? `${experiment}-${name}` : experiment,
    about: [
      `${experiment}${profile ? `, profile ${profile}` : ''}: ${count(trials, 'trial')} in ${count(tasks, 'task')}${of}. Written by: ${record.command}`,
      each === 1
        ? 'A task trains the trial of its number or, if somebody else has that, the next one that is free.'
        : `A task trains ${each} trials, one after the other, those of its number first, and none that somebody else has.`,
      ...(after.length > 0 ? [`The trials depend on those of part ${after.join(', ')}.`] : []),
      'Handing it in again by hand does no harm: what is done or under way is left alone.',
    ],
    tasks,
    cwd: record.cwd,
    command: [process.execPath, MAIN, ...words],
    arguments: words,
    join: { command: [process.execPath, MAIN, ...joining], arguments: joining },
    logs: folder.logs,
    records: folder.records(name),
  };
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
