// Inside a job: works through the trials of a submission. A task begins with its own trials and takes others when
// somebody else has those, so tasks, arrays, and processes anywhere may share a list. Configurations are read one by
// one, when their trial is claimed, so that a list of ten thousand costs no more than one of ten.
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { isBatchLauncher, type Here } from '../../registry/contracts/launching.js';
import { MtcpError } from '../../registry/errors.js';
import type { Origin, TrialSpec, TrialConfig } from '../config/index.js';
import { DataSources, type DataEvent } from '../training/data-sources.js';
import { openExperiment } from '../config/open.js';
import { writeWhole } from '../support/files.js';
import { writeJobMark } from '../store/ledger/job-mark.js';
import { Ledger } from '../store/ledger/ledger.js';
import { RunFolder } from '../store/ledger/run-folder.js';
import { loadPlugin } from '../config/load-plugin.js';
import { giveThreads, workThrough, type WorkEvent, type Worked } from '../training/work.js';
import { createLauncher } from './index.js';
import { probeOf } from './jobs.js';
import { SubmissionFolder, type Listed } from './submission.js';

export interface JobOptions {
  /** Only trials of this group. */
  group?: string;
  /** Number of this task, which says what to begin with; without one, all trials are done, from the first on. */
  task?: number;
  observe(event: DataEvent | WorkEvent): void;
  stopRequested(): boolean;
}

/** @throws MtcpError `usage` if there is no such submission or group */
export async function workOn(path: string, options: JobOptions): Promise<Worked> {
  const folder = new SubmissionFolder(resolve(path));
  const record = folder.read();
  for (const plugin of record.plugins) loadPlugin(plugin);
  const launcher = createLauncher(record.launcher);
  const here = isBatchLauncher(launcher) ? launcher.here(process.env) : undefined;
  const listed = folder.readTrials();
  const all = listed.map((each) => new ListedTrial(each, folder, here));

  const group = record.groups.find(({ name }) => name === options.group);
  if (options.group !== undefined && !group)
    throw new MtcpError('usage', `there is no group "${options.group}"`, {
      where: `argument "--group ${options.group}"`,
      hint: `groups: ${record.groups.map(({ name }) => name).join(', ')}`,
    });
  const trials = group ? all.slice(group.first, group.first + group.trials) : all;
  const most = group && options.task !== undefined ? group.each : Infinity;
  let begun = 0;
  const ledger = new Ledger(folder.runs, trials, {
    tags: here?.tags,
    probes: isBatchLauncher(launcher) ? [probeOf(launcher, here)] : [],
    since: record.created,
    from: (options.task ?? 0) * (group?.each ?? 1),
  });
  return workThrough({
    ledger,
    sources: new DataSources(join(folder.runs, record.experiment), options.observe, { constant: false }),
    observe(event) {
      if (event.event === 'trial') {
        begun++;
        if (here) {
          const { job, task } = here;
          writeJobMark(event.folder, { job, task, host: hostname(), log: folder.log(job, task) });
        }
      }
      options.observe(event);
    },
    stopRequested: options.stopRequested,
    skip: () => begun >= most,
  });
}

/** A trial of a list: its configuration is read when it is asked for, which is after it was claimed. */
class ListedTrial implements TrialSpec {
  readonly experiment: string;
  readonly row: string;
  readonly seed: number;
  readonly hash: string;
  #trial: TrialSpec | undefined;

  constructor(
    readonly listed: Listed,
    readonly submission: SubmissionFolder,
    readonly here: Here | undefined,
  ) {
    ({ experiment: this.experiment, row: this.row, seed: this.seed, hash: this.hash } = listed);
  }

  get #opened(): TrialSpec {
    if (this.#trial) return this.#trial;
    const file = join(new RunFolder(this.submission.runs, this).path, 'resolved.yaml');
    writeWhole(file, this.submission.readConfig(this.listed));
    const trial = openExperiment(file).trials[0];
    if (trial.hash !== this.hash)
      throw new MtcpError(
        'config',
        'here the configuration means another trial than where it was submitted',
        {
          where: file,
          hint: 'another version of mtcp, or another file of weights or components; submit it again',
        },
      );
    if (this.here?.cpus !== undefined) giveThreads([trial], this.here.cpus);
    return (this.#trial = trial);
  }

  /** Before the trial is claimed it matters only which ones they are. */
  get sources(): TrialSpec['sources'] {
    if (this.#trial) return this.#trial.sources;
    const { sources } = this.listed;
    const named = Object.entries(sources).map(([path, name]) => [
      path,
      { ...name, sources: {} } as TrialSpec,
    ]);
    return Object.fromEntries(named) as TrialSpec['sources'];
  }
  get config(): TrialConfig {
    return this.#opened.config;
  }
  get plugins(): readonly string[] {
    return this.#opened.plugins;
  }
  locate(path: string | readonly string[]): string {
    return this.#opened.locate(path);
  }
  blame(path: readonly string[]): ReturnType<TrialSpec['blame']> {
    return this.#opened.blame(path);
  }
  origin(path: readonly string[]): Origin {
    return this.#opened.origin(path);
  }
}
