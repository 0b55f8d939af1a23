// The launcher `slurm`: runs trials as jobs of a Slurm cluster, through sbatch, squeue, sacct, scontrol and scancel.
import { userInfo } from 'node:os';
import { component, options } from '../../../registry/component.js';
import type {
  BatchLauncher,
  Here,
  JobRequest,
  TaskName,
  TaskState,
} from '../../../registry/contracts/launching.js';
import { MtcpError } from '../../../registry/errors.js';
import { reasonIn, slurm, slurmSync } from './commands.js';
import { OPTIONS } from './options.js';
import { parseSacct, parseSqueue, sacctArguments, squeueArguments, type Queued } from './queue.js';
import { quote, slurmScript, type SlurmOptions } from './script.js';

/** Slurm's own default of MaxArraySize, which is one more than the largest index. */
const MAX_ARRAY = 1001;
/** Milliseconds for which a list of the queue is good enough to judge locks by. */
const FRESH = 5000;
/** Tasks named in one call of scancel. */
const NAMED_AT_ONCE = 500;

@component({
  kind: 'launcher',
  name: 'slurm',
  summary: 'job arrays of a Slurm cluster that shares the folder of runs',
  source: 'Slurm 20.11 or newer',
  options: OPTIONS,
  file: import.meta.url,
})
export class SlurmLauncher implements BatchLauncher {
  readonly system = 'slurm';
  readonly #queues = new Map<string, { time: number; queue: Queued[] | undefined }>();

  constructor(@options() readonly options: SlurmOptions) {}

  get nodes(): number {
    return this.options.nodes;
  }

  async divide(trials: number): Promise<{ tasks: number; each: number }> {
    const largest = await maxArraySize();
    const each = Math.max(this.options.trials, Math.ceil(trials / largest));
    return { tasks: Math.ceil(trials / each), each };
  }

  script(job: JobRequest): string {
    return slurmScript(job, this.options);
  }

  submitCommand(script: string, after: readonly string[]): string {
    return ['sbatch', ...submitArguments(script, after)].map(quote).join(' ');
  }

  async submit(script: string, after: readonly string[]): Promise<string> {
    const said = await slurm('sbatch', submitArguments(script, after));
    // "17" or "17;cluster"
    const id = /^(\d+)/m.exec(said.stdout)?.[1];
    if (said.code === 0 && id !== undefined) return id;
    throw new MtcpError('usage', `sbatch does not take the job: ${reasonIn(said)}`, {
      where: script,
      hint: HINTS.find(([pattern]) => pattern.test(said.stderr))?.[1],
    });
  }

  async tasks(jobs: readonly string[], user: string): Promise<TaskState[]> {
    if (jobs.length === 0) return [];
    const said = await slurm('squeue', squeueArguments(user));
    if (said.code !== 0)
      throw new MtcpError('io', `squeue does not answer: ${reasonIn(said)}`, { where: 'launcher slurm' });
    const wanted = new Set(jobs);
    const queue = parseSqueue(said.stdout);
    this.#queues.set(user, { time: performance.now(), queue });
    const known = queue.filter(({ job }) => wanted.has(job));
    // A job with a task that lives has all of its tasks in the queue, but for those that ended long ago.
    const seen = new Set(known.map(({ job, task }) => `${job}_${task}`));
    return [...known, ...(await remembered(jobs)).filter(({ job, task }) => !seen.has(`${job}_${task}`))];
  }

  async cancel(tasks: readonly TaskName[]): Promise<void> {
    const names = tasks.map(({ job, task }) => `${job}_${task}`);
    for (let from = 0; from < names.length; from += NAMED_AT_ONCE) {
      const said = await slurm('scancel', names.slice(from, from + NAMED_AT_ONCE));
      if (said.code !== 0)
        throw new MtcpError('io', `scancel: ${reasonIn(said)}`, { where: 'launcher slurm' });
    }
  }

  here(env: Readonly<Record<string, string | undefined>>): Here | undefined {
    const { SLURM_ARRAY_JOB_ID: job, SLURM_ARRAY_TASK_ID: task } = env;
    if (job === undefined || task === undefined) return undefined;
    const cpus = Number(env.SLURM_CPUS_PER_TASK);
    return {
      job,
      task: Number(task),
      tags: {
        slurm: `${job}_${task}`,
        restart: env.SLURM_RESTART_COUNT ?? '0',
        user: env.SLURM_JOB_USER ?? userInfo().username,
        ...(env.SLURM_CLUSTER_NAME && { cluster: env.SLURM_CLUSTER_NAME }),
      },
      ...(cpus > 0 && { cpus }),
    };
  }

  /** A task that was queued again is dead as what it was before, even if its process does not know yet. */
  lives(tags: Readonly<Record<string, string>>, here: Here | undefined): boolean | undefined {
    const { slurm: name, restart, user, cluster } = tags;
    if (name === undefined) return undefined;
    if (here?.tags.slurm === name) return here.tags.restart === restart;
    if (here?.tags.cluster !== undefined && cluster !== undefined && here.tags.cluster !== cluster)
      return undefined;
    const queue = this.#queue(user);
    // Clusters may hide what belongs to others.
    if (queue === undefined || (queue.length === 0 && user !== userInfo().username)) return undefined;
    const task = queue.find((other) => `${other.job}_${other.task}` === name);
    return task?.phase === 'running' && String(task.restarts) === restart;
  }

  /** Undefined if the controller does not answer. */
  #queue(user: string): Queued[] | undefined {
    const known = this.#queues.get(user);
    if (known && performance.now() - known.time < FRESH) return known.queue;
    const queue = listQueue(user);
    this.#queues.set(user, { time: performance.now(), queue });
    return queue;
  }
}

function listQueue(user: string): Queued[] | undefined {
  try {
    const said = slurmSync('squeue', squeueArguments(user));
    return said.code === 0 ? parseSqueue(said.stdout) : undefined;
  } catch {
    // A container without Slurm's commands.
    return undefined;
  }
}

const submitArguments = (script: string, after: readonly string[]): string[] => [
  '--parsable',
  ...(after.length > 0 ? [`--dependency=afterany:${after.join(':')}`] : []),
  script,
];

/** Tasks by the accounts of the cluster; none where it keeps no accounts. */
async function remembered(jobs: readonly string[]): Promise<TaskState[]> {
  try {
    const said = await slurm('sacct', sacctArguments(jobs));
    return said.code === 0 ? parseSacct(said.stdout) : [];
  } catch {
    return [];
  }
}

/** Where there is no cluster to ask, its default: a script can be looked at anywhere. */
async function maxArraySize(): Promise<number> {
  const said = await slurm('scontrol', ['show', 'config']).catch(() => undefined);
  const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(said?.stdout ?? '')?.[1]);
  return Math.max(1, (size || MAX_ARRAY) - 1);
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/partition/i, 'launcher.partition; sinfo lists the partitions'],
  [/account/i, 'launcher.account; sacctmgr show associations user=$USER lists yours'],
  [/qos|limit/i, 'launcher.trials: 10 makes fewer, longer tasks; launcher.qos names another class'],
  [/time limit/i, 'launcher.time'],
  [/gres/i, 'launcher.gpus; sinfo -o "%P %G" lists what partitions have'],
  [/node configuration|cpu|memory/i, 'launcher.cpus, launcher.memory, launcher.constraint'],
];
