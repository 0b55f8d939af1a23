// The script of a job array. Each task starts mtcp and waits for it. The script adds what only the shell of a batch
// job can do: pass on signals, record how the task ended even if mtcp could not, and ask Slurm to queue the task
// again.
import type { JobRequest } from '../../../registry/contracts/launching.js';
import type { OptionsOf } from '../../../registry/options.js';
import type { OPTIONS } from './options.js';

export type SlurmOptions = OptionsOf<typeof OPTIONS>;

/** Exit code of a command that stopped after a checkpoint. */
const STOPPED = 75;

export function slurmScript(job: JobRequest, options: SlurmOptions): string {
  const { modules, setup, command, requeues, warning, nodes } = options;
  const program = programOf(job, command);
  const parts = [
    `#!/bin/bash\n${job.about.map((line) => `# ${line}`).join('\n')}`,
    directives(job, options).join('\n'),
    [...modules.map((name) => `module load ${quote(name)}`), ...setup].join('\n'),
    RECORD(job.records),
    `child= warned= interrupted=
trap 'warned=1 interrupted=1; [ -z "$child" ] || kill -TERM "$child" 2> /dev/null' USR1
trap 'interrupted=1; [ -z "$child" ] || kill -TERM "$child" 2> /dev/null' TERM`,
    ...(nodes > 1 ? [others(job, options)] : []),
    `record started
left=$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%L 2> /dev/null)
${program} \\
  --task "$task" --time-left "$left" --warning ${warning} &
child=$!
wait "$child"
code=$?
# A signal ends the waiting, not mtcp.
while [ -n "$interrupted" ]; do
  interrupted=
  wait "$child"
  code=$?
done${nodes > 1 ? '\n# Slurm ends them with the job; srun would try for long if their node has died.\nkill -KILL "$others" 2> /dev/null' : ''}`,
    `# Told to stop before it could listen: nothing is lost, so go on later.
if [ -n "$warned" ] && [ "$code" -eq 143 ]; then code=${STOPPED}; fi`,
    `# Stopped after a checkpoint. Unless the job is being cancelled, it goes on from there.
if [ "$code" -eq ${STOPPED} ] && [ "\${SLURM_RESTART_COUNT:-0}" -lt ${requeues} ]; then
  if scontrol show job --oneliner "$SLURM_JOB_ID" | grep -q ' JobState=RUNNING '; then
    record requeued "$code"
    scontrol requeue "$SLURM_JOB_ID" && sleep 60
  fi
fi
record ended "$code"
exit "$code"`,
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function directives(job: JobRequest, options: SlurmOptions): string[] {
  const { parallel, warning, gpus, nodes } = options;
  const given: [string, string | number | null][] = [
    ['job-name', job.name],
    ['array', `0-${job.tasks - 1}${parallel === null ? '' : `%${parallel}`}`],
    ['chdir', job.cwd],
    ['output', `${job.logs.replaceAll('%', '%%')}/%A_%a.log`],
    ['open-mode', 'append'],
    ['signal', `B:USR1@${warning}`],
    ['partition', options.partition],
    ['account', options.account],
    ['qos', options.qos],
    ['constraint', options.constraint],
    ['time', options.time],
    ['nodes', nodes > 1 ? nodes : null],
    ['ntasks-per-node', nodes > 1 ? 1 : null],
    ['cpus-per-task', options.cpus],
    ['gres', gpus === null ? null : `gpu:${gpus}`],
    ['mem', options.memory],
  ];
  return [
    ...given.flatMap(([name, value]) => (value === null ? [] : [`#SBATCH --${name}=${directive(value)}`])),
    '#SBATCH --requeue',
    ...options.sbatch.map((option) => `#SBATCH ${option}`),
  ];
}

/** How each task began and ended, one JSON object a line. */
const RECORD = (records: string) => `task=$SLURM_ARRAY_TASK_ID
record() {
  printf '{"event":"%s","time":"%s","job":"%s","restart":%d,"node":"%s","code":%s}\\n' \\
    "$1" "$(date -u +%FT%TZ)" "$SLURM_ARRAY_JOB_ID" "\${SLURM_RESTART_COUNT:-0}" "$SLURMD_NODENAME" "\${2:-null}" \\
    >> ${quote(`${records}-`)}"$task".jsonl
}`;

/** @param command what starts mtcp, if it is not this one by its path */
const programOf = (job: Pick<JobRequest, 'command' | 'arguments'>, command: string | null): string =>
  command === null ? job.command.map(quote).join(' ') : [command, ...job.arguments.map(quote)].join(' ');

/** The processes of the further nodes. They have nothing to save, and end with the job. */
function others({ join }: JobRequest, { nodes, cpus, command }: SlurmOptions): string {
  const step = [
    'srun',
    `--nodes=${nodes - 1}`,
    `--ntasks=${nodes - 1}`,
    '--ntasks-per-node=1',
    '--relative=1',
    '--kill-on-bad-exit=0',
    ...(cpus === null ? [] : [`--cpus-per-task=${cpus}`]),
  ];
  return `# The other nodes of the task, which share its trials.
${step.join(' ')} \\
  ${programOf(join, command)}-"$task".meeting.json < /dev/null &
others=$!
disown "$others"`;
}

/** A word of the shell. */
export const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** sbatch takes everything in double quotes as one value. */
const directive = (value: string | number): string =>
  /[\s'"]/.test(String(value)) ? `"${String(value).replaceAll('"', '\\"')}"` : String(value);
