// The work of a job: trains the trials of a submission. A task begins with its own trials and continues with others
// that are free, so that tasks, arrays and processes on any machine can share a list. A trial is read in full only
// when it is claimed, so that a list of ten thousand trials is not slower than one of ten.
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { isBatchLauncher } from '../../registry/contracts/launching.js';
import { MtcpError } from '../../registry/errors.js';
import { codeOf } from '../config/code.js';
import type { TrialSpec } from '../config/index.js';
import { DataSources, type DataEvent } from '../training/data-sources.js';
import { writeJobMark } from '../store/ledger/job-mark.js';
import { Ledger } from '../store/ledger/ledger.js';
import { checkStart } from '../store/weights/start.js';
import { loadPlugin } from '../config/load-plugin.js';
import { workThrough, type WorkEvent, type Worked } from '../training/work.js';
import { createLauncher } from './index.js';
import { probeOf } from './jobs.js';
import { placedProcesses } from './processes.js';
import type { Listed } from './submission-formats.js';
import { SubmissionFolder } from './submission.js';

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
  const nodes = (isBatchLauncher(launcher) ? launcher.nodes : undefined) ?? 1;
  const listed = folder.readTrials();

  const group = record.groups.find(({ name }) => name === options.group);
  if (options.group !== undefined && !group)
    throw new MtcpError('usage', `there is no group "${options.group}"`, {
      where: `argument "--group ${options.group}"`,
      hint: `groups: ${record.groups.map(({ name }) => name).join(', ')}`,
    });
  const trials = group ? listed.slice(group.first, group.first + group.trials) : listed;
  const most = group && options.task !== undefined ? group.each : Infinity;
  let begun = 0;
  const ledger = new Ledger(folder.runs, trials, {
    tags: here?.tags,
    probes: isBatchLauncher(launcher) ? [probeOf(launcher, here)] : [],
    attempts: folder.attemptsOf(listed),
    from: (options.task ?? 0) * (group?.each ?? 1),
  });
  return workThrough<Listed>({
    ledger,
    specOf: (trial) => specOf(trial, folder),
    settings: { threads: here?.cpus },
    ...(nodes > 1 && here && group && options.task !== undefined
      ? { processes: placedProcesses(nodes, folder.meeting(group.name, options.task)) }
      : {}),
    sources: new DataSources(join(folder.runs, record.experiment), options.observe, {
      constant: false,
      stopRequested: options.stopRequested,
    }),
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

/**
 * A listed trial in full.
 * @throws MtcpError `config` if its code is not what it was when it was submitted
 */
function specOf(listed: Listed, folder: SubmissionFolder): TrialSpec {
  const spec = folder.readSpec(listed);
  const plugins = spec.plugins.map((file) => loadPlugin(file));
  const code = codeOf(spec.config, plugins);
  const changed = Object.keys({ ...spec.code, ...code }).filter((name) => spec.code[name] !== code[name]);
  if (changed.length > 0)
    throw new MtcpError(
      'config',
      `the code of ${changed.join(', ')} is not what it was when this was submitted`,
      {
        where: folder.path,
        hint: 'another version of mtcp or of a plugin; submit it again',
      },
    );
  checkStart(spec);
  return spec;
}
