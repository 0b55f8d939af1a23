// The state of an experiment's jobs, joined with its trials. It comes from the submissions (which trials a job has),
// the batch system (what it knows of tasks), and the records of the tasks themselves, for jobs that the system has
// forgotten.
import type { BatchLauncher, Here, TaskName, TaskState } from '../../registry/contracts/launching.js';
import { MtcpError } from '../../registry/errors.js';
import { readJobMark } from '../store/ledger/job-mark.js';
import type { Probe } from '../store/ledger/owner.js';
import type { TrialState } from '../store/ledger/run-folder.js';
import { createBatchLauncher } from './index.js';
import type { Group, Submission } from './submission-formats.js';
import { pathOf, submissionsOf, type SubmissionFolder, type TrialName } from './submission.js';

/** The task that is there for a trial. */
export interface TrialJob extends TaskName {
  /** As the batch system calls it: JOB_TASK. */
  name: string;
  phase: TaskState['phase'];
  /** The state in the system's own words, for example NODE_FAIL; null if it does not know the task. */
  word: string | null;
  reason: string | null;
  node: string | null;
  left: string | null;
  /** What it prints. */
  log: string;
}

interface Home {
  folder: SubmissionFolder;
  group: Group;
  task: number;
}

const nameOf = ({ job, task }: TaskName): string => `${job}_${task}`;

export class Jobs {
  readonly #homes = new Map<string, Home[]>();
  readonly #folders: { folder: SubmissionFolder; record: Submission; launcher: BatchLauncher }[] = [];
  #states = new Map<string, TaskState>();
  /** A submission that cannot be read: its jobs may wait or run, and nothing here knows of them. */
  #damaged: string | undefined;
  #unanswered: string | undefined;

  private constructor(readonly runs: string) {}

  /** Of an experiment's submissions; asks no batch system yet. */
  static of(runs: string, experiment: string): Jobs {
    const jobs = new Jobs(runs);
    for (const folder of submissionsOf(runs, experiment))
      try {
        const record = folder.find();
        if (record) jobs.add(folder, record);
      } catch (error) {
        if (!MtcpError.is(error)) throw error;
        jobs.#damaged ??= `${error.where ?? folder.path}: ${error.message}${error.hint ? ` (${error.hint})` : ''}`;
      }
    return jobs;
  }

  /** Why jobs are not known, if so: a submission is damaged, or the batch system could not be asked. */
  get fault(): string | undefined {
    return this.#damaged ?? this.#unanswered;
  }

  /** Whether anything was ever submitted. */
  get any(): boolean {
    return this.#folders.length > 0 || this.#damaged !== undefined;
  }

  /** Locks name jobs; whether those live, their system knows. */
  get probes(): Probe[] {
    return this.#folders.length === 0 ? [] : [probeOf(this.#folders.at(-1)!.launcher, undefined)];
  }

  /** @throws MtcpError `io` if its trials cannot be read */
  add(folder: SubmissionFolder, record: Submission): void {
    const launcher = createBatchLauncher(record.launcher);
    const listed = folder.readTrials();
    if (record.groups.some(({ first, trials }) => first + trials > listed.length))
      throw new MtcpError('io', 'has fewer trials than were submitted', { where: folder.path });
    this.#folders.push({ folder, record, launcher });
    for (const group of record.groups)
      for (let i = 0; i < group.trials; i++) {
        const path = pathOf(this.runs, listed[group.first + i]);
        const home = { folder, group, task: Math.floor(i / group.each) };
        this.#homes.set(path, [...(this.#homes.get(path) ?? []), home]);
      }
  }

  /**
   * Asks the batch system; if it does not answer, what was known before stays and `fault` says why.
   */
  async refresh(): Promise<void> {
    const byUser = new Map<string, { launcher: BatchLauncher; user: string; jobs: string[] }>();
    for (const { record, launcher } of this.#folders) {
      const key = `${launcher.system} ${record.user}`;
      const jobs = record.groups.flatMap(({ job }) => (job === null ? [] : [job]));
      const known = byUser.get(key);
      if (known) known.jobs.push(...jobs);
      else byUser.set(key, { launcher, user: record.user, jobs });
    }
    this.#unanswered = undefined;
    const states = new Map<string, TaskState>();
    try {
      for (const { launcher, user, jobs } of byUser.values())
        for (const state of await launcher.tasks(jobs, user)) states.set(nameOf(state), state);
      this.#states = states;
    } catch (error) {
      if (!MtcpError.is(error)) throw error;
      this.#unanswered = error.message;
    }
  }

  /** The task of a trial: one that lives if there is one, else the last one. */
  job(trial: TrialName): TrialJob | undefined {
    const path = pathOf(this.runs, trial);
    const homes = this.#homes.get(path) ?? [];
    const jobs = homes.flatMap((home) => this.#jobOf(home));
    const chosen = jobs.findLast(({ phase }) => phase !== 'ended') ?? jobs.at(-1);
    if (!chosen) return undefined;
    // Another task than its own may have trained it.
    const mark = chosen.phase === 'ended' ? readJobMark(path) : undefined;
    return mark && homes.some(({ group }) => group.job === mark.job) ? { ...chosen, log: mark.log } : chosen;
  }

  #jobOf({ folder, group, task }: Home): TrialJob[] {
    const { job } = group;
    if (job === null) return [];
    const name = nameOf({ job, task });
    const state = this.#states.get(name);
    const log = folder.log(job, task);
    if (state) return [{ ...state, name, log }];
    const last = folder.readTask(group.name, task).at(-1);
    const ended = last?.event === 'ended' ? `ended with code ${last.code}` : null;
    const gone = { phase: 'ended', word: ended, reason: null, left: null } as const;
    return [{ job, task, name, log, ...gone, node: last && 'node' in last ? last.node : null }];
  }

  /** Tasks that have not ended. */
  get live(): TaskState[] {
    return [...this.#states.values()].filter(({ phase }) => phase !== 'ended');
  }

  async cancel(tasks: readonly TaskName[]): Promise<void> {
    const launcher = this.#folders.at(-1)?.launcher;
    if (tasks.length > 0) await launcher?.cancel(tasks);
  }
}

/** Whether owners of locks live, as the batch system says. */
export const probeOf =
  (launcher: BatchLauncher, here: Here | undefined): Probe =>
  ({ tags }) => {
    const lives = launcher.lives(tags, here);
    return lives === undefined ? undefined : lives ? 'alive' : 'dead';
  };

/** A trial that is not done, and no task is left that would do it. */
export const isLost = (state: TrialState, job: TrialJob | undefined): boolean =>
  job?.phase === 'ended' && ['queued', 'interrupted', 'stale'].includes(state);

/** What a task that ended says about a trial that is not done. */
export function endOf({ name, word, node }: TrialJob): string {
  const where = node === null ? '' : ` on ${node}`;
  if (word === null) return `its job ${name} is gone${where}`;
  return `its job ${name} ${/^[A-Z_]+$/.test(word) ? `ended as ${word}` : word}${where}`;
}
